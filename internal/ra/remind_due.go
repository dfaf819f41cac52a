package ra

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// due is whether a reminder is to be sent.
type due int

const (
	dueNow due = iota
	// duePaused leaves this one out: a key is on hold, and the next may be due again.
	duePaused
	dueNever
)

// due of N-13 ends when the keys are installed. N-22 asks to revoke the key that was replaced, old: it ends
// with that key, and with any of the new ones, because the old may then be the last that works.
func (o *Office) due(ctx context.Context, a Application, n string) (d due, old Key, err error) {
	if n != "N-22" {
		if a.State != Issued {
			return dueNever, Key{}, nil
		}
		return dueNow, Key{}, nil
	}
	if a.State != Installed || a.Replaces == "" {
		return dueNever, Key{}, nil
	}
	serials := []string{a.Replaces}
	for _, c := range a.Certificates {
		serials = append(serials, c.Serial)
	}
	for i, serial := range serials {
		k, err := o.c.Keys.Key(ctx, serial)
		if errors.Is(err, ErrNoKey) {
			return dueNever, Key{}, nil // of another authority: not ours to revoke
		}
		if err != nil {
			return dueNever, Key{}, fmt.Errorf("remind of %s: %w", FormatNumber(a.Number), err)
		}
		if i == 0 {
			old = k
		}
		d = max(d, k.due(o.c.Now()))
	}
	return d, old, nil
}

// due of a key that must be in force.
func (k Key) due(now time.Time) due {
	switch {
	case k.Live(now):
		return dueNow
	case k.onHold() && !now.After(k.NotAfter):
		return duePaused
	}
	return dueNever
}
