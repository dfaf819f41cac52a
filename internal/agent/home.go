package agent

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"senim/internal/lang"
	"senim/pki"
)

// homeWish asks for the agent's own page.
type homeWish struct {
	lang lang.Tag // "" is the person's own choice
	// page: a web page of this origin wishes it; a page of the agent's that is open already stays as it is.
	page   bool
	origin string
	act    Act    // instead of the page: an act that opens a window of its own
	part   string // which the page begins with; "" is the keys
}

// offered lists the acts that can be done from the page.
func (a *Agent) offered() []Act {
	list := []Act{}
	for _, act := range ownActs {
		if a.acts[act] != nil {
			list = append(list, act)
		}
	}
	return list
}

// ShowHome opens the agent's own page: keys, calendar, sites, folders. It does not wait; of several
// wishes at once the last one holds.
func (a *Agent) ShowHome(tag lang.Tag) { a.wishHome(homeWish{lang: tag}) }

func (a *Agent) wishHome(w homeWish) {
	for {
		select {
		case a.homes <- w:
			return
		default:
		}
		if w.page {
			return
		}
		select { // the person's wish goes before a site's
		case <-a.homes:
		default:
		}
	}
}

// settingsWished is a site's wish to open the agent's page. A blocked site opens nothing.
func (a *Agent) settingsWished(s site, tag lang.Tag) {
	if !a.blocked(s) {
		a.wishHome(homeWish{lang: tag, page: s.Class != "program", origin: s.Origin})
	}
}

// attend shows the agent's page when it is wished, one at a time, until ctx ends.
func (a *Agent) attend(ctx context.Context) {
	var open, acts sync.WaitGroup
	defer acts.Wait()
	defer open.Wait()
	closeLast := func() {}
	defer func() { closeLast() }()
	done := make(chan struct{})
	close(done)
	for {
		var w homeWish
		select {
		case <-ctx.Done():
			return
		case w = <-a.homes:
		}
		if act := a.acts[w.act]; act != nil {
			acts.Go(func() { act(ctx, w.lang) })
			continue
		}
		if w.page {
			select {
			case <-done:
			default:
				continue // it is open
			}
			if !a.quiet.opens(w.origin, a.now()) {
				continue
			}
		}
		closeLast()
		open.Wait()
		tag := w.lang
		if own, ok := lang.Parse(a.settings.get().Lang); ok || tag == "" {
			if tag = own; !ok {
				tag = lang.RU
			}
		}
		inner, cancel := context.WithCancel(ctx)
		closeLast, done = cancel, make(chan struct{})
		ended := done
		a.wake(true)
		open.Go(func() {
			defer close(ended)
			look, enough := context.WithCancel(inner)
			defer enough()
			h := &home{door: a.newDoor(), wisher: w.origin, part: w.part, lang: tag, end: make(chan struct{}), looked: make(chan struct{})}
			h.again = "home.token_twice"
			a.lookers.Go(func() { // beside the page: a driver may take its time
				a.onTokens()
				close(h.looked)
				a.lookOut(look)
			})
			if err := h.open(inner, http.HandlerFunc(h.answer), func(ctx context.Context) { h.wait(ctx); h.linger(ctx) }); err != nil {
				a.log.Error("the agent's page", "err", err)
			}
		})
	}
}

// home is the agent's own page while it is open. It signs nothing and gives no site anything. Its calls may come while
// another waits for the network or for a driver.
type home struct {
	*door
	wisher string        // the site that wished it; "" is the person
	part   string        // which it begins with
	end    chan struct{} // closed when the page is over
	looked chan struct{} // closed after the first look at the tokens

	mu      sync.Mutex // of the fields alone: never held while something is waited for
	lang    lang.Tag   // under mu
	ended   bool       // under mu
	chooser *Listing   // under mu: of the file of a driver
	// offered is an authority the person looks at, who may add it; under mu
	offered *pki.Certificate
}

// lookFirst is how long the page waits for the first look at the tokens: it shows them later then.
const lookFirst = 2 * time.Second

// first gives the first look at the tokens a moment.
func (h *home) first(ctx context.Context) {
	late := time.NewTimer(h.agent.lookFirst)
	defer late.Stop()
	select {
	case <-h.looked:
	case <-late.C:
	case <-ctx.Done():
	}
}

// wait ends with the page: it was closed, nobody opened it within a minute, or it went silent.
func (h *home) wait(ctx context.Context) {
	limit := time.NewTimer(tokenLife)
	defer limit.Stop()
	for {
		select {
		case <-h.touch:
			limit.Reset(homeIdle)
		case <-h.anew:
			limit.Reset(tokenLife)
		case <-h.end:
			return
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// homeIdle is how long the page may be left alone.
const homeIdle = 10 * time.Minute

func (h *home) answer(rw http.ResponseWriter, r *http.Request) {
	if !h.admit(rw, r) {
		return
	}
	if r.Method == http.MethodGet {
		asset(rw, r, "home")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	defer func() { clear(body) }() // it may hold a password
	if err != nil {
		reply(rw, http.StatusRequestEntityTooLarge, problem(&Problem{Code: "too_large", Text: "too large"}))
		return
	}
	if !h.agent.crew.join() { // the agent ends after what the page began
		h.problem(rw, http.StatusGone, "over", "")
		return
	}
	defer h.agent.crew.leave()
	switch {
	case h.over():
		h.gone(rw, h.holds(r), h.tag())
		return
	case r.URL.Path == "/open":
		h.begin(rw, body, h.tag(), h.finish, func() any { h.first(r.Context()); return h.view() })
		return
	case !h.holds(r):
		h.problem(rw, http.StatusForbidden, "no_key", "")
		return
	case r.URL.Path == "/alive":
		_, came := h.agent.listsNow()
		_, turn := h.agent.seenTurn()
		reply(rw, http.StatusOK, struct {
			Listed int `json:"listed"`
			Turn   int `json:"turn"`
		}{came, turn})
		return
	}
	h.touched()
	h.call(r.Context(), rw, r.URL.Path, body)
}

func (h *home) problem(rw http.ResponseWriter, status int, code, field string) {
	reply(rw, status, problem(&Problem{code, field, h.tag().Text("agent.problem." + code)}))
}

// tag is the language of the page now.
func (h *home) tag() lang.Tag {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lang
}

func (h *home) over() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// finish closes the page.
func (h *home) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.end)
	}
}
