package agent

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of the large documents' door.
const (
	maxOperations = 16 // at once; each has had its window
	largeRest     = 2 * time.Minute
	maxLargeOpen  = 128              // connections
	largePause    = 30 * time.Second // between two pieces of a document, either way, unless the configuration says otherwise
	largeWhole    = 15 * time.Minute // a document, from its first byte to the last of its signature
	largeCookie   = "operationCookie"
)

// large is KAZTOKEN's HTTP API for documents that are too large for the socket. It is there only when
// the person has switched it on: a client that finds it uses nothing else for CMS.
type large struct {
	agent    *Agent
	listener net.Listener
	port     string
	ctx      context.Context //nolint:containedctx // of serve: operations outlive their requests
	cancel   context.CancelFunc
	ended    chan struct{} // closed when serve has ended

	mu  sync.Mutex
	ops map[string]*operation // under mu, by id
}

// openLarge opens the door for large documents; one that is open stays. It serves until it is closed. Called under doors.
func (a *Agent) openLarge(address string) error {
	if a.large != nil {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen for large documents: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("listen for large documents: %s is not a loopback address", host)
	}
	listener, err := listenConfig().Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for large documents: %w", err)
	}
	l := &large{agent: a, listener: listener, ops: map[string]*operation{}, ended: make(chan struct{})}
	_, l.port, _ = net.SplitHostPort(listener.Addr().String())
	l.ctx, l.cancel = context.WithCancel(context.Background())
	a.large = l
	go l.serve(l.ctx)
	return nil
}

// endLarge closes the door when the agent ends.
func (a *Agent) endLarge() {
	a.doors.Lock()
	defer a.doors.Unlock()
	a.closeLarge()
}

// closeLarge closes the door, and ends what goes through it. Called under doors.
func (a *Agent) closeLarge() {
	if a.large == nil {
		return
	}
	a.large.cancel()
	<-a.large.ended
	a.large = nil
}

// wishLarge opens the door when the agent was told to or the person wishes it. That it cannot be is no reason not to
// serve everything else: it is said, and tried again when the person asks.
func (a *Agent) wishLarge() {
	a.doors.Lock()
	defer a.doors.Unlock()
	a.largeHeld = nil
	address := a.config.LargeDocuments
	if address == "" && a.settings.get().Large {
		address = a.config.LargeSwitch
	}
	if address == "" {
		a.closeLarge()
		return
	}
	if a.largeHeld = a.openLarge(address); a.largeHeld != nil {
		a.log.Warn("large documents are not signed", "err", a.largeHeld)
	}
}

// LargeError is why large documents cannot be signed though they should be; nil when they can, or should not.
func (a *Agent) LargeError() error {
	a.doors.Lock()
	defer a.doors.Unlock()
	return a.largeHeld
}

// serve answers until ctx ends.
func (l *large) serve(ctx context.Context) {
	defer close(l.ended)
	server := &http.Server{
		Handler: http.HandlerFunc(l.answer), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(l.agent.log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if t, ok := c.(*tls.Conn); ok {
				c = t.NetConn()
			}
			return context.WithValue(ctx, wireKey{}, c)
		},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Who is at the other end is looked at before he can hold a place.
		_ = server.Serve(newMux(ctx, mux{
			Listener: l.listener, log: l.agent.log, config: l.agent.authority.config(), most: maxLargeOpen,
			welcome: func(c net.Conn) error {
				_, err := l.agent.checkPeer(c)
				return err
			},
		}))
	}()
	<-ctx.Done()
	_ = server.Close()
	<-done
}

// answer is the door. Only the page that asks learns the answer: never every origin, never none.
func (l *large) answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if err := l.paced(w).begin(); err != nil {
		return // the connection is gone
	}
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil || r.TLS == nil || port != l.port || name != "127.0.0.1" && name != "localhost" {
		h.Set("Connection", "close")
		http.Error(w, "this is not the host you asked for", http.StatusMisdirectedRequest)
		return
	}
	c, ok := r.Context().Value(wireKey{}).(net.Conn)
	if !ok {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	if _, err := l.agent.checkPeer(c); err != nil {
		http.Error(w, "another user's program", http.StatusForbidden)
		return
	}
	s := siteOf(r.Header.Get("Origin"))
	h.Set("Vary", "Origin")
	welcome := (s.Class == "secure" || s.Class == "local") && len(r.Header.Values("Origin")) == 1 && !l.agent.isMine(s.Origin)
	if welcome {
		h.Set("Access-Control-Allow-Origin", s.Origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/":
		_, _ = io.WriteString(w, "Senim\n")
	case !welcome:
		http.Error(w, "not for this origin", http.StatusForbidden)
	case r.Method == http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
			h.Set("Access-Control-Allow-Private-Network", "true")
		}
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodPost:
		http.Error(w, "GET and POST only", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		l.begin(w, r, s)
	default:
		l.document(w, r, s)
	}
}

func (a *Agent) isMine(origin string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.mine[origin]
}

// operation is the consent to sign some documents that come later.
type operation struct {
	id, cookie  string
	site        site
	of          int
	base64      bool
	encapsulate bool
	signer      *largeTask
	ctx         context.Context //nolint:containedctx // it ends with the window, whose consent the operation is
}

// begin shows the window; its answer comes with the person's, the documents come after it.
func (l *large) begin(w http.ResponseWriter, r *http.Request, s site) {
	in := struct {
		Number      int   `json:"numberOfDocuments"`
		Base64      bool  `json:"base64"`
		Encapsulate *bool `json:"encapsulateContent"`
	}{}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil || in.Number < 1 {
		http.Error(w, "numberOfDocuments, base64 and encapsulateContent are expected", http.StatusBadRequest)
		return
	}
	if l.paced(w).read() != nil { // now the person has his time
		return
	}
	op := &operation{id: secret(), cookie: secret(), site: s, of: in.Number, base64: in.Base64, encapsulate: in.Encapsulate == nil || *in.Encapsulate}
	ctx, cancel := context.WithCancel(l.ctx)
	op.ctx = ctx
	task := newLargeTask(op)
	if !l.add(op) {
		cancel()
		http.Error(w, "too many operations", http.StatusTooManyRequests)
		return
	}
	ended := make(chan struct{})
	if !l.agent.crew.join() {
		cancel()
		l.drop(op.id)
		http.Error(w, "the agent ends", http.StatusServiceUnavailable)
		return
	}
	go func() {
		defer l.agent.crew.leave()
		defer close(ended)
		defer cancel()
		defer l.drop(op.id)
		out := l.agent.show(ctx, s, acceptLanguage(r), task)
		l.agent.log.Info("request", "origin", s.Origin, "module", "large", "method", "sign", "result", fmt.Sprintf("done=%v", out.done))
	}()
	select {
	case <-task.started:
		http.SetCookie(w, &http.Cookie{Name: largeCookie, Value: op.cookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode}) //nolint:gosec // pages of other sites are whom it is for
		_, _ = io.WriteString(w, op.id)
	case <-ended:
		http.Error(w, "cancelled", http.StatusConflict)
	case <-r.Context().Done(): // the page or the agent went
		cancel()
	}
}

func (l *large) add(op *operation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ops) >= maxOperations {
		return false
	}
	l.ops[op.id] = op
	return true
}

func (l *large) drop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ops, id)
}

// find gives the operation a document belongs to: by its id, its cookie and the page it was begun for.
func (l *large) find(r *http.Request, s site) *operation {
	l.mu.Lock()
	op := l.ops[strings.TrimPrefix(r.URL.Path, "/")]
	l.mu.Unlock()
	if op == nil || op.site.Origin != s.Origin || op.ctx.Err() != nil {
		return nil
	}
	for _, c := range r.CookiesNamed(largeCookie) { // cookies are shared by the ports of a host
		if subtle.ConstantTimeCompare([]byte(c.Value), []byte(op.cookie)) == 1 {
			return op
		}
	}
	return nil
}

// document signs one document of an operation.
func (l *large) document(w http.ResponseWriter, r *http.Request, s site) {
	op := l.find(r, s)
	if op == nil {
		http.Error(w, "cancelled", http.StatusUnauthorized)
		return
	}
	if !l.agent.crew.join() {
		http.Error(w, "cancelled", http.StatusUnauthorized)
		return
	}
	defer l.agent.crew.leave()
	pace := l.paced(w)
	out, err := op.signer.sign(l.agent, pace.reader(r.Body))
	if err == nil {
		defer out.close()
		err = pace.read()
	} else { // what is left of it is not waited for
		w.Header().Set("Connection", "close")
	}
	switch {
	case op.ctx.Err() != nil, errors.Is(err, errNotWanted):
		http.Error(w, "cancelled", http.StatusUnauthorized)
		return
	case err != nil:
		op.signer.lost()
		l.agent.log.Warn("large document", "origin", s.Origin, "result", "failed")
		http.Error(w, "the document was not signed", http.StatusInternalServerError)
		return
	}
	if !op.signer.wanted() {
		http.Error(w, "cancelled", http.StatusUnauthorized)
		return
	}
	if op.base64 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	} else {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	if out.writeTo(pace.writer(w), op.base64) != nil {
		op.signer.lost()
		return
	}
	op.signer.finished()
}

// paced lets a document come and go in its own time, but not stand still, and not for ever.
type paced struct {
	connection *http.ResponseController
	pause      time.Duration
	end        time.Time
}

func (l *large) paced(w http.ResponseWriter) paced {
	return paced{http.NewResponseController(w), cmp.Or(l.agent.config.pause, largePause), time.Now().Add(largeWhole)}
}

// begin gives a request its first time; what an earlier one on the connection was given is over.
func (p paced) begin() error {
	return errors.Join(p.connection.SetWriteDeadline(time.Time{}), p.connection.SetReadDeadline(p.next()))
}

// read notes that all was read: from now on only the peer's going is waited for.
func (p paced) read() error { return p.connection.SetReadDeadline(time.Time{}) }

// next is when the next piece is due.
func (p paced) next() time.Time {
	due := time.Now().Add(p.pause)
	if due.After(p.end) {
		return p.end
	}
	return due
}

type pacedReader struct {
	paced
	io.Reader
}

func (p paced) reader(r io.Reader) io.Reader { return pacedReader{p, r} }

func (r pacedReader) Read(b []byte) (int, error) {
	if err := r.connection.SetReadDeadline(r.next()); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}

type pacedWriter struct {
	paced
	io.Writer
}

func (p paced) writer(w io.Writer) io.Writer { return pacedWriter{p, w} }

func (w pacedWriter) Write(b []byte) (int, error) {
	if err := w.connection.SetWriteDeadline(w.next()); err != nil {
		return 0, err
	}
	return w.Writer.Write(b)
}
