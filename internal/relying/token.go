package relying

import (
	"context"
	"fmt"
	"time"

	"senim/internal/ident"
)

// Kind is what a token is for.
type Kind string

// The kinds: of a code there are also its challenge and what its ID token will say; assertions of
// clients are kept so that none counts twice.
const (
	Code      Kind = "code"
	Challenge Kind = "challenge"
	OpenID    Kind = "openid"
	Access    Kind = "access"
	Refresh   Kind = "refresh"
	Assertion Kind = "assertion"
)

// Token is one thing a client was given. It is named by the hash of what the client holds.
type Token struct {
	Kind Kind
	Hash string
	// Grant names the authorization that all tokens descended from it share.
	Grant, Client string
	// Whose it is and with which certificate: what ends this person's sessions ends this too.
	IIN                         ident.IIN
	ActsAs, Serial, Fingerprint string // ActsAs is his profile, or without one the number that he acts for
	// Data is the library's own record.
	Data    []byte
	Made    time.Time
	Expires time.Time
	Used    time.Time // zero: not yet
}

// Put keeps a token under the secret the client holds; [ErrUsed] when it is there already.
func (k *Keeper) Put(ctx context.Context, secret string, t Token) error {
	t.Hash, t.Made = hash(secret), k.now()
	err := k.c.Store.Update(ctx, func(tx Tx) error { return tx.AddToken(ctx, t) })
	if err != nil {
		return fmt.Errorf("keep a token: %w", err)
	}
	return nil
}

// Find reads a token by its secret, used or not.
func (k *Keeper) Find(ctx context.Context, kind Kind, secret string) (t Token, err error) {
	err = k.c.Store.View(ctx, func(tx Tx) error {
		t, err = tx.Token(ctx, kind, hash(secret))
		return err
	})
	if err != nil {
		return Token{}, fmt.Errorf("find a token: %w", err)
	}
	return t, nil
}

// Use marks a token as used; of many at once one succeeds, the others get [ErrUsed].
func (k *Keeper) Use(ctx context.Context, kind Kind, secret string) error {
	err := k.c.Store.Update(ctx, func(tx Tx) error {
		ok, err := tx.UseToken(ctx, kind, hash(secret), k.now())
		if err == nil && !ok {
			err = ErrUsed
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("use a token: %w", err)
	}
	return nil
}

// Drop removes a token.
func (k *Keeper) Drop(ctx context.Context, kind Kind, secret string) error {
	err := k.c.Store.Update(ctx, func(tx Tx) error { return tx.DropToken(ctx, kind, hash(secret)) })
	if err != nil {
		return fmt.Errorf("drop a token: %w", err)
	}
	return nil
}

// EndGrant removes everything that descends from an authorization, and records why. Ending what has
// ended records nothing.
func (k *Keeper) EndGrant(ctx context.Context, grant, why string) error {
	err := k.c.Store.Update(ctx, func(tx Tx) error {
		t, err := tx.DropGrant(ctx, grant)
		if isNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, event(tx, "oidc.ended", t.IIN, t.Client, why, nil))
	})
	if err != nil {
		return fmt.Errorf("end an authorization: %w", err)
	}
	return nil
}
