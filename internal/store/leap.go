package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// leap is how an engine moves jobs in time: River's columns of time differ.
type leap struct {
	// shift moves what is scheduled by $1, as "-3600.000 seconds"; wake makes what came due ready to run.
	shift, wake string
	// again says in how many milliseconds the first job runs that failed, or that is of kind $1.
	again string
}

func (*sqliteEngine) leap() leap {
	return leap{`update river_job set scheduled_at = strftime('%Y-%m-%d %H:%M:%f', scheduled_at, $1) where state in ('scheduled', 'retryable')`,
		`update river_job set state = 'available' where state in ('scheduled', 'retryable') and scheduled_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')`,
		`select cast(round((julianday(min(scheduled_at)) - julianday('now')) * 86400000) as integer) from river_job
			where state = 'retryable' or state = 'scheduled' and kind = $1 having count(*) > 0`}
}

func (*postgresEngine) leap() leap {
	return leap{`update river_job set scheduled_at = scheduled_at + cast(cast($1 as text) as interval) where state in ('scheduled', 'retryable')`,
		`update river_job set state = 'available' where state in ('scheduled', 'retryable') and scheduled_at <= now()`,
		`select cast(round(extract(epoch from min(scheduled_at) - now()) * 1000) as bigint) from river_job
			where state = 'retryable' or state = 'scheduled' and kind = $1 having count(*) > 0`}
}

// Leap tells the jobs that the store's clock was moved forward: what is scheduled comes nearer by as much, and
// what came due by that runs now. Only a demonstration's clock is moved.
func (s *Store) Leap(ctx context.Context, by time.Duration) error {
	err := s.update(ctx, func(t *tx) error {
		l := s.engine.leap()
		if _, err := t.exec(ctx, l.shift, fmt.Sprintf("%.3f seconds", -by.Seconds())); err != nil {
			return err
		}
		_, err := t.exec(ctx, l.wake)
		return err
	})
	if err != nil {
		return fmt.Errorf("move the jobs in time: %w", err)
	}
	return nil
}

// Again is the time until the first job runs that failed and is tried again, or that waits and is of a kind; none
// says that there is no such job.
func (s *Store) Again(ctx context.Context, kind string) (after time.Duration, none bool, err error) {
	err = s.view(ctx, func(t *tx) error {
		ms, err := one(ctx, t, errNoRow, value[int64], s.engine.leap().again, kind)
		none = errors.Is(err, errNoRow)
		if none {
			return nil
		}
		after = time.Duration(ms) * time.Millisecond
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("look for what is tried again: %w", err)
	}
	return after, none, nil
}

// Idle reports that no job is running or ready to run.
func (s *Store) Idle(ctx context.Context) (idle bool, err error) {
	err = s.view(ctx, func(t *tx) error {
		n, err := one(ctx, t, errNoRow, value[int64], `select count(*) from river_job where state in ('available', 'running')`)
		idle = n == 0
		return err
	})
	return idle, err
}
