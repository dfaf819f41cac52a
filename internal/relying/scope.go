package relying

import (
	"slices"
	"strings"
	"time"
)

// The scopes: what a client may be given.
const (
	ScopeOpenID       = "openid"
	ScopeProfile      = "profile"
	ScopeEmail        = "email"
	ScopeIIN          = "iin"
	ScopeOrganization = "organization"
	ScopeCertificate  = "certificate"
	// ScopeOffline gives a refresh token: access while the person is not there.
	ScopeOffline = "offline_access"
)

// Scopes lists every scope, in the order people are asked about them.
func Scopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeIIN, ScopeOrganization, ScopeCertificate, ScopeOffline}
}

// accountOnly scopes mean nothing without an account of the portal.
func accountOnly(scope string) bool { return scope == ScopeEmail || scope == ScopeOffline }

// Level is how a person signed in.
type Level string

// The levels: a certificate and the password of the portal's account, acting for a profile; or a
// certificate alone, without any account here.
const (
	Account     Level = "account"
	Certificate Level = "certificate"
)

// ACR is the level's name in the protocol.
func (l Level) ACR() string { return "urn:senim:acr:" + string(l) }

// The second methods of [Level.AMR].
const (
	ByPassword = "pwd"
	ByPasskey  = "user" // a device asked its person
)

// AMR lists the methods of RFC 8176: possession of a key, and at an account a second factor, which is not
// claimed when it is not known. Whether a key was in a file or on a carrier is never known.
func (l Level) AMR(second string) []string {
	switch {
	case l != Account:
		return []string{"pop"}
	case second == "":
		return []string{"pop", "mfa"}
	}
	return []string{"pop", second, "mfa"}
}

// Level chooses how the person signs in: the first of the wished acr_values that the client may have,
// else the client's first. What was done stands in the ID token.
func (c Client) Level(acrValues string) Level {
	for _, v := range strings.Fields(acrValues) {
		for _, l := range c.Levels {
			if l.ACR() == v {
				return l
			}
		}
	}
	return c.Levels[0]
}

// Given is what the client gets of what it asked: never more than it was registered for, nor what the
// level cannot answer.
func (c Client) Given(asked []string, l Level) []string {
	var given []string
	for _, s := range Scopes() {
		if slices.Contains(asked, s) && slices.Contains(c.Scopes, s) && (l == Account || !accountOnly(s)) {
			given = append(given, s)
		}
	}
	return given
}

// Facts are what is known of a person who signed in.
type Facts struct {
	Name, Locale, Email string
	IIN                 string
	BIN, Organization   string
	Role                string // the profile's type; of a certificate alone, its first role
	Serial              string
	NotAfter            time.Time
	Policies            []string
}

// Claims are the facts that some scopes give, by the names of the protocol. Facts that are not there
// are left out.
func (f Facts) Claims(scopes []string) map[string]any {
	claims := map[string]any{}
	put := func(in map[string]any, name, value string) {
		if value != "" {
			in[name] = value
		}
	}
	for _, s := range scopes {
		switch s {
		case ScopeProfile:
			put(claims, "name", f.Name)
			put(claims, "locale", f.Locale)
		case ScopeEmail:
			put(claims, "email", f.Email)
			if f.Email != "" {
				claims["email_verified"] = true // an account has no other address
			}
		case ScopeIIN:
			put(claims, "iin", f.IIN)
		case ScopeOrganization:
			o := map[string]any{}
			put(o, "bin", f.BIN)
			put(o, "name", f.Organization)
			put(o, "role", f.Role)
			if len(o) > 0 {
				claims["organization"] = o
			}
		case ScopeCertificate:
			c := map[string]any{"not_after": f.NotAfter.Unix(), "policy": f.Policies}
			put(c, "serial", f.Serial)
			claims["certificate"] = c
		}
	}
	return claims
}
