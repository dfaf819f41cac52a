package lint

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"senim/pki"
)

func nameRules() []Rule {
	return []Rule{
		{Name: "name-order", Clause: "crypto.md §8", check: nameOrder},
		{Name: "name-strings", Clause: "crypto.md §8", check: nameStrings},
		{Name: "name-text", Clause: "RFC 5280 4.1.2.6, crypto.md §8", check: nameText},
		{Name: "name-country", Clause: "crypto.md §8", check: nameCountry},
		{Name: "name-person", Clause: "crypto.md §8, §9.3", kinds: []Kind{Holder}, check: namePerson},
		{Name: "name-reencodes", Clause: "crypto.md §18", check: nameReencodes},
	}
}

// order is the one order of name parts we write; each part at most once. A profile may have another:
// see the rule profile-subject.
var order = []asn1.ObjectIdentifier{pki.OIDUserID, pki.OIDDomain, pki.OIDCommonName, pki.OIDSurname, pki.OIDSerialNumber,
	pki.OIDCountry, pki.OIDOrganization, pki.OIDUnit, pki.OIDCategory, pki.OIDGivenName}

func nameOrder(s Subject) error {
	if s.Meant != nil {
		return nil
	}
	next := 0
	for _, a := range s.Certificate.Subject {
		at := next
		for at < len(order) && !order[at].Equal(a.OID) {
			at++
		}
		if at == len(order) {
			return fmt.Errorf("part %s is unknown, repeated or out of order", a.OID)
		}
		if a.Joined {
			return fmt.Errorf("part %s shares its RDN", a.OID)
		}
		next = at + 1
	}
	return nil
}

func nameStrings(s Subject) error {
	for _, a := range s.Certificate.Subject {
		want := asn1.TagUTF8String
		if a.OID.Equal(pki.OIDCountry) || a.OID.Equal(pki.OIDSerialNumber) {
			want = asn1.TagPrintableString
		}
		if a.OID.Equal(pki.OIDDomain) {
			want = asn1.TagIA5String
		}
		if int(a.Tag) != want {
			return fmt.Errorf("part %s has string type %d", a.OID, a.Tag)
		}
	}
	return nil
}

// nameText: no empty, padded, endless or unprintable values. The upper bounds of X.520 (64
// characters) are not kept by the national practice: names of organisations are longer.
func nameText(s Subject) error {
	for _, a := range s.Certificate.Subject {
		switch n := utf8.RuneCountInString(a.Value); {
		case n == 0 || n > 500:
			return fmt.Errorf("part %s has %d characters", a.OID, n)
		case strings.TrimSpace(a.Value) != a.Value:
			return fmt.Errorf("part %s begins or ends with white space", a.OID)
		case !utf8.ValidString(a.Value) || strings.ContainsFunc(a.Value, func(r rune) bool { return !unicode.IsPrint(r) }):
			return fmt.Errorf("part %s has unprintable characters", a.OID)
		}
	}
	return nil
}

func nameCountry(s Subject) error {
	if s.Certificate.Subject.Get(pki.OIDCountry) != "KZ" {
		return errors.New("country is not KZ")
	}
	if s.Certificate.Subject.Get(pki.OIDCommonName) == "" {
		return errors.New("no common name")
	}
	return nil
}

// namePerson: a person has an IIN and a surname; who acts for an organisation has its BIN too; a
// system of an organisation has its BIN, one of a person his IIN, and neither is a person. Of
// certificates without a national role nothing is known here.
func namePerson(s Subject) error {
	h := s.Certificate.Holder()
	switch {
	case !national(h):
		return nil
	case h.Has(pki.RoleInfoSystem):
		if h.BIN == "" || h.Organization == "" || h.IIN != "" || h.Surname != "" {
			return errors.New("a system has a BIN and an organisation, and no person")
		}
		return nil
	case h.Has(pki.RoleIndividualSystem):
		if h.IIN == "" || h.Surname != "" || h.BIN != "" || h.Organization != "" {
			return errors.New("the system of an individual has his IIN, and neither surname nor organisation")
		}
		return nil
	case h.UID != "" || h.IIN == "" || h.Surname == "":
		return errors.New("a person has an IIN and a surname, and no UID")
	}
	name, surname := strings.Fields(h.CommonName), strings.Fields(h.Surname)
	if len(name) == 0 || len(surname) == 0 || name[0] != surname[0] {
		return errors.New("the common name does not begin with the surname")
	}
	legal := !h.Has(pki.RoleIndividual)
	if legal != (h.BIN != "") || legal != (h.Organization != "") {
		return errors.New("BIN and organisation go with the roles of a legal entity, and only with them")
	}
	return nil
}

// national reports that the holder has one of the roles that say what he is.
func national(h pki.Holder) bool { return kinds(h) > 0 }

// kinds counts how many kinds of holder somebody claims to be.
func kinds(h pki.Holder) (n int) {
	for _, r := range []pki.Role{pki.RoleIndividual, pki.RoleLegal, pki.RoleAdministrator, pki.RoleManager, pki.RoleOperator} {
		if h.Has(r) {
			n++
		}
	}
	return n
}

func nameReencodes(s Subject) error {
	der, err := s.Certificate.Subject.Marshal()
	if err != nil {
		return err
	}
	if !bytes.Equal(der, s.Certificate.RawSubject) {
		return errors.New("the subject does not encode to its own bytes")
	}
	return nil
}
