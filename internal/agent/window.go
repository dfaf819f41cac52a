package agent

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// Times of a window.
const (
	tokenLife  = 60 * time.Second
	windowIdle = 10 * time.Minute
)

// task is what a window is open for. Its methods are called under the window's mutex.
type task interface {
	kind() string // sign, info, generate, install, list, generate-many, sign-many, install-many, renew, password, backup or refused
	wish() wish   // which keys fit; the zero wish for kinds that choose none
	show(w *window, v *View)
	// decide does the act. A problem keeps the window open; so does the outcome of a step that is not
	// the last, after which the page sends the same decision again. Otherwise outcome is the end.
	decide(ctx context.Context, w *window, d Decision) (outcome, *Problem)
}

// Decision is what the person chose, as POST /decide carries it.
type Decision struct {
	Key          string   `json:"key"`
	Keys         []string `json:"keys"`
	Folder       string   `json:"folder"`
	NewPassword  string   `json:"newPassword"`
	NewPassword2 string   `json:"newPassword2"`
	Confirm      bool     `json:"confirm"`
	Password     string   `json:"password"` // kinds password and backup
	Code         string   `json:"code"`     // of the cabinet's second factor
}

// Problem is something the person can put right.
type Problem struct {
	Code  string `json:"code"`
	Field string `json:"field,omitempty"` // id of the element it belongs to
	Text  string `json:"text"`
}

// outcome is how a window ended. The zero outcome is "cancelled".
type outcome struct {
	done   bool
	result any   // of a success
	err    error // of a failure
	at, of int   // steps done, of how many, when more are to come
}

// window is one consent: a page on an origin of its own, served only while it is open.
type window struct {
	agent  *Agent
	site   site
	lang   lang.Tag
	task   task
	origin string
	end    chan outcome
	touch  chan struct{}

	mu     sync.Mutex
	token  string                   // good for one page
	until  time.Time                // under mu: the token is good before
	key    string                   // under mu: of the page that took the token; "" before
	files  []keystore.File          // under mu
	opened map[string]*keystore.Key // under mu
	ended  bool                     // under mu
}

func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}

// show opens the window for a task and waits for its end. The zero outcome is: cancelled, withdrawn,
// timed out, or too many windows wanted.
func (a *Agent) show(ctx context.Context, s site, tag lang.Tag, t task) outcome {
	if a.blocked(s.Origin) || !a.desk.enter(ctx) {
		return outcome{}
	}
	defer a.desk.leave()
	if ctx.Err() != nil {
		return outcome{}
	}
	w := &window{
		agent: a, site: s, lang: tag, task: t, end: make(chan outcome, 1), touch: make(chan struct{}, 1),
		token: secret(), until: a.now().Add(tokenLife), opened: map[string]*keystore.Key{}, files: append(a.onTokens(), keystore.Scan(a.watched())...),
	}
	out, err := w.serve(ctx)
	if err != nil {
		a.log.Error("window", "err", err)
		return outcome{}
	}
	if !out.done && out.err == nil {
		a.canceled(s.Origin)
	}
	return out
}

// serve runs the window's own server until the window ends.
func (w *window) serve(ctx context.Context) (outcome, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return outcome{}, err
	}
	w.origin = "http://" + listener.Addr().String()
	w.agent.mu.Lock()
	w.agent.mine[w.origin] = true
	w.agent.mine["http://localhost:"+strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)] = true
	w.agent.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: http.HandlerFunc(w.answer), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		ErrorLog:       slog.NewLogLogger(w.agent.log.Handler(), slog.LevelDebug),
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, wireKey{}, c) },
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	stop, err := w.agent.config.Browser(w.origin + "/#" + w.token)
	if err != nil {
		_ = server.Close()
		<-served
		return outcome{}, err
	}
	out := w.wait(ctx)
	w.mu.Lock()
	w.ended = true
	for _, k := range w.opened {
		if err := k.Close(); err != nil {
			w.agent.log.Warn("a token was not let go", "err", err)
		}
	}
	clear(w.opened)
	w.mu.Unlock()
	grace, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	_ = server.Shutdown(grace) // the last answer still reaches the page
	_ = server.Close()
	<-served
	if stop != nil {
		stop()
	}
	return out, nil
}

// wait ends with the window: by a decision, by the page's owner going away, or by time. A window
// nobody opened within a minute, or nobody touched for ten, cancels itself.
func (w *window) wait(ctx context.Context) outcome {
	limit := time.NewTimer(tokenLife)
	defer limit.Stop()
	for {
		select {
		case out := <-w.end:
			return out
		case <-w.touch:
			limit.Reset(windowIdle)
		case <-limit.C:
			return outcome{}
		case <-ctx.Done():
			return outcome{}
		}
	}
}

// finish ends the window once; called under mu.
func (w *window) finish(out outcome) {
	if w.ended {
		return
	}
	w.ended = true
	w.end <- out
}

func (w *window) file(id string) (keystore.File, bool) {
	for _, f := range w.files {
		if f.ID == id {
			return f, true
		}
	}
	return keystore.File{}, false
}
