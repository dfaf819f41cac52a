package agent

import (
	"context"
	"sync"
)

// maxWaiting bounds the requests that wait for the window; the next one counts as cancelled.
const maxWaiting = 8

// desk hands out the one window.
type desk struct {
	slot chan struct{}

	mu      sync.Mutex
	waiting int // under mu
}

func newDesk() *desk { return &desk{slot: make(chan struct{}, 1)} }

// enter waits for the window, in order of coming. False: too many wait, or ctx ended.
func (d *desk) enter(ctx context.Context) bool {
	select {
	case d.slot <- struct{}{}:
		return true
	default:
	}
	d.mu.Lock()
	if d.waiting >= maxWaiting {
		d.mu.Unlock()
		return false
	}
	d.waiting++
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.waiting--
		d.mu.Unlock()
	}()
	select {
	case d.slot <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (d *desk) leave() { <-d.slot }

func (d *desk) queue() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting
}
