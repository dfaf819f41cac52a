package store

import (
	"context"
	"fmt"
	"time"
)

// leap is how an engine moves jobs in time: River's columns of time differ.
type leap struct {
	// shift moves what is scheduled by $1, as "-3600.000 seconds"; wake makes what came due ready to run.
	shift, wake string
}

func (*sqliteEngine) leap() leap {
	return leap{`update river_job set scheduled_at = strftime('%Y-%m-%d %H:%M:%f', scheduled_at, $1) where state in ('scheduled', 'retryable')`,
		`update river_job set state = 'available' where state in ('scheduled', 'retryable') and scheduled_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')`}
}

func (*postgresEngine) leap() leap {
	return leap{`update river_job set scheduled_at = scheduled_at + cast(cast($1 as text) as interval) where state in ('scheduled', 'retryable')`,
		`update river_job set state = 'available' where state in ('scheduled', 'retryable') and scheduled_at <= now()`}
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

// Idle reports that no job is running or ready to run.
func (s *Store) Idle(ctx context.Context) (idle bool, err error) {
	err = s.view(ctx, func(t *tx) error {
		n, err := one(ctx, t, errNoRow, value[int64], `select count(*) from river_job where state in ('available', 'running')`)
		idle = n == 0
		return err
	})
	return idle, err
}
