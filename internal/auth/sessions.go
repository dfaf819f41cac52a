package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// touchEvery spares a write per page: Seen is written when it is older than this.
const touchEvery = time.Minute

// sweepEvery is how often what is over is swept: a session that is over is nothing even before.
const sweepEvery = time.Minute

// Begin opens a pre-session for a browser that has none and returns its id. It sweeps what is over.
func (d *Desk) Begin(ctx context.Context) (sid string, err error) {
	d.sweep(ctx)
	sid = newID(d.c.Now())
	err = d.c.Store.Update(ctx, func(tx Tx) error { return d.begin(ctx, tx, sid) })
	if err != nil {
		return "", fmt.Errorf("begin a session: %w", err)
	}
	return sid, nil
}

// BeginAsking opens a pre-session for a browser that has none, with a challenge in it: [Desk.Begin] and
// [Visit.Ask] in one.
func (v Visit) BeginAsking(ctx context.Context, purpose, digest string) (sid string, c Challenge, err error) {
	d := v.d
	d.sweep(ctx)
	sid, c = newID(d.c.Now()), d.challenge(purpose, digest)
	err = d.c.Store.Update(ctx, func(tx Tx) error {
		if err := d.begin(ctx, tx, sid); err != nil {
			return err
		}
		return v.issued(ctx, tx, hashID(sid), c)
	})
	if err != nil {
		return "", Challenge{}, fmt.Errorf("begin a session: %w", err)
	}
	return sid, c, nil
}

func (d *Desk) begin(ctx context.Context, tx Tx, sid string) error {
	now := d.c.Now()
	return tx.PutSession(ctx, hashID(sid), Session{Site: d.c.Site, Created: now, Seen: now})
}

// Load reads a session and notes that it was seen. [ErrNotFound]: of another site, or over; a [*Closed] says why.
func (d *Desk) Load(ctx context.Context, sid string) (Session, error) {
	var s Session
	err := d.c.Store.View(ctx, func(tx Tx) (err error) {
		s, err = d.alive(ctx, tx, sid)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("load a session: %w", err)
	}
	if d.c.Now().Sub(s.Seen) >= touchEvery {
		err = d.change(ctx, sid, func(*Session) {})
		if err != nil {
			return Session{}, fmt.Errorf("load a session: %w", err)
		}
	}
	return s, nil
}

// Set keeps values in a session; an empty value removes its name.
func (d *Desk) Set(ctx context.Context, sid string, values map[string]string) error {
	err := d.change(ctx, sid, func(s *Session) {
		merged := map[string]string{}
		maps.Copy(merged, s.Values)
		for k, v := range values {
			if v == "" {
				delete(merged, k)
			} else {
				merged[k] = v
			}
		}
		s.Values = merged
	})
	if err != nil {
		return fmt.Errorf("keep in a session: %w", err)
	}
	return nil
}

// Take gives a value that [Desk.Set] kept and removes it, in one transaction: of two at once one gets it,
// the other "".
func (d *Desk) Take(ctx context.Context, sid, name string) (value string, err error) {
	err = d.change(ctx, sid, func(s *Session) {
		value = s.Values[name]
		s.Values = maps.Clone(s.Values)
		delete(s.Values, name)
	})
	if err != nil {
		return "", fmt.Errorf("take from a session: %w", err)
	}
	return value, nil
}

// Elevate ends the session sid and begins another with the facts of s (IIN, BIN, certificate,
// values) under a new id: every change of rights gives a new id. A Created in s is kept, so that a
// session that only changes what it acts for lives no longer than it would have.
func (d *Desk) Elevate(ctx context.Context, sid string, s Session) (newSID string, err error) {
	now := d.c.Now()
	newSID = newID(now)
	s.ID, s.Site, s.Seen = "", d.c.Site, now
	if s.Created.IsZero() {
		s.Created = now
	}
	err = d.c.Store.Update(ctx, func(tx Tx) error {
		if _, err := d.alive(ctx, tx, sid); err != nil {
			return err
		}
		if err := tx.DeleteSession(ctx, hashID(sid), ByRenewal); err != nil {
			return err
		}
		return tx.PutSession(ctx, hashID(newSID), s)
	})
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return newSID, nil
}

// End ends a session, for a reason that the caller has recorded; ending none is no error.
func (d *Desk) End(ctx context.Context, sid string, why Reason) error {
	err := d.c.Store.Update(ctx, func(tx Tx) error { return tx.DeleteSession(ctx, hashID(sid), why) })
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// EndWhere ends every session the filter selects, on every site unless the filter names one, and
// says how many. A filter with no person and no certificate ends nothing.
func (d *Desk) EndWhere(ctx context.Context, f Filter, why Reason) (int, error) {
	if f == (Filter{}) || f == (Filter{Site: f.Site}) {
		return 0, nil
	}
	var n int
	err := d.c.Store.Update(ctx, func(tx Tx) (err error) {
		n, err = tx.DeleteSessions(ctx, f, why)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	return n, nil
}

// alive reads a session that may still be used.
func (d *Desk) alive(ctx context.Context, tx Tx, sid string) (Session, error) {
	if len(sid) != idLength { // anything else is not ours
		return Session{}, ErrNotFound
	}
	s, err := tx.Session(ctx, hashID(sid))
	if errors.Is(err, ErrNotFound) {
		return Session{}, d.closed(ctx, tx, hashID(sid))
	}
	if err != nil {
		return Session{}, err
	}
	now := d.c.Now()
	idle, old := now.Sub(s.Seen) > d.c.Idle, now.Sub(s.Created) > d.c.Absolute
	switch {
	case s.Site != d.c.Site || (idle || old) && !s.SignedIn():
		return Session{}, ErrNotFound
	case idle:
		return Session{}, &Closed{Reason: ByIdle, At: s.Seen.Add(d.c.Idle)}
	case old:
		return Session{}, &Closed{Reason: ByAge, At: s.Created.Add(d.c.Absolute)}
	}
	s.ID = sid
	return s, nil
}

// change rewrites a living session and notes that it was seen.
func (d *Desk) change(ctx context.Context, sid string, f func(*Session)) error {
	return d.c.Store.Update(ctx, func(tx Tx) error {
		s, err := d.alive(ctx, tx, sid)
		if err != nil {
			return err
		}
		f(&s)
		s.ID, s.Seen = "", d.c.Now()
		return tx.PutSession(ctx, hashID(sid), s)
	})
}

// IsNotFound reports whether an error of the desk means "no such session".
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
