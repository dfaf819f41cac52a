package relying

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"senim/internal/audit"
)

// A key signs for keyLife. Its successor is published keyAhead before it signs, so that whoever keeps
// our keys has it in time; the old key stays published for keyAfter, longer than any ID token lives.
const (
	keyLife  = 90 * 24 * time.Hour
	keyAhead = 24 * time.Hour
	keyAfter = 24 * time.Hour
)

// Key signs ID tokens. It lies sealed in the database, so that every node has it.
type Key struct {
	Number  int
	Private []byte // PKCS #8
	From    time.Time
}

// Ring is the keys of one moment, the oldest first.
type Ring []Key

// Signing is the key that signs at a moment: the newest whose time has come. A ring is never empty.
func (r Ring) Signing(now time.Time) Key {
	at := r[0]
	for _, k := range r {
		if !k.From.After(now) {
			at = k
		}
	}
	return at
}

// due says whether a successor must be made now, and from when it signs.
func (r Ring) due(now time.Time) (from time.Time, due bool) {
	if len(r) == 0 {
		return now, true
	}
	from = r[len(r)-1].From.Add(keyLife)
	if now.Before(from.Add(-keyAhead)) {
		return time.Time{}, false
	}
	if soon := now.Add(keyAhead); from.Before(soon) {
		from = soon // nobody ran for a while: the new key is published in time all the same
	}
	return from, true
}

// over lists the keys whose successor has signed for long enough.
func (r Ring) over(now time.Time) (old []Key) {
	for i := 1; i < len(r); i++ {
		if now.Sub(r[i].From) > keyAfter {
			old = append(old, r[i-1])
		}
	}
	return old
}

// Keys gives the ring of now, having made and removed what was due; make gives a new private key.
func (k *Keeper) Keys(ctx context.Context, make func() ([]byte, error)) (Ring, error) {
	var ring Ring
	read := func(tx Tx) error {
		all, err := tx.Keys(ctx)
		ring = all
		return err
	}
	if err := k.c.Store.View(ctx, read); err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	now := k.now()
	if _, due := ring.due(now); !due && len(ring.over(now)) == 0 {
		return ring, nil
	}
	fresh, err := make()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	err = k.c.Store.Update(ctx, func(tx Tx) error {
		if err := read(tx); err != nil {
			return err
		}
		for _, old := range ring.over(now) {
			if err := tx.DropKey(ctx, old.Number); err != nil {
				return err
			}
		}
		if from, due := ring.due(now); due {
			next := Key{Number: 1, Private: fresh, From: from}
			if len(ring) > 0 {
				next.Number = ring[len(ring)-1].Number + 1
			}
			if err := tx.AddKey(ctx, next); err != nil {
				return err
			}
			if err := tx.Audit(ctx, audit.Event{Action: "oidc.key_made", Actor: "system", Object: strconv.Itoa(next.Number), Result: "ok"}); err != nil {
				return err
			}
		}
		return read(tx)
	})
	if err != nil {
		return nil, fmt.Errorf("turn keys over: %w", err)
	}
	return ring, nil
}
