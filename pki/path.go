package pki

import (
	"errors"
	"fmt"
	"time"

	"senim/algid"
)

// sha1End is when the last SHA-1 certificates may have been issued.
var sha1End = time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC)

// checkPath applies the rules of RFC 5280 section 6.1 that do not depend on time or signatures to
// leaf, …, root.
func checkPath(path []*Certificate) error {
	below := 0 // intermediates under the one looked at, self-issued ones not counted (6.1.4 l)
	for i, c := range path {
		if err := c.checkForm(); err != nil {
			return fmt.Errorf("certificate %s: %w", c.SerialHex(), err)
		}
		if c.Signature == algid.SHA1WithRSA && i < len(path)-1 && !c.NotBefore.Before(sha1End) {
			return fmt.Errorf("certificate %s: signed with SHA-1 after 2016", c.SerialHex())
		}
		if i == 0 {
			continue
		}
		if err := checkIssuer(c, below); err != nil {
			return fmt.Errorf("certificate %s: %w", c.SerialHex(), err)
		}
		if !c.selfIssued() {
			below++
		}
	}
	return checkNames(path)
}

// checkForm is what must hold of any certificate of a path.
func (c *Certificate) checkForm() error {
	san, named := findExtension(c.Extensions, extSubjectAltName)
	switch {
	case len(c.Unhandled) > 0:
		return fmt.Errorf("critical extension %v not known", c.Unhandled[0])
	case c.PublicKey == nil:
		return errors.New("a key of no algorithm of ours")
	case len(c.Subject) == 0 && (c.IsCA || !named || !san.Critical): // 4.1.2.6
		return errors.New("no subject")
	case c.KeyUsage&CertSign != 0 && !c.IsCA: // 4.2.1.3
		return errors.New("may sign certificates, and is no authority")
	}
	return nil
}

// checkIssuer asks whether c may have issued what stands below it.
func checkIssuer(c *Certificate, below int) error {
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return errors.New("not an authority")
	case c.KeyUsage != 0 && c.KeyUsage&CertSign == 0:
		return errors.New("may not sign certificates")
	case c.MaxPathLen >= 0 && below > c.MaxPathLen:
		return fmt.Errorf("path longer than its limit of %d", c.MaxPathLen)
	}
	return nil
}

// checkDates names the first certificate out of its dates, leaf first; both ends belong to the
// validity (RFC 5280 4.1.2.5).
func checkDates(path []*Certificate, at time.Time) *ValidityError {
	for _, c := range path {
		switch {
		case at.Before(c.NotBefore):
			return &ValidityError{Cert: c, NotYet: true}
		case at.After(c.NotAfter):
			return &ValidityError{Cert: c}
		}
	}
	return nil
}
