package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
)

// walkingClock is a clock that can be moved forward: the machine's, and so much ahead of it. Where it stands is
// kept, so that a second start does not go back in time.
type walkingClock struct {
	under func() time.Time
	path  string
	ahead atomic.Int64
}

const clockFile = "clock.json"

type clockState struct {
	AheadMS int64 `json:"ahead_ms"`
}

func openClock(dir string, under func() time.Time) (*walkingClock, error) {
	c := &walkingClock{under: under, path: filepath.Join(dir, clockFile)}
	b, err := os.ReadFile(c.path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	var s clockState
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil || s.AheadMS < 0 {
		return nil, fmt.Errorf("read %s: %w", clockFile, err)
	}
	c.ahead.Store(s.AheadMS)
	return c, nil
}

// Now is what the clock shows.
func (c *walkingClock) Now() time.Time {
	return c.under().Add(time.Duration(c.ahead.Load()) * time.Millisecond)
}

// move sets the clock forward by at least so much, in whole milliseconds, and says by how much: a moment it was
// to reach must not be still to come.
func (c *walkingClock) move(by time.Duration) (moved time.Duration, err error) {
	moved = (by + time.Millisecond - 1).Truncate(time.Millisecond)
	ahead := c.ahead.Load() + moved.Milliseconds()
	if err := writeJSON(c.path, clockState{ahead}); err != nil {
		return 0, err
	}
	c.ahead.Store(ahead)
	return moved, nil
}

// walker moves the clock of a demonstration through the days, so that every letter comes on its own.
type walker struct {
	*walkingClock
	s  *server
	mu sync.Mutex // one walk at a time
}

// Walk stops at the hour of reminders of every day on the way and does there what came due. In between it stops
// where something that failed is tried again: the next day would overtake it.
func (w *walker) Walk(ctx context.Context, until time.Time, letter bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.wait(ctx); err != nil { // what was asked for at this hour is done at this hour
		return err
	}
	had := w.newest()
	for hour := w.nextHour(); w.Now().Before(until); {
		next := hour
		if next.After(until) {
			next = until
		}
		after, none, err := w.s.store.Again(ctx, notice.Kind)
		if err != nil {
			return err
		}
		by, then, there := next.Sub(w.Now()), w.catchUp, true
		if !none && after < by { // the clock may run past the hour while this is done: it is still to come
			by, then, there = after, w.wait, false
		}
		if by, err = w.move(max(by, time.Millisecond)); err != nil {
			return err
		}
		if err := w.s.store.Leap(ctx, by); err != nil {
			return err
		}
		if err := then(ctx); err != nil {
			return err
		}
		if there {
			hour = w.nextHour()
		}
		if letter && w.newest() > had {
			break
		}
	}
	return w.s.tend(ctx) // lists and the services' own certificates are for the new day
}

// nextHour is the next moment at which reminders go.
func (w *walker) nextHour() time.Time {
	at := w.s.c.plan.At
	if at == 0 {
		at = 10 * time.Hour
	}
	now := w.Now().In(lang.Astana)
	y, m, d := now.Date()
	for n := 0; ; n++ {
		if next := time.Date(y, m, d+n, 0, 0, 0, 0, lang.Astana).Add(at); next.After(now) {
			return next
		}
	}
}

// registryKept is how old the demo's registry may grow on a walk: under the week after which it is not believed, and
// under the two loads of which every page says that they are missing.
const registryKept = 24 * time.Hour

// catchUp does at once what the server looks for every few minutes, and waits for the jobs that follow.
func (w *walker) catchUp(ctx context.Context) error {
	loads, err := w.s.book.Loads(ctx, 1)
	if err != nil {
		return err
	}
	if len(loads) == 0 || w.Now().Sub(loads[0].Received) > registryKept {
		if err := w.s.refresh(ctx); err != nil {
			return err
		}
	}
	for _, look := range []func(context.Context) error{w.s.scanner.Scan, w.s.office.SendLists, w.s.office.Sweep} {
		if err := look(ctx); err != nil {
			return err
		}
	}
	return w.wait(ctx)
}

// walkPatience bounds how long one stop waits for its jobs.
const walkPatience = 30 * time.Second

func (w *walker) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, walkPatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		idle, err := w.s.store.Idle(ctx)
		if err != nil || idle {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the jobs of the day: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

func (w *walker) newest() int {
	if all := w.s.mail.Letters(""); len(all) > 0 {
		return all[0].ID
	}
	return 0
}
