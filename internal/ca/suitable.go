package ca

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"senim/algid"
	"senim/internal/weakkey"
	"senim/pki"
)

// blocked is the list of compromised keys, replaced as a whole.
type blocked struct {
	read func(context.Context) (weakkey.List, error) // nil: there is no list
	now  atomic.Pointer[weakkey.List]
}

// load reads the list again. When that fails the old one stays in force and the error is told.
func (b *blocked) load(ctx context.Context) error {
	if b.read == nil {
		return nil
	}
	l, err := b.read(ctx)
	if err != nil {
		return err
	}
	b.now.Store(&l)
	return nil
}

func (b *blocked) has(spki []byte) bool {
	l := b.now.Load()
	return l != nil && l.Has(spki)
}

// suitable refuses keys that the profile is not given to, weak and compromised ones, and those of
// the authorities themselves. It returns the key as we write it: one key has one such form, whatever
// the request's encoding.
func (s *Service) suitable(p Profile, req *pki.Request) ([]byte, error) {
	refuse := func(format string, args ...any) ([]byte, error) {
		return nil, &Refusal{CodeKeyUnsuitable, fmt.Sprintf(format, args...)}
	}
	rule, ok := p.Key(req.Key)
	if !ok {
		return refuse("profile %s is not given to %s keys", p.Name, req.Key)
	}
	if k, ok := req.PublicKey.(*rsa.PublicKey); ok && (k.N.BitLen() < rule.MinBits || k.N.BitLen() > rule.MaxBits) {
		return refuse("profile %s is given to RSA keys of %d to %d bits, not of %d", p.Name, rule.MinBits, rule.MaxBits, k.N.BitLen())
	}
	if err := weakkey.Check(req.PublicKey); err != nil {
		return refuse("%s", err)
	}
	spki, err := algid.MarshalPublicKey(req.PublicKey)
	if err != nil {
		return refuse("%s", err)
	}
	if s.blocked.has(spki) {
		return refuse("the key is on the list of compromised keys")
	}
	for _, name := range s.order {
		own, err := algid.MarshalPublicKey(s.authorities[name].cert.PublicKey)
		if err != nil || bytes.Equal(own, spki) {
			return refuse("the key is that of an authority")
		}
	}
	return spki, nil
}

// taken says why a record could not be reserved: its key was certified before, at whichever
// authority, or its serial is another certificate's. The services' keys have records as well.
func taken(ctx context.Context, tx Tx, r Record) error {
	old, err := tx.ByKey(ctx, r.Key)
	switch {
	case err == nil && old.Revoked != nil && old.Revoked.Reason == KeyCompromise:
		return &Refusal{CodeKeyReused, "the public key is that of a certificate revoked because its key was compromised"}
	case err == nil:
		return &Refusal{CodeKeyReused, "the public key has been certified or reserved before"}
	case !errors.Is(err, ErrNotFound):
		return err
	}
	if old, err = tx.BySerial(ctx, r.Serial); err != nil {
		return err
	}
	if strings.HasPrefix(old.Key, lostKey) { // of a lost certificate: the serial is all that is known of the key
		return &Refusal{CodeKeyReused, "the public key has been certified before"}
	}
	return &Refusal{CodeKeyUnsuitable, "the serial that comes from the key is taken"}
}
