package registry

import (
	"context"
	"sync"
	"time"
)

// Watch remembers for a minute how the sources do, for pages that say it each time they are shown.
// It is safe for concurrent use.
type Watch struct {
	book *Book

	mu   sync.Mutex
	at   time.Time     // under mu
	late []SourceState // under mu
}

// NewWatch watches a book.
func NewWatch(b *Book) *Watch { return &Watch{book: b} }

// Sources is [Book.Sources].
func (w *Watch) Sources(ctx context.Context) ([]SourceState, error) { return w.book.Sources(ctx) }

// Late lists the sources that missed two loads, as of a minute ago at most.
func (w *Watch) Late(ctx context.Context) ([]SourceState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.book.c.Now()
	if age := now.Sub(w.at); age >= 0 && age < time.Minute {
		return w.late, nil
	}
	all, err := w.book.Sources(ctx)
	if err != nil {
		return nil, err
	}
	w.at, w.late = now, nil
	for _, s := range all {
		if s.Late() {
			w.late = append(w.late, s)
		}
	}
	return w.late, nil
}
