package agent

import (
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"
)

// Bounds of connections: of one origin, of one registrable domain, and of all together.
const (
	maxSockets       = 32
	maxDomainSockets = 64
	maxAllSockets    = 256
)

// seat is the place a connection has among all. Its members but origin and domain are under the agent's mu.
type seat struct {
	origin, domain string
	rests          time.Time // since it has nothing under way
	busy           int       // requests that are read, wait or are answered
	asked          bool      // there was one
	end            func()    // takes the connection away; nil while it is being made
}

// connect gives a new connection its place. Otherwise the status says why not: the origin is one of our windows, it or its
// domain has too many, or all together are too many and none of them rests.
func (a *Agent) connect(origin string) (*seat, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mine[origin] {
		return nil, http.StatusForbidden
	}
	p := &seat{origin: origin, domain: siteOf(origin).domain(), rests: a.now()}
	places := map[string]int{}
	for _, other := range a.seats {
		places[other.domain]++
	}
	if s := a.origins[origin]; s != nil && s.sockets >= maxSockets || places[p.domain] >= maxDomainSockets {
		return nil, http.StatusTooManyRequests
	}
	if len(a.seats) >= maxAllSockets && !a.makeRoom(places, places[p.domain]) {
		return nil, http.StatusServiceUnavailable
	}
	a.state(origin).sockets++
	a.seats = append(a.seats, p)
	return p, 0
}

// makeRoom takes the place of a connection that has nothing under way, from the domain that has most, when that is more than
// the newcomer's has: the one that never asked anything, or rests for longest; among equals, only one that never asked.
func (a *Agent) makeRoom(places map[string]int, mine int) bool {
	var out *seat
	for _, p := range a.seats {
		n := places[p.domain]
		switch {
		case p.busy > 0 || p.end == nil || n <= mine || n == 1 && p.asked:
		case out == nil || n > places[out.domain], n == places[out.domain] && (out.asked && !p.asked || out.asked == p.asked && p.rests.Before(out.rests)):
			out = p
		}
	}
	if out == nil {
		return false
	}
	a.log.Warn("a connection at rest gives way", "origin", out.origin)
	a.unseat(out)
	out.end()
	return true
}

// unseat gives a place back, once; called under mu.
func (a *Agent) unseat(p *seat) {
	at := slices.Index(a.seats, p)
	if at < 0 {
		return
	}
	a.seats = slices.Delete(a.seats, at, at+1)
	s := a.state(p.origin)
	s.sockets--
	if s.cancels = recent(s.cancels, a.now()); s.sockets == 0 && len(s.cancels) == 0 && !a.now().Before(s.blocked) {
		delete(a.origins, p.origin)
	}
}

func (a *Agent) disconnect(p *seat) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unseat(p)
}

// takesPlace says how a connection is taken away when another needs its place.
func (t *talk) takesPlace() {
	a := t.agent
	a.mu.Lock()
	defer a.mu.Unlock()
	t.seat.end = func() {
		if !a.crew.join() {
			return
		}
		go func() {
			defer a.crew.leave()
			_ = t.socket.Close(websocket.StatusTryAgainLater, "room is needed")
		}()
	}
}

// begins notes that something is read; rests that it was answered, and whether it was a request.
func (t *talk) begins() {
	t.agent.mu.Lock()
	defer t.agent.mu.Unlock()
	t.seat.busy++
}

func (t *talk) rests(asked bool) {
	t.agent.mu.Lock()
	defer t.agent.mu.Unlock()
	t.seat.busy--
	if asked {
		t.seat.asked, t.seat.rests = true, t.agent.now()
	}
}
