package lint

import (
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"senim/internal/profile"
	"senim/pki"
)

func profileRules() []Rule {
	return []Rule{
		{Name: "profile-subject", Clause: "crypto.md §8", kinds: []Kind{Holder}, check: profiled(profileSubject)},
		{Name: "profile-key", Clause: "crypto.md §9.3, BR 6.1.5", kinds: []Kind{Holder}, check: profiled(profileKey)},
		{Name: "profile-usage", Clause: "crypto.md §9.1, §9.3", kinds: []Kind{Holder}, check: profiled(profileUsage)},
		{Name: "profile-e-mail", Clause: "crypto.md §8, §9", kinds: []Kind{Holder}, check: profiled(profileEmail)},
		{Name: "profile-extensions", Clause: "crypto.md §9", kinds: []Kind{Holder}, check: profiled(profileExtensions)},
	}
}

// profiled runs a rule that needs a profile; that there is one is a rule by itself.
func profiled(check func(Subject, profile.Profile) error) func(Subject) error {
	return func(s Subject) error {
		if s.Meant == nil {
			return nil
		}
		return check(s, s.Meant.Profile)
	}
}

// profileSubject: the parts of the profile, in its order, one to an RDN.
func profileSubject(s Subject, p profile.Profile) error {
	rest := s.Certificate.Subject
	for _, part := range p.Subject {
		switch {
		case len(rest) > 0 && rest[0].OID.Equal(part.Field.OID()):
			if rest[0].Joined {
				return fmt.Errorf("%s shares its RDN", part.Field)
			}
			rest = rest[1:]
		case !part.Optional:
			return fmt.Errorf("%s is missing or out of its place", part.Field)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("part %s is not the profile's", rest[0].OID)
	}
	return nil
}

func profileKey(s Subject, p profile.Profile) error {
	rule, ok := p.Key(s.Certificate.Key)
	if !ok {
		return fmt.Errorf("key of kind %s", s.Certificate.Key)
	}
	if k, ok := s.Certificate.PublicKey.(*rsa.PublicKey); ok && (k.N.BitLen() < rule.MinBits || k.N.BitLen() > rule.MaxBits) {
		return fmt.Errorf("modulus of %d bits, the profile takes %d to %d", k.N.BitLen(), rule.MinBits, rule.MaxBits)
	}
	return nil
}

// profileUsage: perhaps how the person was identified, then exactly the profile's usages in their
// order, then the role of a registered system.
func profileUsage(s Subject, p profile.Profile) error {
	got := s.Certificate.ExtKeyUsage
	if p.Identity && len(got) > 0 && (got[0].Equal(pki.RoleIdentifiedAtDesk.OID()) || got[0].Equal(pki.RoleIdentifiedRemotely.OID())) {
		got = got[1:]
	}
	if p.Registered {
		arc := pki.RoleInfoSystem.OID()
		n := len(got) - 1
		if n < 0 || len(got[n]) != len(arc)+1 || !got[n][:len(arc)].Equal(arc) || got[n][len(arc)] < 1 {
			return errors.New("the role of a registered system is not the last usage")
		}
		got = got[:n]
	}
	if !slices.EqualFunc(got, p.Usage, asn1.ObjectIdentifier.Equal) {
		return errors.New("extended key usages are not the profile's, in its order")
	}
	return nil
}

// profileEmail: one e-mail address or none, as the profile says, and no other alternative name.
func profileEmail(s Subject, p profile.Profile) error {
	n := len(s.Certificate.Emails)
	switch {
	case n > 1 || len(s.Certificate.DNSNames) > 0:
		return errors.New("more than an e-mail address in the alternative names")
	case n == 0 && p.Email == profile.Required, n == 1 && p.Email == profile.Never:
		return fmt.Errorf("%d e-mail addresses, the profile says %s", n, p.Email)
	}
	return nil
}

// profileExtensions: none that neither the authority nor the profile has a reason to write, and of
// the others none is missing.
func profileExtensions(s Subject, p profile.Profile) error {
	want := []asn1.ObjectIdentifier{policiesID, authorityInfo, crlPoints, freshest, extKeyUsage, keyUsage, subjectKeyID, authorityKeyID}
	if p.Storage {
		want = append(want, pki.KeyStore)
	}
	if len(s.Certificate.Emails) > 0 {
		want = append(want, altName)
	}
	if len(p.Usage) == 0 && !p.Registered && len(s.Certificate.ExtKeyUsage) == 0 {
		want = slices.DeleteFunc(want, extKeyUsage.Equal)
	}
	for _, e := range s.Certificate.Extensions {
		at := slices.IndexFunc(want, e.OID.Equal)
		if at < 0 {
			return fmt.Errorf("extension %s has no place in it", e.OID)
		}
		want = slices.Delete(want, at, at+1)
	}
	if len(want) > 0 {
		return fmt.Errorf("extension %s is missing", want[0])
	}
	return nil
}
