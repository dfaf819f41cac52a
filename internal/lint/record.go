package lint

import (
	"errors"

	"senim/pki"
)

func recordRules() []Rule {
	return []Rule{
		{Name: "record-serial", Clause: "security.md §4 (2)", kinds: []Kind{Holder}, check: recordSerial},
		{Name: "record-holder", Clause: "security.md §4 (1)", kinds: []Kind{Holder}, check: recordHolder},
		{Name: "record-dates", Clause: "security.md §4, crypto.md §9.3", kinds: []Kind{Holder}, check: recordDates},
	}
}

// recordSerial: the serial that was stored before anything else.
func recordSerial(s Subject) error {
	if s.Meant != nil && pki.SerialHex(s.Certificate.Serial) != s.Meant.Serial {
		return errors.New("serial is not the stored one")
	}
	return nil
}

func recordHolder(s Subject) error {
	if s.Meant == nil {
		return nil
	}
	h := s.Certificate.Holder()
	if h.CommonName != s.Meant.CommonName || h.IIN != s.Meant.IIN || h.BIN != s.Meant.BIN {
		return errors.New("common name, IIN or BIN is not the recorded one")
	}
	return nil
}

func recordDates(s Subject) error {
	if s.Meant == nil {
		return nil
	}
	if c := s.Certificate; !c.NotBefore.Equal(s.Meant.NotBefore) || !c.NotAfter.Equal(s.Meant.NotAfter) {
		return errors.New("dates are not the recorded ones")
	}
	return nil
}
