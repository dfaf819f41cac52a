package profile

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"senim/algid"
	"senim/pki"
)

// Bounds of what a profile may say.
const (
	minRSA, maxRSA = 2048, 8192 // BR 6.1.5; the upper one bounds the work of readers
	maxUsages      = 16
	maxPolicies    = 4
	maxAddress     = 200 // RFC 5280 4.2.1.4 gives explicitText this much
	maxTitle       = 100
)

// longest is the longest life by kind, in days (crypto.md §9.3; authorities: 30 years).
var longest = map[Kind]int{Holder: 1095, Responder: 365, TSA: 1095, Authority: 10958, SubAuthority: 10958}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// FieldError is one mistake.
type FieldError struct {
	Profile, Field string
	Err            error
}

func (e *FieldError) Error() string {
	return fmt.Sprintf("profile %s, field %s: %v", e.Profile, e.Field, e.Err)
}

func (e *FieldError) Unwrap() error { return e.Err }

// Check names every mistake, each as a [*FieldError] joined with the others.
func (p Profile) Check() error {
	var all []error
	for _, part := range []struct {
		field string
		check func(Profile) error
	}{
		{"name", Profile.checkName}, {"kind", Profile.checkKind}, {"subject", Profile.checkSubject}, {"keys", Profile.checkKeys},
		{"usage", Profile.checkUsage}, {"key_usage", Profile.checkKeyUsage}, {"policies", Profile.checkPolicies},
		{"file_days", func(p Profile) error { return p.checkDays(p.FileDays) }},
		{"carrier_days", func(p Profile) error { return p.checkDays(p.CarrierDays) }},
		{"storage", Profile.checkStorage}, {"serial", Profile.checkSerial}, {"email", Profile.checkEmail}, {"identity", Profile.checkIdentity},
	} {
		if err := part.check(p); err != nil {
			all = append(all, &FieldError{p.Name, part.field, err})
		}
	}
	return errors.Join(all...)
}

func (p Profile) checkName() error {
	if !nameForm.MatchString(p.Name) {
		return errors.New("a name is 1 to 40 of a-z, 0-9 and -, and begins with a letter")
	}
	if len(p.Title) > maxTitle || strings.ContainsFunc(p.Title, func(r rune) bool { return r < ' ' }) {
		return errors.New("the title is too long or has control characters")
	}
	return nil
}

func (p Profile) checkKind() error {
	if _, ok := longest[p.Kind]; !ok {
		return fmt.Errorf("no kind %q", p.Kind)
	}
	return nil
}

func (p Profile) checkSubject() error {
	seen := map[Field]bool{}
	for _, part := range p.Subject {
		if _, ok := forms[part.Field]; !ok {
			return fmt.Errorf("no field %q", part.Field)
		}
		if seen[part.Field] {
			return fmt.Errorf("%s twice", part.Field)
		}
		seen[part.Field] = true
		if part.Optional && (part.Field == CommonName || part.Field == Country || part.Field == IIN || part.Field == BIN) {
			return fmt.Errorf("%s is never optional", part.Field)
		}
	}
	switch {
	case !seen[CommonName] || !seen[Country]:
		return errors.New("cn and country are in every name")
	case p.Kind == Holder && !seen[IIN] && !seen[BIN]:
		return errors.New("a holder is known by iin or bin")
	case p.Kind == Holder && seen[BIN] != seen[Organization]:
		return errors.New("bin and organization go together")
	case seen[Surname] && !seen[IIN]:
		return errors.New("a surname wants an iin")
	case p.Kind != Holder && (seen[IIN] || seen[Surname]):
		return errors.New("a service is no person")
	}
	return nil
}

func (p Profile) checkKeys() error {
	seen := map[algid.Key]bool{}
	for _, k := range p.Keys {
		if seen[k.Kind] {
			return fmt.Errorf("%s twice", k.Kind)
		}
		seen[k.Kind] = true
		if k.Kind == algid.RSA && (k.MinBits < minRSA || k.MaxBits > maxRSA || k.MinBits > k.MaxBits) {
			return fmt.Errorf("RSA keys have %d to %d bits", minRSA, maxRSA)
		}
		if k.Kind != algid.RSA && k.Kind != algid.GOST512 {
			return fmt.Errorf("kind %s is not issued", k.Kind)
		}
	}
	if len(seen) == 0 {
		return errors.New("no kind of key")
	}
	return nil
}

// checkUsage keeps the purposes of services and holders apart, and the roles together as §9.1 wants.
func (p Profile) checkUsage() error {
	if len(p.Usage) > maxUsages {
		return fmt.Errorf("more than %d usages", maxUsages)
	}
	for i, id := range p.Usage {
		if slices.ContainsFunc(p.Usage[:i], id.Equal) {
			return fmt.Errorf("%s twice", UsageWord(id))
		}
	}
	if p.Registered && p.Kind != Holder {
		return errors.New("registered: only holders have roles")
	}
	only := func(id asn1.ObjectIdentifier) error {
		if len(p.Usage) != 1 || !p.Usage[0].Equal(id) {
			return fmt.Errorf("%s, alone, is wanted", UsageWord(id))
		}
		return nil
	}
	switch p.Kind {
	case Responder:
		return only(pki.OCSPSigning)
	case TSA:
		return only(pki.TimeStamping)
	case Authority, SubAuthority:
		if len(p.Usage) > 0 {
			return errors.New("an authority has none")
		}
		return nil
	default:
		return p.checkRoles()
	}
}

func (p Profile) checkRoles() error {
	has := func(r pki.Role) bool { return p.HasUsage(r.OID()) }
	for _, id := range p.Usage {
		r, _ := pki.RoleByOID(id)
		switch {
		case id.Equal(pki.AnyUsage) || id.Equal(pki.ServerAuth) || id.Equal(pki.OCSPSigning) || id.Equal(pki.TimeStamping):
			return fmt.Errorf("%s is not for holders", UsageWord(id))
		case r == pki.RoleIdentifiedAtDesk || r == pki.RoleIdentifiedRemotely || r == pki.RoleIdentifiedOtherwise:
			return errors.New("how a person was identified is the order's to say")
		}
	}
	inside := 0
	for _, r := range []pki.Role{pki.RoleFirstHead, pki.RoleSignRight, pki.RoleFinance, pki.RoleHR, pki.RoleEmployee, pki.RoleInfoSystem, pki.RoleTreasury} {
		if has(r) {
			inside++
		}
	}
	if p.Registered {
		inside++
	}
	switch {
	case p.HasUsage(pki.EmailProtection) && p.HasUsage(pki.ClientAuth):
		return errors.New("signing and sign-in at once")
	case has(pki.RoleLegal) && inside != 1 || !has(pki.RoleLegal) && inside > 0:
		return errors.New("legal goes with exactly one role in a legal entity")
	case has(pki.RoleIndividual) && p.Has(BIN):
		return errors.New("an individual has no bin in his name")
	case has(pki.RoleLegal) && !p.Has(BIN):
		return errors.New("the role of a legal entity wants bin in the name")
	}
	return nil
}

func (p Profile) checkKeyUsage() error {
	holder := pki.DigitalSignature | pki.NonRepudiation | pki.KeyEncipherment | pki.DataEncipherment | pki.KeyAgreement
	switch {
	case p.Kind == Holder && (p.KeyUsage == 0 || p.KeyUsage&^holder != 0):
		return errors.New("a holder signs, agrees on keys and wraps them, and nothing else")
	case p.Kind == Holder && p.HasUsage(pki.ClientAuth) && p.KeyUsage&pki.NonRepudiation != 0:
		return errors.New("a sign-in key with nonRepudiation would sign what its holder never saw")
	case (p.Kind == Responder || p.Kind == TSA) && p.KeyUsage != signOnly:
		return errors.New("digitalSignature, alone, is wanted")
	case (p.Kind == Authority || p.Kind == SubAuthority) && p.KeyUsage != certify:
		return errors.New("keyCertSign and cRLSign are wanted")
	}
	return nil
}

func (p Profile) checkPolicies() error {
	if len(p.Policies) > maxPolicies || len(p.Policies) == 0 && p.Kind != Responder {
		return fmt.Errorf("1 to %d policies are wanted", maxPolicies)
	}
	for i, q := range p.Policies {
		switch {
		case q.OID.Equal(pki.AnyPolicy):
			return errors.New("anyPolicy is never written")
		case slices.ContainsFunc(p.Policies[:i], func(o Policy) bool { return q.OID.Equal(o.OID) }):
			return errors.New("a policy twice")
		}
		if q.CPS == "" {
			continue
		}
		u, err := url.Parse(q.CPS)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || len(q.CPS) > maxAddress || strings.ContainsFunc(q.CPS, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("cps is an http address of at most 200 characters")
		}
	}
	return nil
}

func (p Profile) checkDays(days int) error {
	if most := longest[p.Kind]; days < 1 || days > most {
		return fmt.Errorf("%d days, 1 to %d are possible", days, most)
	}
	return nil
}

func (p Profile) checkStorage() error {
	if p.Storage && p.Kind != Holder {
		return errors.New("only holders' certificates tell where the key is kept")
	}
	return nil
}

func (p Profile) checkSerial() error {
	switch {
	case p.Serial != SerialNCA && p.Serial != SerialRandom:
		return fmt.Errorf("no rule %q", p.Serial)
	case p.Serial == SerialNCA && p.Kind != Holder:
		return errors.New("authorities and their services have random serials")
	}
	return nil
}

func (p Profile) checkEmail() error {
	switch {
	case p.Email != Never && p.Email != Optional && p.Email != Required:
		return fmt.Errorf("no presence %q", p.Email)
	case p.Email != Never && p.Kind != Holder:
		return errors.New("a service has no e-mail")
	}
	return nil
}

func (p Profile) checkIdentity() error {
	if p.Identity && p.Kind != Holder {
		return errors.New("only persons are identified")
	}
	return nil
}
