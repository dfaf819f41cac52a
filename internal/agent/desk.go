package agent

import (
	"context"
	"slices"
	"strconv"
	"sync"
)

// How many requests wait for the window, of all and of one registrable domain (see [site.domain]); the next one counts as
// cancelled. When all places are taken, one who has none gets that of the last of those who have most.
const (
	maxWaiting     = 8
	maxWaitingSite = 4
)

// desk hands out the one window.
type desk struct {
	slot chan struct{}

	mu   sync.Mutex
	line []*waiter // under mu, in order of coming
}

// waiter is a request that waits for the window.
type waiter struct {
	site site
	out  chan struct{} // closed when it lost its place
}

func newDesk() *desk { return &desk{slot: make(chan struct{}, 1)} }

// enter waits for the window, in order of coming. False: too many wait, or ctx ended.
func (d *desk) enter(ctx context.Context, s site) bool {
	select {
	case d.slot <- struct{}{}:
		return true
	default:
	}
	w := d.join(s)
	if w == nil {
		return false
	}
	defer d.quit(w)
	return d.wait(ctx, w.out)
}

// wait waits for the window without a place in the line, as a notice does, until ctx ends or out is closed.
func (d *desk) wait(ctx context.Context, out <-chan struct{}) bool {
	select {
	case d.slot <- struct{}{}:
		return true
	case <-out:
		return false
	case <-ctx.Done():
		return false
	}
}

// join takes a place in the line; nil when there is none.
func (d *desk) join(s site) *waiter {
	d.mu.Lock()
	defer d.mu.Unlock()
	places, most := map[string]int{}, 0
	for _, w := range d.line {
		n := places[w.site.domain()] + 1
		places[w.site.domain()], most = n, max(most, n)
	}
	mine := places[s.domain()]
	switch {
	case mine >= maxWaitingSite:
		return nil
	case len(d.line) < maxWaiting:
	case mine > 0 || most < 2:
		return nil
	default:
		at := len(d.line) - 1
		for places[d.line[at].site.domain()] < most {
			at--
		}
		close(d.line[at].out)
		d.line = slices.Delete(d.line, at, at+1)
	}
	w := &waiter{s, make(chan struct{})}
	d.line = append(d.line, w)
	return w
}

// quit leaves the line, which has lost this one perhaps.
func (d *desk) quit(w *waiter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line = slices.DeleteFunc(d.line, func(other *waiter) bool { return other == w })
}

func (d *desk) leave() { <-d.slot }

func (d *desk) queue() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.line)
}

// waiting says who waits, in order of coming, and with how many requests.
func (d *desk) waiting(shown func(site) string) (list []Pair) {
	d.mu.Lock()
	defer d.mu.Unlock()
	requests := map[string]int{}
	for _, w := range d.line {
		name := shown(w.site)
		if requests[name]++; requests[name] == 1 {
			list = append(list, Pair{Name: name})
		}
	}
	for i := range list {
		list[i].Value = strconv.Itoa(requests[list[i].Name])
	}
	return list
}
