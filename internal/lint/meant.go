package lint

import (
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"senim/internal/profile"
)

// Meant is what a holder's certificate is meant to say, as far as it can be told again when the order
// is long gone: by the profile, by the settings of its authority, and by the record of the order.
// Values that no record keeps (the organisation, the patronymic, the e-mail address) are held
// against their form only.
type Meant struct {
	Profile profile.Profile
	// Policy and CPS are the authority's own, for profiles that leave them to it.
	Policy asn1.ObjectIdentifier
	CPS    string
	// OCSP, Issuers, CRL and DeltaCRL are the authority's addresses.
	OCSP, Issuers, CRL, DeltaCRL []string
	// The record: the serial in 40 lower hex digits, the holder, the dates.
	Serial               string
	CommonName, IIN, BIN string
	NotBefore, NotAfter  time.Time
}

func meantRules() []Rule {
	return []Rule{
		{Name: "profile", Clause: "security.md §4 (3)", kinds: []Kind{Holder}, check: hasProfile},
		{Name: "authority-addresses", Clause: "crypto.md §6, §9", kinds: []Kind{Holder}, check: authorityAddresses},
	}
}

// hasProfile: nothing is good that cannot be held against a profile.
func hasProfile(s Subject) error {
	if s.Meant == nil || s.Meant.Profile.Kind != profile.Holder {
		return errors.New("there is no profile for holders to hold it against")
	}
	return s.Meant.Profile.Check()
}

// authorityAddresses: those of the authority, in their order, and no others.
func authorityAddresses(s Subject) error {
	c, m := s.Certificate, s.Meant
	if m == nil {
		return nil // profile has said so
	}
	for _, part := range []struct{ got, want []string }{{c.OCSP, m.OCSP}, {c.Issuers, m.Issuers}, {c.CRL, m.CRL}, {c.DeltaCRL, m.DeltaCRL}} {
		if !slices.Equal(part.got, part.want) {
			return errors.New("an address is not the authority's")
		}
	}
	return nil
}
