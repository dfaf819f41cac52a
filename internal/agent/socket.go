package agent

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// Bounds of one connection.
const (
	maxMessage = 64 << 20 // see also the bounds of the budget
	maxQueued  = 32       // requests that wait for their turn
	perSecond  = 20
)

// answer is the door: every request, also the one that becomes a socket, comes through here.
func (a *Agent) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !a.ourHost(r.Host) { // a name rebound to our address: security.md §8
		w.Header().Set("Connection", "close")
		http.Error(w, "this is not the host you asked for", http.StatusMisdirectedRequest)
		return
	}
	c, ok := r.Context().Value(wireKey{}).(*wire)
	if !ok {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	p, err := a.checkPeer(c.Conn)
	if err != nil {
		a.log.Warn("peer refused", "why", err)
		w.Header().Set("Connection", "close")
		http.Error(w, "another user's program", http.StatusForbidden)
		return
	}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		a.upgrade(w, r, c, p)
		return
	}
	if r.URL.Path != "/" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	a.greet(w, r)
}

func (a *Agent) ourHost(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil || port != a.port {
		return false
	}
	return name == "127.0.0.1" || name == "localhost" || name == "::1"
}

// greet is the page people open by hand: when it came over TLS, the certificate is trusted; else it leads there.
func (a *Agent) greet(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	tag := lang.Accept(r.Header.Get("Accept-Language"))
	said := tag.Text("agent.alive.text")
	if r.TLS == nil {
		address := "https://" + r.Host + "/" // one of our own names: see ourHost
		said = tag.Text("agent.alive.plain") + ` <a href="` + address + `">` + address + `</a>`
	}
	text := `<!doctype html><html lang="` + string(tag) + `"><meta charset="utf-8"><title>Senim</title><h1>` +
		tag.Text("agent.alive.title") + `</h1><p>` + said + "</p></html>\n"
	_, _ = w.Write([]byte(text)) //nolint:gosec // one of three languages, our own texts and names
}

// upgrade turns the request into a socket; the greeting leaves in the same write as the answer.
func (a *Agent) upgrade(w http.ResponseWriter, r *http.Request, c *wire, p peer) {
	origins := r.Header.Values("Origin")
	if len(origins) > 1 {
		http.Error(w, "two origins", http.StatusForbidden)
		return
	}
	origin := r.Header.Get("Origin")
	if len(origins) == 1 && origin == "" {
		origin = "null" // an empty header is not a native program
	}
	place, status := a.connect(origin)
	if status != 0 {
		a.log.Warn("connection refused", "origin", origin, "status", status)
		text := "not for this origin"
		if status != http.StatusForbidden {
			text = "too many connections"
		}
		http.Error(w, text, status)
		return
	}
	defer a.disconnect(place)
	s := siteOf(origin)
	if s.Class == "program" {
		s.Program, s.Ours = p.program(), p.ours()
	}
	if !a.crew.join() {
		http.Error(w, "the agent ends", http.StatusServiceUnavailable)
		return
	}
	defer a.crew.leave()
	c.cork()
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, //nolint:forbidigo // no TLS here: it is the package's own check of origins, which ours above replaces
	})
	if err != nil {
		_ = c.uncork()
		return
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(-1) // the budget has the bound, and closes in our words
	t := &talk{agent: a, socket: socket, seat: place, site: s, share: share{origin: origin}, locale: string(lang.Accept(r.Header.Get("Accept-Language")))}
	ctx := r.Context()
	if err := t.write(ctx, ncalayer.Greeting()); err != nil {
		return
	}
	if err := c.uncork(); err != nil {
		return
	}
	t.takesPlace()
	t.run(ctx)
}

// talk is one connection.
type talk struct {
	agent  *Agent
	socket *websocket.Conn
	seat   *seat
	site   site
	share  share               // of what all requests may hold in memory
	locale string              // of commonUtils.changeLocale; only the worker touches it
	held   map[string]held     // of the Applet, by path or slot; only the worker touches it
	slots  map[string][]string // of the Applet: tokens in the order they were named, by storage; only the worker touches it
	picked map[string]bool     // paths the person picked in our chooser; only the worker touches it
	// outgoing is the reply of the request that was just handled when it is not in memory; only the worker touches it
	outgoing *outgoing
}

func (t *talk) write(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return t.socket.Write(ctx, websocket.MessageText, frame)
}

// stream writes a frame that is not held in memory. One that cannot be written to its end ends the connection.
func (t *talk) stream(ctx context.Context, write func(io.Writer) error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	w, err := t.socket.Writer(ctx, websocket.MessageText)
	if err == nil {
		out := bufio.NewWriterSize(w, 64<<10)
		if err = write(out); err == nil {
			err = errors.Join(out.Flush(), w.Close())
		}
	}
	if err != nil {
		_ = t.socket.CloseNow()
	}
	return err
}

// run reads frames until the connection ends. Heartbeats are echoed at once; requests are answered
// one after another by a worker, in the order they came. When the peer goes, its window goes.
func (t *talk) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	frames := make(chan []byte, maxQueued)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.work(ctx, frames)
	}()
	defer func() { cancel(); close(frames); <-done; t.agent.budget.leave(&t.share) }()
	for {
		frame, err := t.next(ctx, cancel)
		switch {
		case errors.Is(err, errBusy):
			t.agent.log.Warn("no room for a message", "origin", t.site.Origin)
			_ = t.socket.Close(websocket.StatusTryAgainLater, "too much at once")
			return
		case errors.Is(err, websocket.ErrMessageTooBig):
			_ = t.socket.Close(websocket.StatusMessageTooBig, "a message has at most 64 MiB")
			return
		case err != nil:
			return
		}
		if string(frame) == ncalayer.Heartbeat {
			t.agent.budget.give(&t.share, int64(cap(frame)))
			t.rests(false)
			if t.write(ctx, frame) != nil {
				return
			}
			continue
		}
		select {
		case frames <- frame:
		default:
			t.agent.log.Warn("flooded", "origin", t.site.Origin)
			_ = t.socket.Close(websocket.StatusPolicyViolation, "too many requests at once")
			return
		}
	}
}

// next reads one message; one that does not end in time ends the connection.
func (t *talk) next(ctx context.Context, end func()) ([]byte, error) {
	_, r, err := t.socket.Reader(ctx)
	if err != nil {
		return nil, err
	}
	t.begins()
	return t.agent.budget.receive(ctx, &t.share, r, end)
}

func (t *talk) work(ctx context.Context, frames <-chan []byte) {
	allowance, last := float64(perSecond), time.Now()
	for frame := range frames {
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		allowance = min(perSecond, allowance+now.Sub(last).Seconds()*perSecond)
		last = now
		if allowance < 1 {
			select {
			case <-time.After(time.Second / perSecond):
			case <-ctx.Done():
				return
			}
		}
		allowance--
		reply := t.handle(ctx, frame)
		if out := t.outgoing; out != nil {
			t.outgoing = nil
			err := t.stream(ctx, out.write)
			out.close()
			if err != nil {
				return
			}
		}
		if reply != nil && ctx.Err() == nil && t.write(ctx, reply) != nil {
			return
		}
		t.agent.budget.give(&t.share, int64(cap(frame)))
		t.rests(true)
	}
}
