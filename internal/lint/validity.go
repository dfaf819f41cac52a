package lint

import (
	"errors"
	"fmt"
	"time"
)

func validityRules() []Rule {
	return []Rule{
		{Name: "validity-order", Clause: "RFC 5280 4.1.2.5", check: validityOrder},
		{Name: "validity-length", Clause: "crypto.md §9.3", check: validityLength},
		{Name: "service-life", Clause: "crypto.md §9.3", kinds: []Kind{Responder, TSA}, check: serviceLife},
		{Name: "validity-within-issuer", Clause: "security.md §5, §10", check: validityWithin},
	}
}

func validityOrder(s Subject) error {
	c := s.Certificate
	if !c.NotBefore.Before(c.NotAfter) {
		return errors.New("it ends before it begins")
	}
	if c.NotBefore.Nanosecond() != 0 || c.NotAfter.Nanosecond() != 0 {
		return errors.New("fractions of a second")
	}
	return nil
}

func validityLength(s Subject) error {
	if s.MaxDays <= 0 {
		return errors.New("the profile has no longest life")
	}
	if life := s.Certificate.NotAfter.Sub(s.Certificate.NotBefore); life > time.Duration(s.MaxDays)*24*time.Hour {
		return fmt.Errorf("life of %s, at most %d days", life, s.MaxDays)
	}
	return nil
}

// serviceLife: a key that signs all day is not kept for long.
func serviceLife(s Subject) error {
	days := map[Kind]int{Responder: 365, TSA: 1095}[s.Kind]
	if life := s.Certificate.NotAfter.Sub(s.Certificate.NotBefore); life > time.Duration(days)*24*time.Hour {
		return fmt.Errorf("life of %s, at most %d days", life, days)
	}
	return nil
}

func validityWithin(s Subject) error {
	if s.Kind == Root {
		return nil
	}
	if s.Issuer == nil || s.Certificate.NotAfter.After(s.Issuer.NotAfter) || s.Certificate.NotBefore.Before(s.Issuer.NotBefore) {
		return errors.New("outside the life of its issuer")
	}
	return nil
}
