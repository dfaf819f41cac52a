package lint

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/pki"
)

// ListSubject is a revocation list to be linted.
type ListSubject struct {
	List   *pki.RevocationList
	Issuer *pki.Certificate
	// MaxDays bounds the time to the next list: 7 for issuing authorities, longer for roots.
	MaxDays int
	// Points are the addresses of a list that is one of several; nil for a list of everything.
	Points []string
}

// listRule is one demand on revocation lists.
type listRule struct {
	name, clause string
	check        func(ListSubject) error
}

func listRules() []listRule {
	return []listRule{
		{"read-by-another-parser", "crypto.md §11", listOtherParser},
		{"list-issuer", "RFC 5280 5.1.2.3, 5.2.1", listIssuer},
		{"list-scope", "RFC 5280 5.2.5", listScope},
		{"list-dates", "security.md §5, BR 4.9.7", listDates},
		{"list-number", "RFC 5280 5.2.3, 5.2.4", listNumber},
		{"list-entries", "RFC 5280 5.3.1, crypto.md §18", listEntries},
	}
}

// List runs every rule for revocation lists. The error is nil or an [Error].
func List(s ListSubject) error {
	var found Error
	for _, r := range listRules() {
		if err := r.check(s); err != nil {
			found = append(found, Finding{r.name, r.clause, err.Error()})
		}
	}
	if found != nil {
		return found
	}
	return nil
}

// otherParserMost is how many entries the other parser is given: it makes half a kilobyte of each.
const otherParserMost = 10_000

// listOtherParser gives a long list to the other parser with every n-th of its entries.
func listOtherParser(s ListSubject) error {
	raw, err := s.List.Thin(otherParserMost)
	if err != nil {
		return err
	}
	_, err = x509.ParseRevocationList(raw)
	return err
}

func listIssuer(s ListSubject) error {
	if !bytes.Equal(s.List.RawIssuer, s.Issuer.RawSubject) || !bytes.Equal(s.List.AuthorityKeyID, s.Issuer.SubjectKeyID) {
		return errors.New("name or key identifier is not the issuer's")
	}
	return nil
}

// listScope: nothing critical that a plain reader would stumble over, but for a list that is one of
// several, which says so with its own addresses and no others.
func listScope(s ListSubject) error {
	part, divided := s.List.Part()
	switch {
	case s.Points == nil && len(s.List.Unhandled) > 0:
		return fmt.Errorf("critical extension %s", s.List.Unhandled[0])
	case s.Points != nil && (!divided || len(s.List.Unhandled) != 1 || !slices.Equal(part, s.Points)):
		return fmt.Errorf("its distribution point is %q, not %q", part, s.Points)
	}
	return nil
}

func listDates(s ListSubject) error {
	l := s.List
	if !l.ThisUpdate.Before(l.NextUpdate) || l.NextUpdate.Sub(l.ThisUpdate) > time.Duration(s.MaxDays)*24*time.Hour {
		return fmt.Errorf("from %s to %s", l.ThisUpdate, l.NextUpdate)
	}
	if l.NextUpdate.After(s.Issuer.NotAfter) {
		return errors.New("promises a next list after the end of its issuer")
	}
	return nil
}

func listNumber(s ListSubject) error {
	l := s.List
	if l.Number == nil || l.Number.Sign() <= 0 {
		return errors.New("no number")
	}
	if l.BaseNumber != nil && l.BaseNumber.Cmp(l.Number) > 0 {
		return errors.New("base number over the number: there is one sequence")
	}
	return nil
}

// listEntries: a reason always, no serial twice, nothing revoked in the future or invalid after it was
// revoked; an entry taken off again only in a delta.
func listEntries(s ListSubject) error {
	if serial := s.List.Twice(); serial != nil {
		return fmt.Errorf("serial %s twice", serial.Text(16))
	}
	for i, e := range s.List.Bare {
		switch {
		case !e.HasReason:
			return fmt.Errorf("entry %d without a reason", i)
		case e.Reason == pki.RemoveFromCRL && s.List.BaseNumber == nil:
			return fmt.Errorf("entry %d: removeFromCRL in a full list", i)
		case e.RevokedAt.After(s.List.ThisUpdate):
			return fmt.Errorf("entry %d revoked after the list", i)
		case e.InvalidAt.After(e.RevokedAt):
			return fmt.Errorf("entry %d invalid after it was revoked", i)
		}
	}
	return nil
}
