package ca

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"

	"senim/algid"
)

// inToken reports that a key of this name is made by a [Maker].
func inToken(name string) bool { return strings.HasPrefix(name, TokenKey) }

// wish is a key that a token will make.
type wish struct {
	kind algid.Key
	bits int
}

// place is where the keys of an authority are.
func (m *making) place(a *party) Keys {
	if a.issuing() {
		return m.Keys
	}
	return m.Upper.Keys
}

// free refuses a plan whose token cannot be used, or has a key of one of the names.
func (m *making) free(ctx context.Context, a *party) error {
	if !inToken(a.keyName) {
		return nil
	}
	names := []string{a.keyName}
	for _, k := range a.services() {
		names = append(names, firstKey(a, k))
	}
	for _, name := range names {
		wrong := &PlanError{Authority: a.name, Field: "token", Why: "the token has a key " + strings.TrimPrefix(name, TokenKey) + " already", Exists: true}
		_, err := m.place(a).Key(ctx, name)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			wrong.Why, wrong.Exists = err.Error(), false
		}
		return wrong
	}
	return nil
}

// keep makes a new key durable, and has the token make those that belong there. The line before says which
// key there may be though nothing else speaks of it.
func (m *making) keep(ctx context.Context, keys Keys, name string) (crypto.Signer, error) {
	key, done := m.keys[name], "sealed"
	if w, ok := m.wishes[name]; ok {
		if err := m.note("key %s: the token makes it", name); err != nil {
			return nil, err
		}
		var err error
		if key, err = makeIn(ctx, keys, name, w); err != nil {
			return nil, err
		}
		m.keys[name], done = key, "kept in the token"
	} else if err := keys.Keep(ctx, name, key); err != nil {
		return nil, fmt.Errorf("keep key %s: %w", name, err)
	}
	return key, m.note("key %s: made and %s, %s, id %x", name, done, algid.KeyOf(key.Public()), algid.KeyID(key.Public()))
}

func makeIn(ctx context.Context, keys Keys, name string, w wish) (crypto.Signer, error) {
	maker, ok := keys.(Maker)
	if !ok {
		return nil, fmt.Errorf("make key %s: %w: none is named", name, ErrKeyAway)
	}
	key, err := maker.Make(ctx, name, w.kind, w.bits)
	if err != nil {
		return nil, fmt.Errorf("make key %s: %w", name, err)
	}
	return key, nil
}

// newKey makes a key of a service where that of its authority is; one that no token made is still to be kept.
func (s *Service) newKey(ctx context.Context, name string, w wish) (crypto.Signer, error) {
	if inToken(name) {
		return makeIn(ctx, s.keys, name, w)
	}
	return generate(w.kind, w.bits, s.rand)
}
