package relying

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/ident"
)

// Consent is what a person with an account allowed a service, until it is withdrawn.
type Consent struct {
	IIN    ident.IIN
	Client string
	Scopes []string
	// Orgs are the organisations for which he allowed [ScopeOrganization], by BIN.
	Orgs []ident.BIN
	Made time.Time
	Used time.Time
}

// Covers reports whether the person, acting for bin, allowed all of the scopes before. A client that cannot prove who
// it is gets no answer without the person: anybody may pose as it.
func (c Consent) Covers(client Client, scopes []string, bin ident.BIN) bool {
	if c.Client != client.ID || client.Public() {
		return false
	}
	for _, s := range scopes {
		if !slices.Contains(c.Scopes, s) || s == ScopeOrganization && bin != "" && !slices.Contains(c.Orgs, bin) {
			return false
		}
	}
	return true
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// Consent reads what the person allowed the client; the zero Consent when nothing.
func (k *Keeper) Consent(ctx context.Context, iin ident.IIN, client string) (c Consent, err error) {
	err = k.c.Store.View(ctx, func(tx Tx) error {
		c, err = tx.Consent(ctx, iin, client)
		return err
	})
	if isNotFound(err) {
		return Consent{}, nil
	}
	if err != nil {
		return Consent{}, fmt.Errorf("read a consent: %w", err)
	}
	return c, nil
}

// Consents lists what a person allowed, to whom.
func (k *Keeper) Consents(ctx context.Context, iin ident.IIN) (all []Consent, err error) {
	err = k.c.Store.View(ctx, func(tx Tx) error {
		all, err = tx.Consents(ctx, iin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	return all, nil
}

// Withdraw ends a consent and every token the client holds of the person.
func (k *Keeper) Withdraw(ctx context.Context, iin ident.IIN, client string) error {
	err := k.c.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Consent(ctx, iin, client); err != nil {
			return err
		}
		if err := tx.DropConsent(ctx, iin, client); err != nil {
			return err
		}
		if err := tx.DropTokens(ctx, iin, client); err != nil {
			return err
		}
		return tx.Audit(ctx, event(tx, "oidc.withdrawn", iin, client, "ok", nil))
	})
	if err != nil {
		return fmt.Errorf("withdraw a consent: %w", err)
	}
	return nil
}
