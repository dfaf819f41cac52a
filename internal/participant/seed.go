package participant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/registry"
)

// Seeded is a participant who is there from the first day of an installation made for trying out.
type Seeded struct {
	IIN      ident.IIN
	Name     string // surname, name, patronymic
	Email    string
	Password string
	Lang     lang.Tag
	Profiles []SeededProfile
}

// SeededProfile is one profile of a [Seeded]: for all but organisations the TIN is the person's own.
type SeededProfile struct {
	Category Category
	TIN      string
	Name     string
	Practice registry.Practice // of a private practitioner
}

func (s SeededProfile) profileType() ProfileType { return s.Category.ProfileType(s.Practice) }

// Seed makes an account with a confirmed address and its profiles, without any key: for demos and
// tests. Seeding the same person or profile again changes nothing.
func (o *Office) Seed(ctx context.Context, s Seeded) error {
	hash, err := o.c.Passwords.Hash(s.Password)
	if err != nil {
		return fmt.Errorf("seed participant: %w", err)
	}
	now := o.now()
	err = o.c.Store.Update(ctx, func(tx Tx) error {
		_, err := tx.Account(ctx, s.IIN)
		if errors.Is(err, ErrNotFound) {
			err = tx.PutAccount(ctx, Account{IIN: s.IIN, Name: s.Name, Password: hash, Email: s.Email, EmailConfirmed: now,
				Lang: s.Lang, State: AccountActive, PasswordChanged: now, Created: now})
		}
		if err != nil {
			return err
		}
		for _, p := range s.Profiles {
			if err := o.seedProfile(ctx, tx, s, p, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seed participant: %w", err)
	}
	return nil
}

func (o *Office) seedProfile(ctx context.Context, tx Tx, s Seeded, sp SeededProfile, now time.Time) error {
	all, err := tx.Profiles(ctx, s.IIN)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.TIN == sp.TIN && p.Type == sp.profileType() {
			return nil
		}
	}
	id, err := newID(o.c.Random)
	if err != nil {
		return err
	}
	p := Profile{ID: id, IIN: s.IIN, TIN: sp.TIN, Type: sp.profileType(), Category: sp.Category, Name: sp.Name}
	if p.Type.Heads() {
		if err := tx.PutEnterprise(ctx, Enterprise{TIN: p.TIN, Name: p.Name, Category: p.Category, Updated: now}); err != nil {
			return err
		}
	}
	p, c, err := p.activate(now, "")
	if err != nil {
		return err
	}
	return o.putProfile(ctx, tx, p, c)
}

// Publish puts an agreement version into the store. A version that is there never changes: the same one
// is left alone, another text or date under its number is refused.
func (o *Office) Publish(ctx context.Context, a Agreement) error {
	a.From, a.MustResignBy = a.From.UTC(), a.MustResignBy.UTC()
	if !a.MustResignBy.IsZero() && a.MustResignBy.Before(a.From) {
		return fmt.Errorf("publish agreement %s: it must be signed before it is in force", a.Version)
	}
	for _, l := range lang.All() {
		if a.Text[l] == "" {
			return fmt.Errorf("publish agreement %s: no text in %s", a.Version, l)
		}
	}
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		had, err := tx.Agreement(ctx, a.Version, a.From)
		if errors.Is(err, ErrNotFound) {
			return tx.PutAgreement(ctx, a)
		}
		if err == nil && (!maps.Equal(had.Text, a.Text) || !had.From.Equal(a.From) || !had.MustResignBy.Equal(a.MustResignBy)) {
			return fmt.Errorf("version %s was published already and never changes: give the new one another number", a.Version)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("publish agreement: %w", err)
	}
	return nil
}
