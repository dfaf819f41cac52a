package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// SourceState says how a source does: its last load and when the next is expected.
type SourceState struct {
	Source string
	// Last is the zero Load when the source was never loaded; nothing is late then.
	Last Load
	// Expected is the newest slot that passed, Next the one to come.
	Expected, Next time.Time
	// Missed counts the slots that passed without a load.
	Missed int
	// Old: answers from this source are unknown until it is loaded.
	Old bool
}

// Loaded reports that there is a load.
func (s SourceState) Loaded() bool { return s.Last.Number != 0 }

// Late reports that two slots were missed. People are told on every page then, and the operator is.
func (s SourceState) Late() bool { return s.Missed >= 2 }

// Sources tells of every state source, in a fixed order.
func (b *Book) Sources(ctx context.Context) (all []SourceState, err error) {
	now := b.c.Now()
	err = b.c.Store.View(ctx, func(tx Tx) error {
		all = nil
		calendar, err := b.calendarIn(ctx, tx)
		if err != nil {
			return err
		}
		for _, source := range Sources() {
			c := calendar.Of(source)
			s := SourceState{Source: source, Expected: c.Last(now), Next: c.Next(now)}
			last, err := tx.LastLoad(ctx, source)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err == nil {
				s.Last, s.Missed, s.Old = last, c.Missed(last.Received, now), b.old(last, now)
			}
			all = append(all, s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("state of the registries: %w", err)
	}
	return all, nil
}
