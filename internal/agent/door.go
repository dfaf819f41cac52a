package agent

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"senim/internal/lang"
)

// tokenLife is how long the token of a page is good.
const tokenLife = 60 * time.Second

// showTime is how long a browser may take to open the page before the next one is tried: a disk that turns starts one
// in ten seconds.
const showTime = 20 * time.Second

// policy is what a page of the agent's own may do: talk to itself, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// door is an origin of its own for one page: a server on a free loopback port, a token that is good
// once, and the key which the page gets for it.
type door struct {
	agent  *Agent
	origin string
	touch  chan struct{} // the person did something
	anew   chan struct{} // the token was replaced
	opened chan struct{} // closed when a page took the token
	again  string        // the text for a token that came twice

	latch sync.Mutex
	token string    // under latch: good for one page
	until time.Time // under latch: the token is good before
	key   string    // under latch: of the page that took the token; "" before
	// twice is of a token that came again, closed when the page that took it was told; under latch, nil before.
	twice chan struct{}
}

func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}

func (a *Agent) newDoor() *door {
	return &door{agent: a, token: secret(), until: a.now().Add(tokenLife), touch: make(chan struct{}, 1), anew: make(chan struct{}, 1), opened: make(chan struct{}), again: "agent.problem.token_twice"}
}

// address is that of the page, with the token in it.
func (d *door) address() string {
	d.latch.Lock()
	defer d.latch.Unlock()
	return d.origin + "/#" + d.token
}

// renew puts another token in the place of one that no page took; false when one did.
func (d *door) renew() bool {
	d.latch.Lock()
	defer d.latch.Unlock()
	if d.key != "" {
		return false
	}
	d.token, d.until = secret(), d.agent.now().Add(tokenLife)
	select {
	case d.anew <- struct{}{}:
	default:
	}
	return true
}

// open serves the page until wait returns: it shows the page first, and lets the last answer reach it. What was begun
// for the page ends with the context of its requests, which is wait's.
func (d *door) open(ctx context.Context, handler http.Handler, wait func(ctx context.Context)) error {
	listener, err := listenConfig().Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.origin = "http://" + listener.Addr().String()
	d.agent.mu.Lock()
	d.agent.mine[d.origin] = true
	d.agent.mine["http://localhost:"+strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)] = true
	d.agent.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		ErrorLog:       slog.NewLogLogger(d.agent.log.Handler(), slog.LevelDebug),
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, wireKey{}, c) },
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	stop, err := d.show(ctx)
	if err != nil {
		_ = server.Close()
		<-served
		return err
	}
	wait(ctx)
	cancel()
	grace, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	_ = server.Shutdown(grace)
	_ = server.Close()
	<-served
	if stop != nil {
		stop()
	}
	return nil
}

// show has the page shown. stop, which may be nil, is for when it is over.
func (d *door) show(ctx context.Context) (stop func(), err error) {
	if d.agent.config.Browser != nil {
		return d.agent.config.Browser(d.address())
	}
	var trying sync.WaitGroup
	trying.Go(func() { d.try(ctx) })
	return trying.Wait, nil
}

// try shows the page by one way after the other until a page takes the token, or the page is over. Each way has a token of its
// own: what a slow browser shows in the end is no second window.
func (d *door) try(ctx context.Context) {
	for _, way := range d.agent.ways() {
		ended, err := way.Show(d.address())
		if err == nil && d.shown(ctx, ended) {
			d.agent.bestWay(way)
			return
		}
		if ctx.Err() != nil || !d.renew() {
			return
		}
		d.agent.log.Warn("a browser has not shown a window", "program", filepath.Base(way.Program))
	}
	if d.agent.config.Unseen != nil {
		d.agent.config.Unseen(d.address())
	}
}

// shown waits until the page is open: false when the program ended badly first, or time is over.
func (d *door) shown(ctx context.Context, ended <-chan error) bool {
	late := time.NewTimer(d.agent.showTime)
	defer late.Stop()
	for {
		select {
		case <-d.opened:
			return true
		case <-ctx.Done():
			return false
		case err := <-ended:
			if err != nil {
				return false
			}
			ended = nil // it told one that runs already
		case <-late.C:
			return false
		}
	}
}

// ways are how a window can be shown, that which showed the last one first.
func (a *Agent) ways() []Way {
	list := a.config.Ways()
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.SortStableFunc(list, func(x, y Way) int {
		switch {
		case x.Program == a.shownBy && y.Program != a.shownBy:
			return -1
		case y.Program == a.shownBy && x.Program != a.shownBy:
			return 1
		}
		return 0
	})
	return list
}

func (a *Agent) bestWay(w Way) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shownBy = w.Program
}

// admit checks who is at the door: host, user, origin, kind of fetch. False: it was answered.
func (d *door) admit(rw http.ResponseWriter, r *http.Request) bool {
	h := rw.Header()
	for name, value := range map[string]string{
		"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
	} {
		h.Set(name, value)
	}
	status := d.status(r)
	if status != 0 {
		http.Error(rw, "not for you", status)
	}
	return status == 0
}

// status is what a stranger is answered; zero is welcome.
func (d *door) status(r *http.Request) int {
	if "http://"+r.Host != d.origin {
		return http.StatusMisdirectedRequest
	}
	c, ok := r.Context().Value(wireKey{}).(net.Conn)
	if !ok {
		return http.StatusForbidden
	}
	if _, err := d.agent.checkPeer(c); err != nil {
		return http.StatusForbidden
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != d.origin {
		return http.StatusForbidden
	}
	fetch, dest := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-Dest")
	switch r.Method {
	case http.MethodGet:
		if fetch != "" && fetch != "none" && fetch != "same-origin" || dest == "iframe" || dest == "frame" || dest == "embed" || dest == "object" {
			return http.StatusForbidden
		}
	case http.MethodPost:
		if fetch != "" && fetch != "same-origin" || fetch != "" && r.Header.Get("Origin") == "" {
			return http.StatusForbidden
		}
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			return http.StatusUnsupportedMediaType
		}
	default:
		return http.StatusMethodNotAllowed
	}
	return 0
}

// take exchanges the one-time token for a key: code is "" then, else bad_token, token_twice (somebody
// else saw the token, whoever was first) or token_late.
func (d *door) take(token string) (code string) {
	d.latch.Lock()
	defer d.latch.Unlock()
	switch {
	case subtle.ConstantTimeCompare([]byte(token), []byte(d.token)) != 1:
		return "bad_token"
	case d.key != "":
		if d.twice == nil {
			d.twice = make(chan struct{})
		}
		return "token_twice"
	case !d.agent.now().Before(d.until):
		return "token_late"
	}
	d.key = secret()
	close(d.opened)
	return ""
}

// begin answers the page that brings the token with its key and its view. One that comes twice was seen
// by somebody else: spoil ends what the page is open for, whoever was first.
func (d *door) begin(rw http.ResponseWriter, body []byte, tag lang.Tag, spoil func(), view func() any) {
	var in struct {
		Token string `json:"token"`
	}
	if !read(rw, body, &in) {
		return
	}
	if code := d.take(in.Token); code != "" {
		if code != "bad_token" {
			spoil()
		}
		reply(rw, http.StatusForbidden, problem(d.refusal(code, tag)))
		return
	}
	d.touched()
	reply(rw, http.StatusOK, struct {
		Key  string `json:"key"`
		View any    `json:"view"`
	}{d.key, view()})
}

func (d *door) refusal(code string, tag lang.Tag) *Problem {
	if code == "token_twice" {
		return &Problem{Code: code, Text: tag.Text(d.again)}
	}
	return &Problem{Code: code, Text: tag.Text("agent.problem." + code)}
}

// gone answers a page that is over: the one that took a token which came twice learns just that.
func (d *door) gone(rw http.ResponseWriter, holds bool, tag lang.Tag) {
	code := "over"
	if holds {
		d.latch.Lock()
		if d.twice != nil {
			code = "token_twice"
			select {
			case <-d.twice:
			default:
				close(d.twice)
			}
		}
		d.latch.Unlock()
	}
	reply(rw, http.StatusGone, problem(d.refusal(code, tag)))
}

// tellTwice is how long a page whose token came twice is served on to be told, which asks every three seconds.
const tellTwice = 4 * time.Second

// linger waits, of a token that came twice, until the page that took it was told: it may be waiting, or asks again soon.
func (d *door) linger(ctx context.Context) {
	d.latch.Lock()
	twice := d.twice
	d.latch.Unlock()
	if twice == nil {
		return
	}
	late := time.NewTimer(tellTwice)
	defer late.Stop()
	select {
	case <-twice:
	case <-late.C:
	case <-ctx.Done():
	}
}

// touched puts off the end of a page that is left alone.
func (d *door) touched() {
	select {
	case d.touch <- struct{}{}:
	default:
	}
}

// holds tells whether a request comes from the page that took the token.
func (d *door) holds(r *http.Request) bool {
	d.latch.Lock()
	defer d.latch.Unlock()
	return d.key != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Window-Key")), []byte(d.key)) == 1
}
