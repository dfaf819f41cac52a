package ca

import (
	"context"
	"sync"
	"time"
)

// pace keeps an authority from making lists all the time: a list of a million entries takes seconds,
// and thousands may be revoked meanwhile. OCSP does not wait for lists.
type pace struct {
	mu      sync.Mutex
	waiting bool
	next    time.Time // not before this
}

// wait waits until lists may be made, and returns false at once when another waits already: it reads
// what there is after its wait, and so all that this one was asked for.
func (p *pace) wait(ctx context.Context, now func() time.Time, after time.Time) (first bool, err error) {
	p.mu.Lock()
	if p.waiting {
		p.mu.Unlock()
		return false, nil
	}
	p.waiting = true
	if p.next.After(after) {
		after = p.next
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.waiting = false
		p.mu.Unlock()
	}()
	t := time.NewTimer(min(after.Sub(now()), listGather+listPauseMost))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return true, ctx.Err()
	case <-t.C:
		return true, nil
	}
}

// took notes how long the lists took that were made just now.
func (p *pace) took(d time.Duration, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = now.Add(min(listPause*d, listPauseMost))
}
