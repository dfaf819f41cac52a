package relying

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"senim/internal/lang"
)

// Auth is how a client proves itself at the token endpoint.
type Auth string

// The ways: a secret in the Authorization header, a JWT signed with a registered key, or none (a
// program that cannot keep a secret).
const (
	AuthSecret Auth = "client_secret_basic"
	AuthJWT    Auth = "private_key_jwt"
	AuthNone   Auth = "none"
)

// Client is a relying party as the operator registered it.
type Client struct {
	ID string `json:"id"`
	// Name is what people read, in kk, ru and en.
	Name map[lang.Tag]string `json:"name"`
	// Redirects and Logouts are the only addresses people are sent back to, compared letter by letter.
	Redirects []string `json:"redirect_uris"`
	Logouts   []string `json:"post_logout_redirect_uris,omitempty"`
	// Scopes are all that may be asked; Levels how people may sign in, the first when none is asked.
	Scopes []string `json:"scopes"`
	Levels []Level  `json:"levels"`
	Auth   Auth     `json:"auth"`
	// Secrets are "sha256:" and 64 hexadecimal digits; two while one replaces the other.
	Secrets []string `json:"secrets,omitempty"`
	// Keys is a JSON Web Key Set of public keys, for [AuthJWT].
	Keys json.RawMessage `json:"jwks,omitempty"`
}

// Public reports whether the client cannot keep a secret.
func (c Client) Public() bool { return c.Auth == AuthNone }

// Title is the client's name in a language.
func (c Client) Title(t lang.Tag) string { return c.Name[t] }

// Holds reports whether a secret is one of the client's. Secrets are random and long, so that one
// SHA-256 is enough; a client without any has none that fits.
func (c Client) Holds(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	good := 0
	for _, s := range c.Secrets {
		good |= subtle.ConstantTimeCompare([]byte(s), []byte("sha256:"+hex.EncodeToString(sum[:])))
	}
	return good == 1
}

// ParseClients reads the operator's file: a JSON list of clients. Anything unknown, doubtful or
// missing refuses the whole file.
func ParseClients(file []byte) ([]Client, error) {
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	var all []Client
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("clients: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("clients: something follows the list")
	}
	seen := map[string]bool{}
	for i, c := range all {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("clients: number %d (%q): %w", i+1, c.ID, err)
		}
		if seen[c.ID] {
			return nil, fmt.Errorf("clients: %q is there twice", c.ID)
		}
		seen[c.ID] = true
	}
	return all, nil
}

var (
	idPattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{2,62}$`)
	secretPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func (c Client) check() error {
	if !idPattern.MatchString(c.ID) {
		return errors.New("id: 3 to 63 small Latin letters, digits and hyphens")
	}
	for _, t := range []lang.Tag{lang.KK, lang.RU, lang.EN} {
		if n := c.Name[t]; n == "" || n != strings.TrimSpace(n) || utf8.RuneCountInString(n) > 80 || strings.ContainsFunc(n, unreadable) {
			return fmt.Errorf("name: %s is needed, up to 80 letters, nothing invisible", t)
		}
	}
	if len(c.Name) != 3 {
		return errors.New("name: kk, ru and en, nothing else")
	}
	if len(c.Redirects) == 0 {
		return errors.New("redirect_uris: at least one")
	}
	for _, u := range slices.Concat(c.Redirects, c.Logouts) {
		if err := checkRedirect(u); err != nil {
			return err
		}
	}
	return errors.Join(c.checkRights(), c.checkAuth())
}

// unreadable letters would let a name show other than it is: controls, and marks that turn or join.
func unreadable(r rune) bool { return !unicode.IsPrint(r) }

func (c Client) checkRights() error {
	for _, l := range c.Levels {
		if l != Account && l != Certificate {
			return fmt.Errorf("levels: %q is neither account nor certificate", l)
		}
	}
	if len(c.Levels) == 0 || repeats(c.Levels) {
		return errors.New("levels: account, certificate or both, each once")
	}
	for _, s := range c.Scopes {
		if !slices.Contains(Scopes(), s) {
			return fmt.Errorf("scopes: %q is not one of %s", s, strings.Join(Scopes(), ", "))
		}
		if accountOnly(s) && !slices.Contains(c.Levels, Account) {
			return fmt.Errorf("scopes: %s needs the level account", s)
		}
	}
	if !slices.Contains(c.Scopes, ScopeOpenID) || repeats(c.Scopes) {
		return errors.New("scopes: openid and others, each once")
	}
	return nil
}

func (c Client) checkAuth() error {
	switch c.Auth {
	case AuthSecret:
		if len(c.Secrets) == 0 || len(c.Secrets) > 2 || c.Keys != nil {
			return errors.New("client_secret_basic: one or two secrets, no jwks")
		}
	case AuthJWT:
		if len(c.Secrets) > 0 || c.Keys == nil {
			return errors.New("private_key_jwt: a jwks, no secrets")
		}
	case AuthNone:
		if len(c.Secrets) > 0 || c.Keys != nil {
			return errors.New("auth none: no secrets, no jwks")
		}
	default:
		return fmt.Errorf("auth: %q is not client_secret_basic, private_key_jwt or none", c.Auth)
	}
	for _, s := range c.Secrets {
		if !secretPattern.MatchString(s) || (Client{Secrets: []string{s}}).Holds("") {
			return errors.New(`secrets: "sha256:" and 64 small hexadecimal digits of the SHA-256 of a secret that is not empty`)
		}
	}
	return nil
}

// checkRedirect admits https, and http on the loopback for programs on the person's own machine.
func checkRedirect(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.String() != raw:
		return fmt.Errorf("redirect %q: not an absolute address in its usual spelling", raw)
	case strings.Contains(raw, "#") || u.User != nil || strings.Contains(raw, "*"):
		return fmt.Errorf("redirect %q: no fragment, no user, no asterisk", raw)
	case u.Scheme == "https", u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost"):
		return nil
	}
	return fmt.Errorf("redirect %q: https, or http on 127.0.0.1 or localhost", raw)
}

func repeats[T comparable](all []T) bool {
	seen := map[T]bool{}
	for _, v := range all {
		if seen[v] {
			return true
		}
		seen[v] = true
	}
	return false
}
