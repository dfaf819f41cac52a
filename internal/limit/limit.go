// Package limit says who asks too often: a [Limiter] counts, and [Visitor] names who is counted.
package limit

import (
	"sync"
	"time"
)

// Rate is a number of acts in a time; as many may come at once.
type Rate struct {
	Acts int
	In   time.Duration
}

// maxLimited bounds how many addresses or certificates a limiter remembers.
const maxLimited = 1 << 16

// Limiter lets every key act at its rates, by GCRA: of a key only the moments are kept at which it
// would have acted had it kept to each rate. Safe for concurrent use.
type Limiter struct {
	rates []Rate
	now   func() time.Time

	mu   sync.Mutex
	kept map[string][]time.Time // under mu: theoretical arrival times, one for each rate
}

// New makes a limiter.
func New(now func() time.Time, rates []Rate) *Limiter {
	return &Limiter{rates: rates, now: now, kept: map[string][]time.Time{}}
}

// Take counts an act, or says how long to wait until it may be tried; a refused act is not counted.
func (l *Limiter) Take(key string) (wait time.Duration) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	had := l.kept[key]
	next := make([]time.Time, len(l.rates))
	for i, r := range l.rates {
		next[i] = now
		if had != nil && had[i].After(now) {
			next[i] = had[i]
		}
		each := r.In / time.Duration(r.Acts)
		next[i] = next[i].Add(each)
		wait = max(wait, next[i].Sub(now)-r.In)
	}
	if wait > 0 {
		return wait
	}
	if had == nil && len(l.kept) >= maxLimited {
		l.forget(now)
	}
	l.kept[key] = next
	return 0
}

// forget makes room: what is over goes, and when nothing is, anything.
func (l *Limiter) forget(now time.Time) {
	for key, times := range l.kept {
		over := true
		for _, t := range times {
			over = over && !t.After(now)
		}
		if over {
			delete(l.kept, key)
		}
	}
	for key := range l.kept {
		if len(l.kept) < maxLimited {
			return
		}
		delete(l.kept, key)
	}
}
