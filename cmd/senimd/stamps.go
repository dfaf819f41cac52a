package main

import (
	"context"
	"time"

	"senim/internal/clock"
	"senim/internal/tsa"
)

// clockEvery is how often the machine's clock is compared with others, on every node.
const clockEvery = time.Hour

// openStamps makes the time-stamping authority and looks at the clock. One that does not know the
// time is open all the same, and refuses until it does.
func (s *server) openStamps(ctx context.Context) (err error) {
	if s.ca == nil {
		return nil // the authority elsewhere has its own
	}
	how, err := clock.Parse(s.c.clock)
	if err != nil {
		return err
	}
	s.stamps, err = tsa.New(tsa.Config{Store: s.store.TSA(), Signers: s.ca, Clock: how, SHA1: s.c.stampSHA1, Now: s.now, Log: s.log})
	if err != nil {
		return err
	}
	_ = s.stamps.CheckClock(ctx) // logged and recorded there; whoever asks for a time-stamp is refused
	s.background = append(s.background, func(ctx context.Context) error {
		tick := time.NewTicker(clockEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				_ = s.stamps.CheckClock(ctx)
			}
		}
	})
	return nil
}
