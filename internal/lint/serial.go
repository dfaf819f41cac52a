package lint

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"senim/algid"
	"senim/internal/profile"
)

func serialRules() []Rule {
	return []Rule{
		{Name: "serial-form", Clause: "RFC 5280 4.1.2.2, crypto.md §7", check: serialForm},
		{Name: "serial-of-key", Clause: "crypto.md §7 (serial=nca)", kinds: []Kind{Holder}, check: serialOfKey},
		{Name: "subject-key-id", Clause: "RFC 5280 4.2.1.2 method 1, crypto.md §7", check: skiOfKey},
		{Name: "authority-key-id", Clause: "RFC 5280 4.2.1.1, crypto.md §7", check: akiOfIssuer},
	}
}

// serialForm: positive, 20 octets, and 40 hex digits.
func serialForm(s Subject) error {
	n := s.Certificate.Serial
	if n.Sign() <= 0 || n.BitLen() > 159 || n.BitLen() <= 152+4 {
		return fmt.Errorf("%s is not positive with 40 hex digits", n.Text(16))
	}
	return nil
}

// serialOfKey: the SKI with the top bit cleared; when the first digit is then 0, with 0x10 added.
func serialOfKey(s Subject) error {
	if s.Meant != nil && s.Meant.Profile.Serial != profile.SerialNCA {
		return nil
	}
	want := bytes.Clone(algid.KeyID(s.Certificate.PublicKey))
	if len(want) != 20 {
		return errors.New("no key identifier of 20 octets")
	}
	want[0] &= 0x7f
	if want[0] < 0x10 {
		want[0] |= 0x10
	}
	if s.Certificate.Serial.Cmp(new(big.Int).SetBytes(want)) != 0 {
		return errors.New("serial does not come from the key")
	}
	return nil
}

func skiOfKey(s Subject) error {
	if !bytes.Equal(s.Certificate.SubjectKeyID, algid.KeyID(s.Certificate.PublicKey)) {
		return errors.New("subject key identifier does not come from the key")
	}
	return nil
}

func akiOfIssuer(s Subject) error {
	if s.Kind == Root {
		return nil
	}
	if s.Issuer == nil || !bytes.Equal(s.Certificate.AuthorityKeyID, s.Issuer.SubjectKeyID) {
		return errors.New("authority key identifier is not the issuer's")
	}
	return nil
}
