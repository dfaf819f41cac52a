package participant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/ident"
)

// Link is what a letter's link leads to. Reading it changes nothing: mail scanners follow links.
type Link struct {
	Registration string // its id; empty when the token is unknown
	Category     Category
	State        State
	Until        time.Time
	// Stale: the token is unknown, too old or used; Done: because the registration is complete.
	Stale, Done bool
}

// LinkKey is what is kept of a link's token: its hash.
type LinkKey string

// KeyOf is the key of the token in a letter.
func KeyOf(token string) LinkKey { return LinkKey(hashToken(token)) }

// Link reads where a letter's link stands.
func (o *Office) Link(ctx context.Context, key LinkKey) (Link, error) {
	r, err := o.byLink(ctx, key)
	if errors.Is(err, ErrNotFound) {
		return Link{Stale: true}, nil
	}
	if err != nil {
		return Link{}, fmt.Errorf("read link: %w", err)
	}
	return Link{Registration: r.ID, Category: r.Category, State: r.State, Until: r.Expires,
		Stale: r.State != StateSigned || r.Over(o.now()), Done: r.State == StateCompleted}, nil
}

// Follows says whether who has proved the IIN may go on with the link: CERT_OTHER_PERSON, recorded, when the
// registration is another's.
func (o *Office) Follows(ctx context.Context, key LinkKey, iin ident.IIN) error {
	r, err := o.byLink(ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return deny("LINK_STALE")
	case err != nil:
		return fmt.Errorf("read link: %w", err)
	case r.IIN == iin:
		return nil
	}
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		return tx.Audit(ctx, event(tx, "reg.refused", r, "CERT_OTHER_PERSON", map[string]string{"step": "4", "person": tx.Hash(string(iin))}))
	})
	if err != nil {
		return fmt.Errorf("refuse another person: %w", err)
	}
	return deny("CERT_OTHER_PERSON")
}

func (o *Office) byLink(ctx context.Context, key LinkKey) (Registration, error) {
	var r Registration
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		r, err = tx.RegistrationByLink(ctx, string(key))
		return err
	})
	return r, err
}

// Expire ends a registration whose time is over; one that has time left, or has ended, is left
// alone. The account of a first registration goes with it.
func (o *Office) Expire(ctx context.Context, id string) error {
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		r, err := tx.Registration(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		r, over := r.expire(o.now())
		if !over {
			return nil
		}
		if err := tx.PutRegistration(ctx, r); err != nil {
			return err
		}
		if r.Signature != "" {
			if err := o.forgetAccount(ctx, tx, r.IIN); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, event(tx, "reg.expired", r, "ok", nil))
	})
	if err != nil {
		return fmt.Errorf("expire registration: %w", err)
	}
	return nil
}
