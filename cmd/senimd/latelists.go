package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"senim/internal/audit"
	"senim/internal/ca"
)

// crlDelay bounds -crl.max_delay: no list is made sooner than the minute of ca.tend promises, and a day is the most that a
// revocation may wait (BR 4.9.7).
const (
	leastListDelay = time.Minute
	mostListDelay  = 24 * time.Hour
	usualListDelay = 15 * time.Minute
)

func listDelay(to *time.Duration) func(string) error {
	*to = usualListDelay
	return func(v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < leastListDelay || d > mostListDelay {
			return fmt.Errorf("it is a time from %v to %v", leastListDelay, mostListDelay)
		}
		*to = d
		return nil
	}
}

// lateLists remembers which lists were told as late, each since when.
type lateLists struct {
	mu   sync.Mutex
	told map[ca.Unlisted]bool
}

// late are the lists that do not know a revocation older than -crl.max_delay.
func (s *server) late(ctx context.Context) (out []ca.Unlisted, err error) {
	all, err := s.ca.Unlisted(ctx)
	for _, l := range all {
		if s.now().Sub(l.Since) > s.c.listDelay {
			out = append(out, l)
		}
	}
	return out, err
}

// tellLateLists alarms once for each list that is late, and says once that it is late no more.
func (s *server) tellLateLists(ctx context.Context) error {
	all, err := s.late(ctx)
	if err != nil {
		return err
	}
	s.lists.mu.Lock()
	defer s.lists.mu.Unlock()
	now := map[ca.Unlisted]bool{}
	for _, l := range all {
		now[l] = true
		if s.lists.told[l] {
			continue
		}
		s.log.Error("ALERT: a revocation is not in a published list in time; OCSP tells it", "ca", l.CA, "list", l.Shard, "since", l.Since, "bound", s.c.listDelay)
		err = errors.Join(err, s.store.CA().Update(ctx, func(tx ca.Tx) error {
			return tx.Audit(ctx, audit.Event{Action: "ca.list_late", Actor: "system", Object: l.CA, Result: "late",
				Detail: map[string]string{"shard": l.Shard, "since": l.Since.UTC().Format(time.RFC3339)}})
		}))
	}
	for l := range s.lists.told {
		if !now[l] {
			s.log.Info("a late list was published", "ca", l.CA, "list", l.Shard, "since", l.Since)
		}
	}
	s.lists.told = now
	return err
}
