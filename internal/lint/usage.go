package lint

import (
	"errors"
	"fmt"
	"slices"

	"senim/pki"
)

func usageRules() []Rule {
	return []Rule{
		{Name: "key-usage", Clause: "crypto.md §9, §9.3", check: keyUsages},
		{Name: "roles", Clause: "crypto.md §9.1", kinds: []Kind{Holder}, check: roles},
		{Name: "purpose-of-others", Clause: "crypto.md §9.3, RFC 6960 4.2.2.2", kinds: []Kind{Root, Authority, Responder, TSA, Upper}, check: otherPurpose},
		{Name: "identified-first", Clause: "crypto.md §9.3", kinds: []Kind{Holder}, check: identifiedFirst},
	}
}

const (
	combined = pki.DigitalSignature | pki.NonRepudiation | pki.KeyAgreement // c8
	signing  = pki.DigitalSignature | pki.NonRepudiation                    // c0
	signIn   = pki.DigitalSignature | pki.KeyEncipherment                   // a0
)

// keyUsages: each kind has its own set; a holder's depends on the extended usages and the policy.
func keyUsages(s Subject) error {
	c, got := s.Certificate, s.Certificate.KeyUsage
	var want []pki.KeyUsage
	switch {
	case s.Kind == Root || s.Kind == Authority || s.Kind == Upper:
		want = []pki.KeyUsage{pki.CertSign | pki.CRLSign}
	case s.Kind == Responder || s.Kind == TSA:
		want = []pki.KeyUsage{pki.DigitalSignature}
	case c.HasUsage(pki.ClientAuth):
		want = []pki.KeyUsage{signIn}
	default:
		want = []pki.KeyUsage{combined, signing}
	}
	if !slices.Contains(want, got) {
		return fmt.Errorf("key usage %b, want %b", got, want)
	}
	return nil
}

// roles: one purpose, at least one role; 4.1.2 goes with exactly one of 4.1.2.x, and a private
// person has none of them.
func roles(s Subject) error {
	c, h := s.Certificate, s.Certificate.Holder()
	if c.HasUsage(pki.EmailProtection) && c.HasUsage(pki.ClientAuth) {
		return errors.New("signing and sign-in at once")
	}
	for _, id := range c.ExtKeyUsage {
		if _, ok := pki.RoleByOID(id); !ok && !id.Equal(pki.EmailProtection) && !id.Equal(pki.ClientAuth) {
			return fmt.Errorf("extended key usage %s is none of a holder's", id)
		}
	}
	if !h.Has(pki.RoleInfoSystem) && !c.HasUsage(pki.EmailProtection) && !c.HasUsage(pki.ClientAuth) {
		return errors.New("neither emailProtection nor clientAuth")
	}
	in := 0
	for _, r := range []pki.Role{pki.RoleFirstHead, pki.RoleSignRight, pki.RoleFinance, pki.RoleHR, pki.RoleEmployee, pki.RoleInfoSystem} {
		if h.Has(r) {
			in++
		}
	}
	kinds := 0
	for _, r := range []pki.Role{pki.RoleIndividual, pki.RoleLegal, pki.RoleOperator} {
		if h.Has(r) {
			kinds++
		}
	}
	if kinds != 1 {
		return errors.New("exactly one of individual, legal entity, operator is wanted")
	}
	if h.Has(pki.RoleLegal) != (in == 1) || in > 1 {
		return fmt.Errorf("legal entity with %d roles in it", in)
	}
	return nil
}

func otherPurpose(s Subject) error {
	c := s.Certificate
	if s.Kind == Responder {
		if len(c.ExtKeyUsage) != 1 || !c.HasUsage(pki.OCSPSigning) || !c.NoCheck {
			return errors.New("a responder has OCSPSigning, alone, and nocheck")
		}
		return nil
	}
	if s.Kind == TSA {
		if len(c.ExtKeyUsage) != 1 || !c.HasUsage(pki.TimeStamping) || c.NoCheck {
			return errors.New("a time-stamping authority has timeStamping, alone")
		}
		return nil
	}
	if len(c.ExtKeyUsage) != 0 || c.NoCheck {
		return errors.New("an authority has no extended key usage")
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
