package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/relying"
	"senim/internal/trust"
	"senim/pki"
)

// session is what every token of an authorization carries: the library's part, and who it is.
type session struct {
	*openid.DefaultSession
	IIN         ident.IIN     `json:"iin"`
	Profile     string        `json:"profile,omitempty"`
	KeyBIN      string        `json:"key_bin,omitempty"`
	BIN         string        `json:"bin,omitempty"`
	Level       relying.Level `json:"level"`
	Certificate []byte        `json:"certificate"`
	Began       time.Time     `json:"began"`
}

func emptySession() *session { return &session{DefaultSession: openid.NewDefaultSession()} }

// Clone copies the session with everything in it.
func (s *session) Clone() fosite.Session {
	copied := emptySession()
	b, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(b, copied)
	}
	if err != nil {
		return emptySession() // names nobody: the library refuses it
	}
	return copied
}

// newSession is the session of an authorization that begins now.
func (p *Provider) newSession(ctx context.Context, w wish, made time.Time, who Person) (*session, error) {
	subject, err := p.keeper.Subject(ctx, w.client.ID, who.IIN)
	if err != nil {
		return nil, err
	}
	s := emptySession()
	s.IIN, s.Profile, s.KeyBIN, s.BIN, s.Level, s.Certificate, s.Began = who.IIN, who.Profile, who.KeyBIN, who.BIN, w.level, who.Certificate.Raw, p.c.Now().UTC()
	s.Subject = subject
	// The library and the services live by the machine's clock, which differs from ours only where a
	// demonstration moves it: both moments are carried over by one shift.
	shift := time.Since(p.c.Now())
	s.Claims = &jwt.IDTokenClaims{Subject: subject, RequestedAt: made.Add(shift).UTC(), AuthTime: who.SignedAt.Add(shift).UTC(),
		AuthenticationContextClassReference: w.level.ACR(), AuthenticationMethodsReferences: w.level.AMR(who.second())}
	return s, nil
}

// errGone says that the person may not be there any more; its text is the reason for the audit.
type errGone string

func (e errGone) Error() string { return string(e) }

// errUnchecked says that the certificate's status could not be learned: neither yes nor no.
var errUnchecked = errors.New("the certificate could not be checked")

// standing checks that the person of a session may still be vouched for: account and profile active,
// and, when the certificate is asked about too, that it is good now. It gives an [errGone],
// errUnchecked, or what went wrong.
func (p *Provider) standing(ctx context.Context, s *session, certificate bool) error {
	if p.c.Now().Sub(s.Began) > grantLife {
		return errGone("too_old")
	}
	if s.Level == relying.Account {
		if _, err := p.account(ctx, s); err != nil {
			return err
		}
	}
	if !certificate {
		return nil
	}
	cert, err := pki.ParseCertificate(s.Certificate)
	if err != nil {
		return err
	}
	purpose := trust.Any
	report := p.c.Judge.Certificate(ctx, cert, purpose)
	switch report.Verdict() {
	case trust.Good:
		return nil
	case trust.Bad:
		return errGone("certificate")
	case trust.Unknown:
	}
	return errUnchecked
}

// account reads the account and the profile of a session; errGone when either may not be used.
func (p *Provider) account(ctx context.Context, s *session) (relying.Facts, error) {
	a, err := p.c.Office.Account(ctx, s.IIN)
	var denied *participant.Denied
	switch {
	case errors.As(err, &denied):
		return relying.Facts{}, errGone("account")
	case err != nil:
		return relying.Facts{}, err
	case a.State != participant.AccountActive:
		return relying.Facts{}, errGone("account")
	}
	profile, err := p.c.Office.Choose(ctx, s.IIN, s.Profile, s.KeyBIN)
	switch {
	case errors.As(err, &denied), errors.Is(err, participant.ErrNotFound):
		return relying.Facts{}, errGone("profile")
	case err != nil:
		return relying.Facts{}, err
	}
	f := relying.Facts{Name: a.Name, Locale: string(a.Lang), Role: string(profile.Type)}
	if !a.EmailConfirmed.IsZero() {
		f.Email = a.Email
	}
	if profile.Type.Enterprise() { // any other tin is an IIN, the person's own or that of whom he acts for
		f.BIN = profile.TIN
	}
	if profile.Type != participant.TypeIndividual {
		f.Organization = profile.Name
	}
	return f, nil
}

// facts are everything that may be told of the person of a session.
func (p *Provider) facts(ctx context.Context, s *session) (f relying.Facts, err error) {
	cert, err := pki.ParseCertificate(s.Certificate)
	if err != nil {
		return f, err
	}
	h := cert.Holder()
	if s.Level == relying.Account {
		if f, err = p.account(ctx, s); err != nil {
			return f, err
		}
	} else {
		f.Name, f.BIN, f.Organization = strings.TrimSpace(h.CommonName+" "+h.Given), h.BIN, h.Organization
		if len(h.Roles) > 0 && h.BIN != "" {
			f.Role = h.Roles[len(h.Roles)-1].String()
		}
	}
	f.IIN, f.Serial, f.NotAfter = string(s.IIN), cert.SerialHex(), cert.NotAfter
	for _, o := range cert.Policies {
		f.Policies = append(f.Policies, o.String())
	}
	return f, nil
}
