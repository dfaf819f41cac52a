package lint

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"

	"senim/algid"
)

func keyRules() []Rule {
	return []Rule{
		{Name: "key-kind", Clause: "crypto.md §6, §9.3", check: keyKind},
		{Name: "rsa-key", Clause: "BR 6.1.5, 6.1.6", check: rsaKey},
		{Name: "issuer-name", Clause: "RFC 5280 6.1.3 (a)(4), crypto.md §7", check: issuerName},
	}
}

// keyKind: GOST512 or RSA, and never under an authority of the other algorithm.
func keyKind(s Subject) error {
	k := s.Certificate.Key
	if k != algid.GOST512 && k != algid.RSA {
		return fmt.Errorf("key of kind %s", k)
	}
	if s.Issuer != nil && s.Issuer.Key != k {
		return fmt.Errorf("%s key under an authority with a %s key", k, s.Issuer.Key)
	}
	if s.Certificate.Signature.Key() != k {
		return errors.New("signed with another algorithm than its key's")
	}
	return nil
}

func rsaKey(s Subject) error {
	k, ok := s.Certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil
	}
	if k.N.BitLen() < 2048 || k.N.BitLen() > 8192 || k.N.BitLen()%8 != 0 {
		return fmt.Errorf("modulus of %d bits", k.N.BitLen())
	}
	if k.E != 65537 {
		return fmt.Errorf("exponent %d", k.E)
	}
	if s.Certificate.Signature != algid.SHA256WithRSA {
		return fmt.Errorf("signature algorithm %s", s.Certificate.Signature)
	}
	return nil
}

func issuerName(s Subject) error {
	want := s.Certificate.RawSubject
	if s.Kind != Root {
		if s.Issuer == nil {
			return errors.New("no issuer")
		}
		want = s.Issuer.RawSubject
	}
	if !bytes.Equal(s.Certificate.RawIssuer, want) {
		return errors.New("issuer is not the issuer's subject, byte by byte")
	}
	return nil
}
