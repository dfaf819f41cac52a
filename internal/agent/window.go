package agent

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// windowIdle is how long a window nobody touches stays.
const windowIdle = 10 * time.Minute

// task is what a window is open for. Its methods are called in turn.
type task interface {
	kind() string // sign, info, generate, install, list, generate-many, sign-many, install-many, choose, read, fetch, save, large, stamp, renew, password, backup, compare, notice or refused
	wish() wish   // which keys fit; the zero wish for kinds that choose none
	show(w *window, v *View)
	// decide does the act. A problem keeps the window open; so does the outcome of a step that is not
	// the last, after which the page sends the same decision again. Otherwise outcome is the end. ctx ends with the window:
	// what comes of a decision then goes to nobody.
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
	File         string   `json:"file"`     // choose: the path
	SaveAs       string   `json:"saveAs"`   // where the result is written
	Password     string   `json:"password"` // kinds password and backup; generate and install on a token: its PIN
	Code         string   `json:"code"`     // of the cabinet's second factor
	Token        string   `json:"token"`    // generate on a token: which; its PIN is the password
	// Of kind install-many: the passwords that were given when keys were made, by their identifiers, and keys to go on without.
	Passwords map[string]string `json:"passwords"`
	Skip      []string          `json:"skip"`
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
	*door
	site site
	lang lang.Tag
	task task
	end  chan outcome
	ctx  context.Context //nolint:containedctx // the window's own life, which is longer than a request of its page

	// turn is whose it is to look, to open a key or to act. It may be held for long, while a service or a token is waited
	// for: neither the person who cancels nor the end of the window waits for it.
	turn   sync.Mutex
	files  []keystore.File          // in turn
	tokens []keystore.PluggedToken  // in turn
	pulled map[string]bool          // in turn: keys whose token was pulled out while the window was open
	look   int                      // in turn: the look at the tokens that is shown
	left   keystore.Scanned         // in turn: which folders were not looked through
	stamp  string                   // in turn: of the folders when files were listed; "" keeps the list as it is
	opened map[string]*keystore.Key // in turn
	run    *run                     // in turn: what is being signed now

	mu       sync.Mutex
	ended    bool // under mu
	deciding bool // under mu: a decision is being carried out
}

// show opens the window for a task and waits for its end. The zero outcome is: cancelled, withdrawn,
// timed out, or too many windows wanted.
func (a *Agent) show(ctx context.Context, s site, tag lang.Tag, t task) outcome {
	enter := func() bool { return a.desk.enter(ctx, s) }
	if t.kind() == "notice" {
		enter = func() bool { return a.desk.wait(ctx, nil) }
	} else {
		a.notices.withdraw() // it makes way
	}
	if a.unsure(s) {
		a.wishHome(homeWish{lang: tag, page: true, origin: s.Origin}) // there it says why
		return outcome{}
	}
	blocked := func() bool { return !s.own() && a.blocked(s) }
	if blocked() {
		return outcome{}
	}
	if !enter() {
		if ctx.Err() == nil {
			a.log.Warn("too many requests wait for the window", "origin", s.Origin)
		}
		return outcome{}
	}
	left := func() {}
	defer func() { a.desk.leave(); left() }()
	if ctx.Err() != nil || blocked() { // while it waited
		return outcome{}
	}
	a.wake(false)
	w := &window{
		door: a.newDoor(), site: s, lang: tag, task: t, end: make(chan outcome, 1),
		opened: map[string]*keystore.Key{},
	}
	out, err := w.serve(ctx)
	left = func() { a.afterwards(s, w.clear) }
	if err != nil {
		a.log.Error("window", "err", err)
		return outcome{}
	}
	if !out.done && (out.err == nil || errors.Is(out.err, errRefused)) && ctx.Err() == nil && !s.own() { // the person's no, or one more message to be read; not the page's end
		a.canceled(s)
	}
	if out.done {
		a.quiet.acted(s.Origin)
		a.trusted(s)
	}
	return out
}

// afterwards has what a window leaves taken away. That may have to wait for a token or a disk, but no other window has
// to; only the person's own act, which may be all this program is for.
func (a *Agent) afterwards(s site, clear func()) {
	if s.own() || !a.crew.join() {
		clear()
		return
	}
	go func() {
		defer a.crew.leave()
		clear()
	}()
}

// serve runs the window's own server until the window ends. The keys are listed while the browser starts.
func (w *window) serve(ctx context.Context) (out outcome, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.ctx = ctx
	w.turn.Lock()
	w.agent.lookers.Go(func() {
		w.scan()
		follow := w.stamp != ""
		w.turn.Unlock()
		if follow {
			w.agent.lookOut(ctx)
		}
	})
	err = w.open(ctx, http.HandlerFunc(w.answer), func(ctx context.Context) {
		out = w.wait(ctx)
		w.mu.Lock()
		w.ended = true
		w.mu.Unlock()
		cancel()
		w.linger(context.WithoutCancel(ctx)) // whoever asked may be gone: the person is told all the same
		if last, ok := w.task.(interface{ over() }); ok {
			last.over()
		}
	})
	return out, err
}

// clear lets go of what the window held, once nothing is under way any more.
func (w *window) clear() {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.run.stop()
	for _, k := range w.opened {
		if err := k.Close(); err != nil {
			w.agent.log.Warn("a token was not let go", "err", err)
		}
	}
	clear(w.opened)
}

// over tells whether the window ended.
func (w *window) over() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
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
		case <-w.anew:
			limit.Reset(tokenLife)
		case <-limit.C:
			if w.busy() { // it is not the person who is slow
				limit.Reset(windowIdle)
				continue
			}
			return outcome{}
		case <-ctx.Done():
			return outcome{}
		}
	}
}

// finish ends the window once: false when it was over.
func (w *window) finish(out outcome) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	w.ended = true
	w.end <- out
	return true
}

// begins notes that a decision is being carried out, until ends is called.
func (w *window) begins() (ends func()) {
	set := func(to bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.deciding = to
	}
	set(true)
	return func() { set(false) }
}

// busy tells whether a decision is being carried out.
func (w *window) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deciding
}

func (w *window) gone(rw http.ResponseWriter, holds bool) { w.door.gone(rw, holds, w.lang) }

// scan lists the key files again; called in turn. A task may have its own.
func (w *window) scan() {
	if few, ok := w.task.(interface {
		keyFiles() ([]keystore.File, map[string]*keystore.Key)
	}); ok {
		w.files, w.opened = few.keyFiles()
		return
	}
	w.agent.onTokens()
	w.take(w.agent.seenTurn())
}

func (w *window) file(id string) (keystore.File, bool) {
	for _, f := range w.files {
		if f.ID == id {
			return f, true
		}
	}
	return keystore.File{}, false
}
