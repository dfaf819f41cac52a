package notice

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"senim/internal/audit"
)

// KeySets tells the [Scanner] of certificates; the authority's registration office knows.
type KeySets interface {
	// Expiring calls f for sets not revoked whose NotAfter is after from and not after to, and stops at
	// its first error. There may be very many.
	Expiring(ctx context.Context, from, to time.Time, f func(KeySet) error) error
	// Capacity lists every issued set of a capacity.
	Capacity(ctx context.Context, capacity string) ([]KeySet, error)
	// KeySet reads one set; ErrNotFound when there is none.
	KeySet(ctx context.Context, id string) (KeySet, error)
}

// ScanKind is the job that looks for reminders that are due; ask for it every few minutes.
const ScanKind = "notice.scan"

// maxErrors bounds how many failures of one scan are told.
const maxErrors = 100

// Scanner plans the reminders of expiry: each stage of each key set is looked at once, whoever and
// how often asks. It also is the [Still] of the reminders it planned.
type Scanner struct {
	store Store
	sets  KeySets
	now   func() time.Time
}

// NewScanner joins the outbox and the key sets; now nil means time.Now.
func NewScanner(store Store, sets KeySets, now func() time.Time) *Scanner {
	if now == nil {
		now = time.Now
	}
	return &Scanner{store, sets, now}
}

// Do is the handler of [ScanKind] jobs.
func (s *Scanner) Do(ctx context.Context, _ []byte) error { return s.Scan(ctx) }

// Scan puts every reminder that is due into the outbox. A set that fails does not stop the others;
// the errors come back together.
func (s *Scanner) Scan(ctx context.Context) error {
	now := s.now()
	var errs []error
	err := s.sets.Expiring(ctx, now, now.AddDate(0, 0, 33), func(set KeySet) error { // a month before is the earliest stage
		stage, due := Due(Stages(set.NotAfter, set.Legal), now, set.NotAfter)
		if !due {
			return nil
		}
		if err := s.stage(ctx, set, stage, now); err != nil && len(errs) < maxErrors {
			errs = append(errs, fmt.Errorf("remind of key set %s: %w", set.ID, err))
		}
		return ctx.Err()
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("scan for reminders: %w", err))
	}
	return errors.Join(errs...)
}

// noAddress is why nobody is reminded of a set whose owner gave no address.
const noAddress = "no-address"

// stage examines one stage of one set, once for ever.
func (s *Scanner) stage(ctx context.Context, set KeySet, stage Stage, now time.Time) error {
	others, err := s.sets.Capacity(ctx, set.Capacity)
	if err != nil {
		return err
	}
	why := Stop(set, others)
	if why == "" && set.To == "" {
		why = noAddress
	}
	return s.store.Update(ctx, func(tx Tx) error {
		first, err := tx.Examine(ctx, set.ID, stage.Name, now)
		if err != nil || !first {
			return err
		}
		m := reminder(set, stage, now)
		e := audit.Event{Action: "notice.planned", Actor: "system", Object: "keyset:" + set.ID, Result: "ok",
			Detail: map[string]string{"n": m.N, "stage": stage.Name}}
		if why == "" || why == noAddress {
			if err := tx.Count(ctx, dayOf(now), map[bool]string{true: countReminded, false: countNoContact}[why == ""]); err != nil {
				return err
			}
		}
		if why != "" {
			e.Action, e.Result = "notice.stopped", why
			return tx.Audit(ctx, e)
		}
		if err := tx.Notify(ctx, m); err != nil {
			return err
		}
		return tx.Audit(ctx, e)
	})
}

func reminder(set KeySet, stage Stage, now time.Time) Message {
	m := Message{N: "N-01", To: set.To, Lang: set.Lang, About: "keyset:" + set.ID, Vars: map[string]string{
		"date": Day(set.NotAfter), "days": strconv.Itoa(DaysLeft(now, set.NotAfter)), "name": set.Name, "link": set.Link,
	}}
	if set.Legal {
		m.N, m.Vars["org"], m.Vars["role"] = "N-03", set.Org, set.Role
	}
	m.Key = Key(m.N, set.ID, stage.Name, set.To)
	return m
}

// Still is asked just before a reminder is sent.
func (s *Scanner) Still(ctx context.Context, about string) (string, error) {
	id, ok := strings.CutPrefix(about, "keyset:")
	if !ok {
		return "", nil
	}
	set, err := s.sets.KeySet(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return "gone", nil
	}
	if err != nil {
		return "", fmt.Errorf("check key set %s: %w", id, err)
	}
	others, err := s.sets.Capacity(ctx, set.Capacity)
	if err != nil {
		return "", fmt.Errorf("check key set %s: %w", id, err)
	}
	if _, due := Due(Stages(set.NotAfter, set.Legal), s.now(), set.NotAfter); !due {
		return "expired", nil // waited too long in the outbox
	}
	return Stop(set, others), nil
}
