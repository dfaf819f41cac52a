// Package passkey asks authenticators of people (WebAuthn) and checks what they answer.
//
// A [Desk] serves one origin. [Desk.Create] and [Desk.Created] make a credential, [Desk.Ask] and
// [Desk.Answered] have one used. What goes to the page is JSON for the browser; what is kept meanwhile is
// the caller's, in the visitor's own session, and taken out before an answer is checked, so that it is good
// once.
//
// It refuses, with [ErrRefused], an answer for another origin or challenge, of an authenticator that did not
// verify its person (PIN or biometry), of a credential that is not his, and of one that seems to have been
// copied. It does not ask who made the authenticator.
package passkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// ErrRefused says that an answer is not good.
var ErrRefused = errors.New("passkey refused")

// life is how long an authenticator may take.
const life = 5 * time.Minute

// Person is who has, or makes, a credential.
type Person struct {
	// Handle is what authenticators know him by; nothing personal.
	Handle string
	// Name is shown by the authenticator.
	Name string
	// Credentials are those he has, as [Desk.Created] and [Desk.Answered] gave them.
	Credentials []string
}

// Desk asks and checks. It is safe for concurrent use.
type Desk struct {
	w   *webauthn.WebAuthn
	now func() time.Time
}

// Possible reports whether browsers have passkeys for an origin at all: https, or this machine, by name.
func Possible(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" {
		return false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return false
	}
	return u.Scheme == "https" || u.Hostname() == "localhost"
}

// New opens a desk for the site of an origin; name is how authenticators call the site.
func New(origin, name string, now func() time.Time) (*Desk, error) {
	u, err := url.Parse(origin)
	if err != nil || !Possible(origin) {
		return nil, fmt.Errorf("open passkeys: no passkeys at %q", origin)
	}
	w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: name, RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation, AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, fmt.Errorf("open passkeys: %w", err)
	}
	return &Desk{w: w, now: now}, nil
}

// kept is what stands in the session between question and answer.
type kept struct {
	Data  webauthn.SessionData `json:"data"`
	Until time.Time            `json:"until"`
}

// Create asks for a new credential of the person: options for the browser, and what is to be kept.
func (d *Desk) Create(p Person) (options, keep string, err error) {
	u, err := userOf(p)
	if err != nil {
		return "", "", err
	}
	creation, data, err := d.w.BeginRegistration(u, webauthn.WithExclusions(webauthn.Credentials(u.credentials).CredentialDescriptors()))
	if err != nil {
		return "", "", fmt.Errorf("ask for a passkey: %w", err)
	}
	return d.asked(creation.Response, data)
}

// Created checks the answer, and gives the credential to keep for the person.
func (d *Desk) Created(p Person, keep, answer string) (string, error) {
	u, err := userOf(p)
	if err != nil {
		return "", err
	}
	data, err := d.taken(keep)
	if err != nil {
		return "", err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	c, err := d.w.CreateCredential(u, data, parsed)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if !c.Flags.UserVerified {
		return "", fmt.Errorf("%w: its person was not verified", ErrRefused)
	}
	return text(*c)
}

// Ask asks for an answer of one of the person's credentials.
func (d *Desk) Ask(p Person) (options, keep string, err error) {
	u, err := userOf(p)
	if err != nil {
		return "", "", err
	}
	assertion, data, err := d.w.BeginLogin(u)
	if err != nil {
		return "", "", fmt.Errorf("ask a passkey: %w", err)
	}
	return d.asked(assertion.Response, data)
}

// Answered checks the answer: which of the person's credentials it was, and how that is to be kept now.
func (d *Desk) Answered(p Person, keep, answer string) (which int, credential string, err error) {
	u, err := userOf(p)
	if err != nil {
		return 0, "", err
	}
	data, err := d.taken(keep)
	if err != nil {
		return 0, "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return 0, "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	c, err := d.w.ValidateLogin(u, data, parsed)
	switch {
	case err != nil:
		return 0, "", fmt.Errorf("%w: %w", ErrRefused, err)
	case c.Authenticator.CloneWarning:
		return 0, "", fmt.Errorf("%w: its count went back, so there may be two of it", ErrRefused)
	}
	for i, known := range u.credentials {
		if bytes.Equal(known.ID, c.ID) {
			credential, err = text(*c)
			return i, credential, err
		}
	}
	return 0, "", fmt.Errorf("%w: not one of the person's", ErrRefused)
}

func (d *Desk) asked(options any, data *webauthn.SessionData) (string, string, error) {
	o, err := json.Marshal(options)
	if err != nil {
		return "", "", fmt.Errorf("write a question to a passkey: %w", err)
	}
	k, err := json.Marshal(kept{*data, d.now().Add(life).UTC()})
	if err != nil {
		return "", "", fmt.Errorf("write a question to a passkey: %w", err)
	}
	return string(o), string(k), nil
}

// taken reads what was kept; nothing kept, or too long ago, is a refusal.
func (d *Desk) taken(keep string) (webauthn.SessionData, error) {
	var k kept
	if err := json.Unmarshal([]byte(keep), &k); err != nil {
		return k.Data, fmt.Errorf("%w: nothing was asked", ErrRefused)
	}
	if d.now().After(k.Until) {
		return k.Data, fmt.Errorf("%w: too late", ErrRefused)
	}
	return k.Data, nil
}

// text is how a credential is kept: what verifies answers, without the authenticator's papers.
func text(c webauthn.Credential) (string, error) {
	c.Attestation = webauthn.CredentialAttestation{}
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write a passkey: %w", err)
	}
	return string(b), nil
}

// user is a [Person] as the library wants him.
type user struct {
	Person
	credentials []webauthn.Credential
}

func userOf(p Person) (*user, error) {
	u := &user{Person: p}
	for _, s := range p.Credentials {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(s), &c); err != nil {
			return nil, fmt.Errorf("read a passkey: %w", err)
		}
		u.credentials = append(u.credentials, c)
	}
	return u, nil
}

func (u *user) WebAuthnID() []byte                         { return []byte(u.Handle) }
func (u *user) WebAuthnName() string                       { return u.Name }
func (u *user) WebAuthnDisplayName() string                { return u.Name }
func (u *user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }
