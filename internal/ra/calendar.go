package ra

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/audit"
)

// ErrFeedRevoked says that a calendar feed was switched off by its owner.
var ErrFeedRevoked = errors.New("the calendar feed was revoked")

// FeedOf reads a person's calendar feed; [ErrNotFound] when there is none.
func (o *Office) FeedOf(ctx context.Context, iin string) (f Feed, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) error { f, err = tx.FeedOf(ctx, iin); return err })
	return f, err
}

// CreateFeed makes a person's calendar feed and gives its token, which is kept nowhere: it is shown once. A
// feed he had is revoked.
func (o *Office) CreateFeed(ctx context.Context, iin string) (token string, err error) {
	token = newToken()
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		f := Feed{Hash: hexSum([]byte(token)), IIN: iin, Created: o.c.Now()}
		old, err := tx.FeedOf(ctx, iin)
		if err == nil {
			f.Staff, old.Revoked = old.Staff, o.c.Now()
			if err := o.putFeed(ctx, tx, old, "feed.revoked"); err != nil {
				return err
			}
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		return o.putFeed(ctx, tx, f, "feed.created")
	})
	if err != nil {
		return "", fmt.Errorf("make a calendar feed: %w", err)
	}
	return token, nil
}

// RevokeFeed switches a person's calendar feed off for good; without one it does nothing.
func (o *Office) RevokeFeed(ctx context.Context, iin string) error {
	return o.changeFeed(ctx, iin, "feed.revoked", func(f *Feed) { f.Revoked = o.c.Now() })
}

// StaffFeed puts the keys of an organisation's staff into its head's feed, or takes them out.
func (o *Office) StaffFeed(ctx context.Context, who Viewer, on bool) error {
	if on && !o.Heads(ctx, who.IIN, who.BIN) {
		return refuse("ROLE_CANNOT_CONFIRM")
	}
	return o.changeFeed(ctx, who.IIN, "feed.changed", func(f *Feed) {
		f.Staff = ""
		if on {
			f.Staff = who.BIN
		}
	})
}

func (o *Office) changeFeed(ctx context.Context, iin, action string, change func(*Feed)) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		f, err := tx.FeedOf(ctx, iin)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		change(&f)
		return o.putFeed(ctx, tx, f, action)
	})
	if err != nil {
		return fmt.Errorf("change a calendar feed: %w", err)
	}
	return nil
}

func (o *Office) putFeed(ctx context.Context, tx Tx, f Feed, action string) error {
	if err := tx.PutFeed(ctx, f); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: action, Actor: tx.Hash(f.IIN), Object: "feed " + f.Hash[:16], Result: "ok"})
}

// FeedEvent is the end of some keys as a calendar shows it.
type FeedEvent struct {
	KeysTogether
	// Staff: not the owner's own; said with initials and role only.
	Staff bool
	// Over: replaced or revoked. Revision grows whenever that changes; Changed is when it did last, or when
	// they were issued.
	Over     bool
	Revision int
	Changed  time.Time
}

// feedKept is how long a calendar is told that an end was called off.
const feedKept = 30 * 24 * time.Hour

// Events gives the owner and the content of a feed by its token: [ErrNotFound], [ErrFeedRevoked].
func (o *Office) Events(ctx context.Context, token string) (Account, []FeedEvent, error) {
	var f Feed
	var a Account
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if f, err = tx.FeedByHash(ctx, hexSum([]byte(token))); err != nil {
			return err
		}
		a, err = tx.Account(ctx, f.IIN)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return Account{}, nil, err
	case !f.Revoked.IsZero():
		return Account{}, nil, ErrFeedRevoked
	}
	own, err := o.c.Keys.Of(ctx, f.IIN)
	if err != nil {
		return Account{}, nil, fmt.Errorf("calendar feed: %w", err)
	}
	events := feedEvents(Together(own), o.c.Now(), func(KeysTogether) bool { return true }, false)
	if f.Staff == "" || !o.Heads(ctx, f.IIN, f.Staff) {
		return a, events, nil
	}
	staff, err := o.c.Keys.OfCompany(ctx, f.Staff)
	if err != nil {
		return Account{}, nil, fmt.Errorf("calendar feed: %w", err)
	}
	return a, append(events, feedEvents(Together(staff), o.c.Now(), func(k KeysTogether) bool { return k.IIN != f.IIN }, true)...), nil
}

// feedEvents leaves out what ended, and what was over long ago.
func feedEvents(all []KeysTogether, now time.Time, want func(KeysTogether) bool, staff bool) []FeedEvent {
	var events []FeedEvent
	for _, k := range all {
		if !want(k) || k.NotAfter.Before(now.Add(-feedKept)) {
			continue
		}
		e := FeedEvent{KeysTogether: k, Staff: staff, Over: k.over(all, now), Changed: k.Issued}
		n, last := k.changes(all, now)
		if e.Revision = n; n > 0 {
			e.Changed = last
		}
		if !e.Over || now.Sub(e.Changed) < feedKept {
			events = append(events, e)
		}
	}
	return events
}
