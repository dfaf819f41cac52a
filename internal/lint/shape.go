package lint

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

func shapeRules() []Rule {
	return []Rule{
		{Name: "read-by-another-parser", Clause: "crypto.md §9", check: otherParser},
		{Name: "algorithm-identifiers-equal", Clause: "RFC 5280 4.1.1.2, crypto.md §1", check: algorithms},
		{Name: "extension-once", Clause: "RFC 5280 4.2", check: extensionOnce},
		{Name: "criticality", Clause: "crypto.md §9.3", check: criticality},
	}
}

// otherParser has the standard library read what our own writer wrote.
func otherParser(s Subject) error {
	c, err := x509.ParseCertificate(s.Certificate.Raw)
	if err != nil {
		return err
	}
	if c.Version != 3 {
		return fmt.Errorf("version %d", c.Version)
	}
	if len(c.UnhandledCriticalExtensions) > 0 {
		return fmt.Errorf("critical extension %v is not understood", c.UnhandledCriticalExtensions[0])
	}
	return nil
}

// algorithms: the identifier is written with NULL, and the same bytes stand inside and outside.
func algorithms(s Subject) error {
	var outer struct {
		TBS, Algorithm asn1.RawValue
		Value          asn1.BitString
	}
	if _, err := asn1.Unmarshal(s.Certificate.Raw, &outer); err != nil {
		return err
	}
	want := s.Certificate.Signature.Identifier()
	if !bytes.Equal(outer.Algorithm.FullBytes, want) {
		return errors.New("outer identifier is not the usual one")
	}
	var tbs, version, serial, inner asn1.RawValue
	_, err := asn1.Unmarshal(s.Certificate.RawTBS, &tbs)
	rest := tbs.Bytes
	for _, field := range []*asn1.RawValue{&version, &serial, &inner} {
		if err == nil {
			rest, err = asn1.Unmarshal(rest, field)
		}
	}
	if err != nil {
		return err
	}
	if !bytes.Equal(inner.FullBytes, want) {
		return errors.New("inner identifier differs from the outer one")
	}
	return nil
}

func extensionOnce(s Subject) error {
	seen := map[string]bool{}
	for _, e := range s.Certificate.Extensions {
		id := e.OID.String()
		if seen[id] {
			return fmt.Errorf("%s is there twice", id)
		}
		seen[id] = true
	}
	return nil
}

// criticality: keyUsage (but of a responder), basicConstraints and the usage of a time-stamping
// authority, and nothing else.
func criticality(s Subject) error {
	for _, e := range s.Certificate.Extensions {
		want := e.OID.Equal(basicConstraints) || e.OID.Equal(keyUsage) || s.Kind == TSA && e.OID.Equal(extKeyUsage)
		if e.OID.Equal(keyUsage) && s.Kind == Responder {
			continue
		}
		if e.Critical != want {
			return fmt.Errorf("extension %s: critical is %t", e.OID, e.Critical)
		}
	}
	return nil
}

// Extensions that rules look for.
var (
	keyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	basicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	authorityKeyID   = asn1.ObjectIdentifier{2, 5, 29, 35}
	extKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
	policiesID       = asn1.ObjectIdentifier{2, 5, 29, 32}
	altName          = asn1.ObjectIdentifier{2, 5, 29, 17}
	crlPoints        = asn1.ObjectIdentifier{2, 5, 29, 31}
	freshest         = asn1.ObjectIdentifier{2, 5, 29, 46}
	authorityInfo    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	subjectKeyID     = asn1.ObjectIdentifier{2, 5, 29, 14}
)
