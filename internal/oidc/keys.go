package oidc

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite/token/jwt"

	"senim/internal/relying"
)

// keyBits is the length of the keys that sign ID tokens, with RS256: every library has that.
const keyBits = 2048

// keysFor is how long the ring is kept in memory; a new key is published a day before it signs.
const keysFor = time.Minute

// keys signs ID tokens with the key whose turn it is, and knows the others that are published. It is
// the library's signer.
type keys struct {
	keeper *relying.Keeper
	now    func() time.Time

	mu   sync.Mutex
	ring relying.Ring             // under mu
	all  map[int]*jose.JSONWebKey // under mu, by number
	read time.Time                // under mu
}

var _ jwt.Signer = (*keys)(nil)

// current gives the ring, read again every minute.
func (k *keys) current(ctx context.Context) (relying.Ring, map[int]*jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if age := k.now().Sub(k.read); k.all != nil && age >= 0 && age < keysFor {
		return k.ring, k.all, nil
	}
	ring, err := k.keeper.Keys(ctx, func() ([]byte, error) {
		key, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS8PrivateKey(key)
	})
	if err != nil {
		return nil, nil, err
	}
	all := map[int]*jose.JSONWebKey{}
	for _, one := range ring {
		if all[one.Number], err = readKey(one); err != nil {
			return nil, nil, err
		}
	}
	k.ring, k.all, k.read = ring, all, k.now()
	return ring, all, nil
}

// readKey names a key by its thumbprint (RFC 7638).
func readKey(k relying.Key) (*jose.JSONWebKey, error) {
	private, err := x509.ParsePKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("key %d of ID tokens: %w", k.Number, err)
	}
	j := &jose.JSONWebKey{Key: private, Algorithm: string(jose.RS256), Use: "sig"}
	print, err := j.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("key %d of ID tokens: %w", k.Number, err)
	}
	j.KeyID = base64.RawURLEncoding.EncodeToString(print)
	return j, nil
}

// published are the public keys, the one to come among them.
func (k *keys) published(ctx context.Context) (jose.JSONWebKeySet, error) {
	ring, all, err := k.current(ctx)
	var set jose.JSONWebKeySet
	for _, one := range ring {
		set.Keys = append(set.Keys, all[one.Number].Public())
	}
	return set, err
}

func (k *keys) signing(ctx context.Context) (any, error) {
	ring, all, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	return all[ring.Signing(k.now()).Number], nil
}

// Generate signs claims; the header names the key.
func (k *keys) Generate(ctx context.Context, claims jwt.MapClaims, header jwt.Mapper) (token, signature string, err error) {
	return (&jwt.DefaultSigner{GetPrivateKey: k.signing}).Generate(ctx, claims, header)
}

// Decode reads a token signed with any published key.
func (k *keys) Decode(ctx context.Context, token string) (*jwt.Token, error) {
	parsed, err := jose.ParseSigned(token)
	if err != nil {
		return nil, err
	}
	_, all, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if len(parsed.Signatures) == 1 && parsed.Signatures[0].Header.KeyID == one.KeyID {
			return (&jwt.DefaultSigner{GetPrivateKey: func(context.Context) (any, error) { return one, nil }}).Decode(ctx, token)
		}
	}
	return nil, errors.New("signed with no key of ours")
}

// Validate reads a token and gives its signature.
func (k *keys) Validate(ctx context.Context, token string) (string, error) {
	if _, err := k.Decode(ctx, token); err != nil {
		return "", err
	}
	return k.GetSignature(ctx, token)
}

// Hash, GetSignature and GetSigningMethodLength are the library's own.
func (*keys) Hash(ctx context.Context, in []byte) ([]byte, error) {
	return (&jwt.DefaultSigner{}).Hash(ctx, in)
}

// GetSignature gives the last part of a token.
func (*keys) GetSignature(ctx context.Context, token string) (string, error) {
	return (&jwt.DefaultSigner{}).GetSignature(ctx, token)
}

// GetSigningMethodLength is the length of RS256's hash.
func (*keys) GetSigningMethodLength(ctx context.Context) int {
	return (&jwt.DefaultSigner{}).GetSigningMethodLength(ctx)
}
