package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/internal/audit"
)

// Reason says why a session is over. The records of session.closed name it, and in capitals after "SESSION_" it
// is the code of what its person is told.
type Reason string

// Why sessions end.
const (
	ByIdle        Reason = "idle"        // nobody used it
	ByAge         Reason = "age"         // it lived as long as a session may
	BySignOut     Reason = "out"         // its person left
	ByPerson      Reason = "person"      // its person ended it from elsewhere
	ByPassword    Reason = "password"    // another password was set
	ByEmail       Reason = "email"       // another address was confirmed
	ByBlock       Reason = "blocked"     // an operator blocked the account
	ByHeadChange  Reason = "head"        // the enterprise has another head
	ByProfile     Reason = "profile"     // the profile it acted for was closed
	ByCertificate Reason = "certificate" // its certificate is not good any more
	ByRenewal     Reason = "renewed"     // it goes on under another id
	ByUnknown     Reason = "unknown"     // there is no such session, and nobody knows whether there was
)

// Code is the code of what the person is told.
func (r Reason) Code() string { return "SESSION_" + strings.ToUpper(string(r)) }

// keepEnds is how long it is known why a session ended.
const keepEnds = 24 * time.Hour

// maxSwept bounds the sessions of people whose ends are recorded in one sweep; the next takes the others, which are
// over whether swept or not.
const maxSwept = 500

// Closed is the [ErrNotFound] of a session that is over; of one that had a person it says why.
type Closed struct {
	Reason Reason
	At     time.Time // zero: unknown
}

func (c *Closed) Error() string { return "session closed: " + string(c.Reason) }

// Is makes every Closed an [ErrNotFound].
func (*Closed) Is(target error) bool { return target == ErrNotFound }

// closed says why there is no session of this id.
func (d *Desk) closed(ctx context.Context, tx Tx, hash string) error {
	site, c, err := tx.Ended(ctx, hash)
	switch {
	case errors.Is(err, ErrNotFound):
		return &Closed{Reason: ByUnknown}
	case err != nil:
		return err
	case site != d.c.Site:
		return ErrNotFound
	}
	return &c
}

// Alive gives [ErrNotFound], as [Desk.Load] does, when the session is over. It does not note that it was seen.
func (d *Desk) Alive(ctx context.Context, sid string) error {
	err := d.c.Store.View(ctx, func(tx Tx) error {
		_, err := d.alive(ctx, tx, sid)
		return err
	})
	if err != nil {
		return fmt.Errorf("look at a session: %w", err)
	}
	return nil
}

// SignOut ends a session because its person leaves, and records it. One may always leave: where nothing can be
// recorded the session ends all the same, and the operator's log says so.
func (d *Desk) SignOut(ctx context.Context, sid string) error {
	err := d.c.Store.Update(ctx, func(tx Tx) error {
		s, err := d.alive(ctx, tx, sid)
		if errors.Is(err, ErrNotFound) || err == nil && !s.SignedIn() {
			return tx.DeleteSession(ctx, hashID(sid), "")
		}
		if err != nil {
			return err
		}
		if err := tx.DeleteSession(ctx, hashID(sid), BySignOut); err != nil {
			return err
		}
		return tx.Audit(ctx, closedEvent(tx, s, BySignOut))
	})
	if err == nil {
		return nil
	}
	d.c.Log.ErrorContext(ctx, "a sign-out could not be recorded", "site", d.c.Site, "err", err)
	return d.End(ctx, sid, BySignOut)
}

// closedEvent is the record of the end of a person's session.
func closedEvent(tx Tx, s Session, why Reason) audit.Event {
	e := audit.Event{Action: "session.closed", Object: s.Serial, Result: "ok", Detail: map[string]string{"site": s.Site, "reason": string(why)}}
	if s.IIN != "" {
		e.Actor = tx.Hash(s.IIN)
	}
	return e
}

// sweep removes what is over and records it. A sweep that fails is tried again in a minute: what is over is
// nothing even before.
func (d *Desk) sweep(ctx context.Context) {
	now := d.c.Now()
	last := d.swept.Load()
	if now.UnixMilli()-last < sweepEvery.Milliseconds() || !d.swept.CompareAndSwap(last, now.UnixMilli()) {
		return
	}
	err := d.c.Store.Update(ctx, func(tx Tx) error {
		over, err := tx.Sweep(ctx, now.Add(-d.c.Idle), now.Add(-d.c.Absolute), now.Add(-keepEnds), maxSwept)
		for _, s := range over {
			if err = tx.Audit(ctx, closedEvent(tx, s.Session, s.Why)); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		d.c.Log.ErrorContext(ctx, "sessions that are over could not be swept", "site", d.c.Site, "err", err)
	}
}
