package lint

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"senim/pki"
)

func usageRules() []Rule {
	return []Rule{
		{Name: "key-usage", Clause: "crypto.md §9, §9.3", check: keyUsages},
		{Name: "roles", Clause: "crypto.md §9.1", kinds: []Kind{Holder}, check: roles},
		{Name: "purpose-of-others", Clause: "crypto.md §9.3, RFC 6960 4.2.2.2, RFC 3161 2.3", kinds: []Kind{Root, Authority, SubAuthority, Upper, Responder, TSA}, check: otherPurpose},
		{Name: "identified-first", Clause: "crypto.md §9.3", kinds: []Kind{Holder}, check: identifiedFirst},
	}
}

// keyUsages: each kind has its own set; a holder's is its profile's, and never an authority's.
func keyUsages(s Subject) error {
	got, want := s.Certificate.KeyUsage, pki.DigitalSignature
	switch s.Kind {
	case Root, Authority, SubAuthority, Upper:
		want = pki.CertSign | pki.CRLSign
	case Holder:
		if got&(pki.CertSign|pki.CRLSign) != 0 {
			return errors.New("a holder signs no certificates")
		}
		if s.Meant == nil {
			return nil
		}
		want = s.Meant.Profile.KeyUsage
	case Responder, TSA: // digitalSignature
	}
	if got != want {
		return fmt.Errorf("key usage %b, want %b", got, want)
	}
	return nil
}

// roles: one purpose; 4.1.2 goes with exactly one of 4.1.2.x or the Treasury's, and a private person
// has none of them. That the usages are those of the profile is another rule.
func roles(s Subject) error {
	c, h := s.Certificate, s.Certificate.Holder()
	if c.HasUsage(pki.EmailProtection) && c.HasUsage(pki.ClientAuth) {
		return errors.New("signing and sign-in at once")
	}
	for _, id := range c.ExtKeyUsage {
		for _, no := range []asn1.ObjectIdentifier{pki.ServerAuth, pki.OCSPSigning, pki.TimeStamping, pki.AnyUsage} {
			if id.Equal(no) {
				return fmt.Errorf("extended key usage %s is none of a holder's", id)
			}
		}
	}
	if !national(h) {
		return nil
	}
	system := h.Has(pki.RoleInfoSystem) || h.Has(pki.RoleIndividualSystem)
	if !system && !c.HasUsage(pki.EmailProtection) && !c.HasUsage(pki.ClientAuth) {
		return errors.New("neither emailProtection nor clientAuth")
	}
	in := 0
	for _, r := range []pki.Role{pki.RoleFirstHead, pki.RoleSignRight, pki.RoleFinance, pki.RoleHR, pki.RoleEmployee, pki.RoleInfoSystem, pki.RoleTreasury} {
		if h.Has(r) {
			in++
		}
	}
	if kinds(h) != 1 {
		return errors.New("exactly one of individual, legal entity and the authority's own people is wanted")
	}
	if h.Has(pki.RoleLegal) != (in == 1) || in > 1 {
		return fmt.Errorf("legal entity with %d roles in it", in)
	}
	return nil
}

func otherPurpose(s Subject) error {
	c := s.Certificate
	alone := func(id asn1.ObjectIdentifier) bool { return len(c.ExtKeyUsage) == 1 && c.HasUsage(id) }
	switch s.Kind {
	case Responder:
		if !alone(pki.OCSPSigning) || !c.NoCheck {
			return errors.New("a responder has OCSPSigning, alone, and nocheck")
		}
	case TSA:
		if !alone(pki.TimeStamping) || c.NoCheck {
			return errors.New("a time-stamping authority has timeStamping, alone, and no nocheck")
		}
	default:
		if len(c.ExtKeyUsage) != 0 || c.NoCheck {
			return errors.New("an authority has no extended key usage")
		}
	}
	return nil
}

func identifiedFirst(s Subject) error {
	for i, id := range s.Certificate.ExtKeyUsage {
		r, _ := pki.RoleByOID(id)
		if i > 0 && (r == pki.RoleIdentifiedAtDesk || r == pki.RoleIdentifiedRemotely) {
			return errors.New("how the person was identified stands first")
		}
	}
	return nil
}
