package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"senim/internal/relying"
)

// client dresses a relying party as the library wants it.
type client struct {
	*fosite.DefaultOpenIDConnectClient
	relying.Client
}

// GetID settles which of the two embedded names is meant.
func (c client) GetID() string { return c.Client.ID }

// errSecret says no more than that the secret is not the client's.
var errSecret = errors.New("not the client's secret")

// secrets compares a client's secret by the registered SHA-256; what the library calls the hash is
// here all of the client's, so that a secret can be replaced without a gap.
type secrets struct{}

func (secrets) Hash(context.Context, []byte) ([]byte, error) { return nil, errors.ErrUnsupported }

func (secrets) Compare(_ context.Context, hash, secret []byte) error {
	if len(hash) == 0 || len(secret) == 0 || !(relying.Client{Secrets: []string{string(hash)}}).Holds(string(secret)) {
		return errSecret
	}
	return nil
}

func newClient(c relying.Client) (client, error) {
	grants := []string{"authorization_code"}
	for _, s := range c.Scopes {
		if s == relying.ScopeOffline {
			grants = append(grants, "refresh_token")
		}
	}
	d := &fosite.DefaultOpenIDConnectClient{
		DefaultClient: &fosite.DefaultClient{ID: c.ID, RedirectURIs: c.Redirects, GrantTypes: grants, ResponseTypes: []string{"code"},
			Scopes: c.Scopes, Public: c.Public()},
		TokenEndpointAuthMethod: string(c.Auth),
	}
	for i, s := range c.Secrets {
		if i == 0 {
			d.Secret = []byte(s)
		} else {
			d.RotatedSecrets = append(d.RotatedSecrets, []byte(s))
		}
	}
	if c.Auth == relying.AuthJWT {
		var err error
		if d.JSONWebKeys, d.TokenEndpointAuthSigningAlgorithm, err = readKeys(c.Keys); err != nil {
			return client{}, fmt.Errorf("client %q: %w", c.ID, err)
		}
	}
	return client{d, c}, nil
}

// readKeys reads a client's public keys, all RSA (2048 bits or more) or all P-256, and says with which
// algorithm it signs.
func readKeys(raw []byte) (*jose.JSONWebKeySet, string, error) {
	set := &jose.JSONWebKeySet{}
	if err := json.Unmarshal(raw, set); err != nil {
		return nil, "", fmt.Errorf("jwks: %w", err)
	}
	algorithm := ""
	for _, k := range set.Keys {
		one := ""
		switch key := k.Key.(type) {
		case *rsa.PublicKey:
			if key.N.BitLen() >= 2048 {
				one = "RS256"
			}
		case *ecdsa.PublicKey:
			if key.Curve == elliptic.P256() {
				one = "ES256"
			}
		}
		switch {
		case one == "" || !k.IsPublic() || !k.Valid():
			return nil, "", errors.New("jwks: public keys only, RSA of 2048 bits or more, or P-256")
		case k.Use != "sig":
			return nil, "", errors.New(`jwks: every key says "use": "sig"`)
		case algorithm != "" && algorithm != one:
			return nil, "", errors.New("jwks: keys of one kind only")
		}
		algorithm = one
	}
	if algorithm == "" {
		return nil, "", errors.New("jwks: no keys")
	}
	return set, algorithm, nil
}
