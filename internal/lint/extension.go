package lint

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

func extensionRules() []Rule {
	return []Rule{
		{Name: "basic-constraints", Clause: "RFC 5280 4.2.1.9, crypto.md §9", check: constraints},
		{Name: "policy", Clause: "RFC 5280 4.2.1.4, crypto.md §9", kinds: []Kind{Authority, SubAuthority, Upper, TSA, Root}, check: policy},
		{Name: "addresses", Clause: "crypto.md §9, §19 (10)", check: addresses},
		{Name: "status-address", Clause: "RFC 5280 4.2.1.13, crypto.md §6, §9", kinds: []Kind{Authority, SubAuthority, TSA}, check: statusAddress},
		{Name: "holder-addresses", Clause: "crypto.md §9", kinds: []Kind{Holder}, check: holderAddresses},
		{Name: "key-store", Clause: "crypto.md §9.2", kinds: []Kind{Holder}, check: keyStore},
		{Name: "e-mail", Clause: "RFC 5280 4.2.1.6", check: emails},
		{Name: "key-ids-present", Clause: "RFC 5280 4.2.1.1, 4.2.1.2", check: keyIDs},
	}
}

// timeStampPolicy is in every TSA's certificate, whatever its key.
var timeStampPolicy = asn1.ObjectIdentifier{1, 2, 398, 3, 3, 2, 6}

// constraints: an authority says so, an issuing one signs no further authorities, others say nothing.
func constraints(s Subject) error {
	c := s.Certificate
	switch s.Kind {
	case Root:
		if !c.BasicConstraintsValid || !c.IsCA {
			return errors.New("a root is an authority")
		}
	case Authority:
		if !c.BasicConstraintsValid || !c.IsCA || c.MaxPathLen != 0 {
			return errors.New("an issuing authority has path length 0")
		}
	case Upper:
		if !c.BasicConstraintsValid || !c.IsCA || c.MaxPathLen == 0 {
			return errors.New("an authority over others has a path length over 0, or none")
		}
	case SubAuthority:
		if !c.BasicConstraintsValid || !c.IsCA || c.MaxPathLen < 0 {
			return errors.New("an authority under another has a path length")
		}
		if s.Issuer == nil || !s.Issuer.IsCA || s.Issuer.MaxPathLen >= 0 && s.Issuer.MaxPathLen <= c.MaxPathLen {
			return errors.New("the path length does not fit under that of the issuer")
		}
	default:
		if c.BasicConstraintsValid || c.IsCA {
			return errors.New("basic constraints in a certificate that is no authority's")
		}
	}
	return nil
}

func policy(s Subject) error {
	if n := len(s.Certificate.Policies); n != 1 {
		return fmt.Errorf("%d policies", n)
	}
	if s.Kind == TSA && !s.Certificate.Policies[0].Equal(timeStampPolicy) {
		return fmt.Errorf("policy %s of a time-stamping authority", s.Certificate.Policies[0])
	}
	return nil
}

// addresses: absolute, plain, and each once.
func addresses(s Subject) error {
	c := s.Certificate
	seen := map[string]bool{}
	for _, list := range [][]string{c.OCSP, c.Issuers, c.CRL, c.DeltaCRL} {
		for _, a := range list {
			u, err := url.Parse(a)
			if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.ContainsAny(a, " *\r\n\t") {
				return fmt.Errorf("address %q", a)
			}
			if seen[a] {
				return fmt.Errorf("address %q twice", a)
			}
			seen[a] = true
		}
	}
	return nil
}

func holderAddresses(s Subject) error {
	c := s.Certificate
	if len(c.OCSP) == 0 || len(c.Issuers) == 0 || len(c.CRL) == 0 || len(c.DeltaCRL) == 0 {
		return errors.New("OCSP, issuer, CRL and delta CRL addresses are wanted")
	}
	return nil
}

// statusAddress: whoever may be revoked says where that is told.
func statusAddress(s Subject) error {
	if c := s.Certificate; len(c.CRL) == 0 && len(c.OCSP) == 0 {
		return errors.New("neither a CRL nor an OCSP address")
	}
	return nil
}

// keyStore: as the profile says, and always within its arc.
func keyStore(s Subject) error {
	arc := asn1.ObjectIdentifier{1, 2, 398, 3, 3, 5}
	id := s.Certificate.Storage
	if s.Meant != nil && s.Meant.Profile.Storage != (id != nil) {
		return fmt.Errorf("kind of key store is there: %t, the profile says %t", id != nil, s.Meant.Profile.Storage)
	}
	if id != nil && (len(id) <= len(arc) || !id[:len(arc)].Equal(arc)) {
		return fmt.Errorf("kind of key store %s", id)
	}
	return nil
}

// emails looks at the shape only; whether mail arrives was proved before.
func emails(s Subject) error {
	for _, e := range s.Certificate.Emails {
		local, domain, ok := strings.Cut(e, "@")
		if !ok || local == "" || !strings.Contains(domain, ".") || len(e) > 254 || strings.ContainsFunc(e, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("an e-mail address of another shape")
		}
	}
	return nil
}

func keyIDs(s Subject) error {
	var subject, authority bool
	for _, e := range s.Certificate.Extensions {
		subject = subject || e.OID.Equal(subjectKeyID)
		authority = authority || e.OID.Equal(authorityKeyID)
	}
	if !subject || (!authority && s.Kind != Root) {
		return errors.New("key identifiers are missing")
	}
	return nil
}
