package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"senim/internal/ident"
	"senim/pki"
)

// card says whose certificate it is and until when: the same facts in the same order everywhere.
type card struct {
	Owner        string   `json:"owner"`
	IIN          string   `json:"iin,omitempty"`
	Organization string   `json:"organization,omitempty"`
	BIN          string   `json:"bin,omitempty"`
	Roles        []string `json:"roles,omitempty"`
	SignIn       bool     `json:"signIn"`
	Signing      bool     `json:"signing"`
	Authority    bool     `json:"authority,omitempty"`
	NotBefore    string   `json:"notBefore"`
	NotAfter     string   `json:"notAfter"`
	Key          string   `json:"key"`
	Serial       string   `json:"serial"`
	Issuer       string   `json:"issuer"`
	SHA256       string   `json:"sha256"`

	from, to time.Time
}

func newCard(c *pki.Certificate) *card {
	h, sum := c.Holder(), c.Fingerprint()
	k := &card{
		Owner: owner(h), IIN: h.IIN, Organization: h.Organization, BIN: h.BIN,
		SignIn: c.ForSignIn(), Signing: c.ForSigning(), Authority: c.IsCA,
		NotBefore: stamp(c.NotBefore), NotAfter: stamp(c.NotAfter), Key: c.Key.String(), Serial: c.SerialHex(),
		Issuer: c.Issuer.String(), SHA256: hex.EncodeToString(sum[:]), from: c.NotBefore, to: c.NotAfter,
	}
	for _, r := range h.Roles {
		k.Roles = append(k.Roles, r.String())
	}
	return k
}

// owner is the full name: the common name has surname and name, GIVENNAME the patronymic.
func owner(h pki.Holder) string {
	name := h.CommonName
	if h.Given != "" && !strings.HasSuffix(name, h.Given) {
		name += " " + h.Given
	}
	return strings.TrimSpace(name)
}

// words are the roles as people say them. RoleLegal always stands beside a closer one, and how a
// person was identified is no role.
var words = map[string]string{
	"individual": "individual", "individual-system": "information system of an individual", "first-head": "first head",
	"sign-right": "employee with the right to sign", "finance": "employee signing financial documents", "hr": "human resources",
	"employee": "employee", "info-system": "information system", "administrator": "administrator of the authority",
	"manager": "manager of the authority", "operator": "operator of the authority", "treasury": "Treasury client",
}

func (k *card) role() string {
	var out []string
	for _, r := range k.Roles {
		if w := words[r]; w != "" {
			out = append(out, w)
		}
	}
	if len(out) == 0 && k.Authority {
		return "authority"
	}
	if len(out) == 0 && k.BIN != "" {
		return "legal entity"
	}
	return strings.Join(out, ", ")
}

func (k *card) can() string {
	switch {
	case k.Authority:
		return "can issue certificates"
	case k.SignIn && k.Signing:
		return "can sign in and sign"
	case k.SignIn:
		return "can sign in"
	case k.Signing:
		return "can sign"
	}
	return ""
}

// print writes the card for people, indented.
func (k *card) print(p *program, at time.Time) {
	p.line("  %s", p.bold(k.Owner))
	if k.Organization != "" {
		p.line("  %s", joined(", ", k.Organization, prefixed("BIN ", ident.FormatIIN(k.BIN))))
	}
	if s := joined(" · ", k.role(), k.can(), prefixed("IIN ", ident.FormatIIN(k.IIN))); s != "" {
		p.line("  %s", s)
	}
	p.line("  %s %s %s  %s", day(k.from), bar(k.from, k.to, at), day(k.to), k.left(at))
}

// left says in words where at stands in the life of the certificate.
func (k *card) left(at time.Time) string {
	switch {
	case at.Before(k.from):
		return "not valid yet"
	case at.After(k.to):
		return "expired"
	}
	return fmt.Sprintf("%s left", count(int(k.to.Sub(at).Hours()/24), "day"))
}

// bar draws the life of a certificate with the present moment in it.
func bar(from, to, at time.Time) string {
	const width = 24
	whole := to.Sub(from)
	if whole <= 0 {
		return strings.Repeat("─", width)
	}
	i := int(width * at.Sub(from).Seconds() / whole.Seconds())
	switch {
	case at.Before(from):
		return "●" + strings.Repeat("─", width)
	case i >= width:
		return strings.Repeat("━", width) + "●"
	}
	return strings.Repeat("━", i) + "●" + strings.Repeat("─", width-i)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// joined joins what is not empty.
func joined(separator string, parts ...string) string {
	var out []string
	for _, s := range parts {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, separator)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
