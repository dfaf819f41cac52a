// Package relying keeps what the portal, as an OpenID Connect provider, knows about other services:
// the relying parties an operator registered, what people allowed them, and the tokens they hold.
//
// [ParseClients] reads the operator's file. A [Keeper] keeps requests to sign in while a person is
// led through sign-in, consents, tokens by their hashes, and the keys that sign ID tokens. The
// protocol itself is not here.
//
// It refuses a request of another browser, one that is over, and a token that came twice: then
// everything given with it ends.
package relying

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
)

// Config makes a [Keeper].
type Config struct {
	// Store keeps everything. Required.
	Store Store
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Random is where ids come from; crypto/rand by default.
	Random io.Reader
}

// Keeper keeps requests, consents, tokens and keys. It is safe for concurrent use.
type Keeper struct{ c Config }

// New checks the configuration.
func New(c Config) (*Keeper, error) {
	if c.Store == nil {
		return nil, errors.New("keep relying parties: no store")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	return &Keeper{c: c}, nil
}

// now is the keeper's time in whole milliseconds, as the store keeps it.
func (k *Keeper) now() time.Time { return k.c.Now().UTC().Truncate(time.Millisecond) }

// id makes 32 random bytes in base64url.
func (k *Keeper) id() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(k.c.Random, b); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// hash is the name under which a secret is kept.
func hash(secret string) string {
	sum := sha256.Sum256([]byte("senim relying\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// event makes an audit event of a person and a service.
func event(tx Tx, action string, iin ident.IIN, client, result string, detail map[string]string) audit.Event {
	e := audit.Event{Action: action, Actor: "browser", Object: client, Result: result, Detail: map[string]string{}}
	if iin != "" {
		e.Actor = tx.Hash(string(iin))
	}
	maps.Copy(e.Detail, detail)
	return e
}

// Subject names a person to one client: another client gets another name, and none of them can be
// turned back into an IIN or joined with the other's without the installation's key.
func (k *Keeper) Subject(ctx context.Context, client string, iin ident.IIN) (string, error) {
	m, err := k.Secret(ctx, "oidc-subject", client+"\x00"+string(iin))
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(m), nil
}

// Secret derives 32 bytes for a purpose from the installation's key; every node derives the same.
func (k *Keeper) Secret(ctx context.Context, purpose, value string) ([]byte, error) {
	var m []byte
	err := k.c.Store.View(ctx, func(tx Tx) error {
		m = tx.Mac(purpose, value)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("derive a secret: %w", err)
	}
	return m, nil
}
