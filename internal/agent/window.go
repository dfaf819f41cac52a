package agent

import (
	"context"
	"net/http"
	"sync"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// windowIdle is how long a window nobody touches stays.
const windowIdle = 10 * time.Minute

// task is what a window is open for. Its methods are called under the window's mutex.
type task interface {
	kind() string // sign, info, generate, install, list, generate-many, sign-many, install-many, choose, read, fetch, save, large, stamp, renew, password, backup, compare, notice or refused
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
	door // under mu
	site site
	lang lang.Tag
	task task
	end  chan outcome

	mu     sync.Mutex
	files  []keystore.File          // under mu
	tokens []keystore.PluggedToken  // under mu
	gone   map[string]bool          // under mu: keys whose token was pulled out while the window was open
	turn   int                      // under mu: of the look at the tokens
	stamp  string                   // under mu: of the folders when files were listed; "" keeps the list as it is
	opened map[string]*keystore.Key // under mu
	run    *run                     // under mu: what is being signed now
	ended  bool                     // under mu
}

// show opens the window for a task and waits for its end. The zero outcome is: cancelled, withdrawn,
// timed out, or too many windows wanted.
func (a *Agent) show(ctx context.Context, s site, tag lang.Tag, t task) outcome {
	if _, is := t.(notice); !is {
		a.notices.withdraw() // it makes way
	}
	blocked := func() bool { return !s.own() && a.blocked(s) }
	if blocked() || !a.desk.enter(ctx) {
		return outcome{}
	}
	defer a.desk.leave()
	if ctx.Err() != nil || blocked() { // while it waited
		return outcome{}
	}
	w := &window{
		door: a.newDoor(), site: s, lang: tag, task: t, end: make(chan outcome, 1),
		opened: map[string]*keystore.Key{},
	}
	w.scan()
	out, err := w.serve(ctx)
	if err != nil {
		a.log.Error("window", "err", err)
		return outcome{}
	}
	if !out.done && out.err == nil && ctx.Err() == nil && !s.own() { // the person's no, not the page's
		a.canceled(s)
	}
	if out.done {
		a.quiet.acted(s.Origin)
		a.trusted(s)
	}
	return out
}

// serve runs the window's own server until the window ends.
func (w *window) serve(ctx context.Context) (out outcome, err error) {
	changes := w.stamp != "" // its list of keys may change; nobody is served yet
	err = w.door.open(ctx, http.HandlerFunc(w.answer), func(ctx context.Context) {
		look, enough := context.WithCancel(ctx)
		if changes {
			w.agent.lookers.Go(func() { w.agent.lookOut(look) })
		}
		out = w.wait(ctx)
		enough()
		w.mu.Lock()
		w.ended = true
		if last, ok := w.task.(interface{ over() }); ok {
			last.over()
		}
		run := w.run
		w.mu.Unlock()
		run.stop()
		w.mu.Lock()
		for _, k := range w.opened {
			if err := k.Close(); err != nil {
				w.agent.log.Warn("a token was not let go", "err", err)
			}
		}
		clear(w.opened)
		w.mu.Unlock()
	})
	return out, err
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

// scan lists the key files again; called under mu, or before the window is served. A task may have its own.
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
