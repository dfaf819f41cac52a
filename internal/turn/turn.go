// Package turn lets one goroutine work on one name at a time: on an order, a list, a certificate.
//
// The zero [Turns] is ready. A name that nobody works on takes no memory. It reaches no further than the
// process: what several nodes must not do at once is the database's to refuse.
package turn

import "sync"

// Turns is names and who works on them. Safe for concurrent use.
type Turns struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	mu   sync.Mutex
	uses int
}

// Take waits for the name and returns what gives it back.
func (l *Turns) Take(name string) func() {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	k := l.held[name]
	if k == nil {
		k = &lock{}
		l.held[name] = k
	}
	k.uses++
	l.mu.Unlock()
	k.mu.Lock()
	return func() {
		k.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.uses--; k.uses == 0 {
			delete(l.held, name)
		}
	}
}
