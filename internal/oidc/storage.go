package oidc

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"senim/internal/relying"
	"senim/pki"
)

// storage is what the library keeps, in the relying package's terms. A secret a client holds is never
// kept, only its hash.
type storage struct{ p *Provider }

// record is a request of the library, as it is kept.
type record struct {
	ID                 string
	At                 time.Time
	Client             string
	Requested, Granted []string
	Form               url.Values
	Session            *session
}

// keepFor is how long a token stays in the table: a code for a day, so that one that comes again is
// known for what it is.
func keepFor(kind relying.Kind) time.Duration {
	switch kind {
	case relying.Code:
		return 24 * time.Hour
	case relying.Refresh:
		return refreshLife
	case relying.Access, relying.Challenge, relying.OpenID, relying.Assertion:
	}
	return accessLife
}

func (s *storage) put(ctx context.Context, kind relying.Kind, secret string, r fosite.Requester) error {
	who, ok := r.GetSession().(*session)
	if !ok {
		return errors.New("keep a token: a session of another make")
	}
	b, err := json.Marshal(record{ID: r.GetID(), At: r.GetRequestedAt(), Client: r.GetClient().GetID(),
		Requested: r.GetRequestedScopes(), Granted: r.GetGrantedScopes(), Form: r.GetRequestForm(), Session: who})
	if err != nil {
		return err
	}
	cert, err := pki.ParseCertificate(who.Certificate)
	if err != nil {
		return err
	}
	sum := cert.Fingerprint()
	return s.p.keeper.Put(ctx, secret, relying.Token{Kind: kind, Grant: r.GetID(), Client: r.GetClient().GetID(), IIN: who.IIN, ActsAs: cmp.Or(who.Profile, who.BIN),
		Serial: cert.SerialHex(), Fingerprint: hex.EncodeToString(sum[:]), Data: b, Expires: s.p.c.Now().Add(keepFor(kind))})
}

// get reads a token and whether it was used.
func (s *storage) get(ctx context.Context, kind relying.Kind, secret string, into fosite.Session) (r *fosite.Request, used bool, err error) {
	t, err := s.p.keeper.Find(ctx, kind, secret)
	if errors.Is(err, relying.ErrNotFound) {
		return nil, false, fosite.ErrNotFound
	}
	if err != nil {
		return nil, false, err
	}
	who, ok := into.(*session)
	if !ok || who == nil {
		who = emptySession()
	}
	rec := record{Session: who}
	if err := json.Unmarshal(t.Data, &rec); err != nil {
		return nil, false, err
	}
	c, err := s.GetClient(ctx, rec.Client)
	if err != nil {
		return nil, false, err
	}
	return &fosite.Request{ID: rec.ID, RequestedAt: rec.At, Client: c, RequestedScope: rec.Requested, GrantedScope: rec.Granted,
		Form: rec.Form, Session: who}, !t.Used.IsZero(), nil
}

// GetClient finds a registered client.
func (s *storage) GetClient(_ context.Context, id string) (fosite.Client, error) {
	c, ok := s.p.clients[id]
	if !ok {
		return nil, fosite.ErrNotFound
	}
	return c, nil
}

// ClientAssertionJWTValid refuses an assertion that came before.
func (s *storage) ClientAssertionJWTValid(ctx context.Context, jti string) error {
	_, err := s.p.keeper.Find(ctx, relying.Assertion, jti)
	if errors.Is(err, relying.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = fosite.ErrJTIKnown
	}
	return err
}

// SetClientAssertionJWT notes an assertion; of many at once one is noted, the others are refused.
func (s *storage) SetClientAssertionJWT(ctx context.Context, jti string, exp time.Time) error {
	err := s.p.keeper.Put(ctx, jti, relying.Token{Kind: relying.Assertion, Data: []byte("{}"), Expires: s.p.c.Now().Add(time.Until(exp) + time.Minute)})
	if errors.Is(err, relying.ErrUsed) {
		return fosite.ErrJTIKnown
	}
	if err != nil {
		return fosite.ErrServerError.WithWrap(err).WithDebug(err.Error())
	}
	return nil
}

func (s *storage) CreateAuthorizeCodeSession(ctx context.Context, code string, r fosite.Requester) error {
	return s.put(ctx, relying.Code, code, r)
}

func (s *storage) GetAuthorizeCodeSession(ctx context.Context, code string, into fosite.Session) (fosite.Requester, error) {
	r, used, err := s.get(ctx, relying.Code, code, into)
	if err != nil {
		return nil, err
	}
	if used {
		return r, fosite.ErrInvalidatedAuthorizeCode
	}
	return r, nil
}

func (s *storage) InvalidateAuthorizeCodeSession(ctx context.Context, code string) error {
	err := s.p.keeper.Use(ctx, relying.Code, code)
	if errors.Is(err, relying.ErrUsed) {
		return fosite.ErrInvalidatedAuthorizeCode
	}
	return err
}

func (s *storage) CreatePKCERequestSession(ctx context.Context, code string, r fosite.Requester) error {
	return s.put(ctx, relying.Challenge, code, r)
}

func (s *storage) GetPKCERequestSession(ctx context.Context, code string, into fosite.Session) (fosite.Requester, error) {
	return s.read(ctx, relying.Challenge, code, into)
}

func (s *storage) DeletePKCERequestSession(ctx context.Context, code string) error {
	return s.spend(ctx, code)
}

func (s *storage) CreateOpenIDConnectSession(ctx context.Context, code string, r fosite.Requester) error {
	return s.put(ctx, relying.OpenID, code, r)
}

func (s *storage) GetOpenIDConnectSession(ctx context.Context, code string, _ fosite.Requester) (fosite.Requester, error) {
	return s.read(ctx, relying.OpenID, code, nil)
}

func (s *storage) DeleteOpenIDConnectSession(ctx context.Context, code string) error {
	return s.p.keeper.Drop(ctx, relying.OpenID, code)
}

func (s *storage) CreateAccessTokenSession(ctx context.Context, signature string, r fosite.Requester) error {
	return s.put(ctx, relying.Access, signature, r)
}

func (s *storage) GetAccessTokenSession(ctx context.Context, signature string, into fosite.Session) (fosite.Requester, error) {
	return s.read(ctx, relying.Access, signature, into)
}

func (s *storage) DeleteAccessTokenSession(ctx context.Context, signature string) error {
	return s.p.keeper.Drop(ctx, relying.Access, signature)
}

func (s *storage) CreateRefreshTokenSession(ctx context.Context, signature, _ string, r fosite.Requester) error {
	return s.put(ctx, relying.Refresh, signature, r)
}

func (s *storage) GetRefreshTokenSession(ctx context.Context, signature string, into fosite.Session) (fosite.Requester, error) {
	r, used, err := s.get(ctx, relying.Refresh, signature, into)
	if err != nil {
		return nil, err
	}
	if used {
		return r, fosite.ErrInactiveToken
	}
	return r, nil
}

func (s *storage) DeleteRefreshTokenSession(ctx context.Context, signature string) error {
	return s.p.keeper.Drop(ctx, relying.Refresh, signature)
}

// RotateRefreshToken marks the token that was shown; of two who show it at once one gets new ones.
func (s *storage) RotateRefreshToken(ctx context.Context, _, signature string) error {
	err := s.p.keeper.Use(ctx, relying.Refresh, signature)
	if errors.Is(err, relying.ErrUsed) {
		return fosite.ErrInactiveToken
	}
	return err
}

// RevokeRefreshToken and RevokeAccessToken end everything of an authorization: the library asks for it
// when a code or a refresh token came twice, and when a client gives one back.
func (s *storage) RevokeRefreshToken(ctx context.Context, grant string) error {
	return s.p.keeper.EndGrant(ctx, grant, why(ctx))
}

// RevokeAccessToken is [storage.RevokeRefreshToken].
func (s *storage) RevokeAccessToken(ctx context.Context, grant string) error {
	return s.p.keeper.EndGrant(ctx, grant, why(ctx))
}

func (s *storage) read(ctx context.Context, kind relying.Kind, secret string, into fosite.Session) (fosite.Requester, error) {
	r, _, err := s.get(ctx, kind, secret, into)
	if err != nil {
		return nil, err
	}
	return r, nil
}

type whyKey struct{}

// because says for what reason the library will end an authorization in this call.
func because(ctx context.Context, reason string) context.Context {
	return context.WithValue(ctx, whyKey{}, reason)
}

func why(ctx context.Context) string {
	if s, ok := ctx.Value(whyKey{}).(string); ok {
		return s
	}
	return "reused"
}
