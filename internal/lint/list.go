package lint

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"senim/pki"
)

// ListSubject is a revocation list to be linted.
type ListSubject struct {
	List   *pki.RevocationList
	Issuer *pki.Certificate
	// MaxDays bounds the time to the next list: 7 for issuing authorities, longer for roots.
	MaxDays int
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

func listOtherParser(s ListSubject) error {
	_, err := x509.ParseRevocationList(s.List.Raw)
	return err
}

func listIssuer(s ListSubject) error {
	if !bytes.Equal(s.List.RawIssuer, s.Issuer.RawSubject) || !bytes.Equal(s.List.AuthorityKeyID, s.Issuer.SubjectKeyID) {
		return errors.New("name or key identifier is not the issuer's")
	}
	if len(s.List.Unhandled) > 0 {
		return fmt.Errorf("critical extension %s", s.List.Unhandled[0])
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

// listEntries: a reason always, no serial twice, nothing revoked in the future; an entry taken off
// again only in a delta.
func listEntries(s ListSubject) error {
	seen := map[string]bool{}
	for _, e := range s.List.Entries {
		id := e.Serial.Text(16)
		switch {
		case seen[id]:
			return fmt.Errorf("serial %s twice", id)
		case !e.HasReason:
			return fmt.Errorf("serial %s without a reason", id)
		case e.Reason == pki.RemoveFromCRL && s.List.BaseNumber == nil:
			return fmt.Errorf("serial %s: removeFromCRL in a full list", id)
		case e.RevokedAt.After(s.List.ThisUpdate):
			return fmt.Errorf("serial %s revoked after the list", id)
		}
		seen[id] = true
	}
	return nil
}
