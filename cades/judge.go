package cades

import (
	"errors"
	"fmt"
	"time"

	"senim/pki"
)

// certificate judges a certificate at a moment: its path, and that no certificate of it was revoked.
// Revocations after the moment and up to until count when the key may have been in other hands.
func (s *signature) certificate(c *pki.Certificate, at, until time.Time) Judgement {
	j := Judgement{At: at, Outcome: Valid}
	if j.Path, j.Err = s.path(c, at); j.Err != nil {
		j.Outcome = s.pathOutcome(c, at, j.Err)
		j.Path = s.datedPath(c, j.Err)
	}
	if s.trust.NoRevocation || j.Path == nil {
		return j
	}
	for i, c := range j.Path[:len(j.Path)-1] {
		st := s.status(c, j.Path[i+1], at, until)
		st.Configured = st.Outcome == CannotSay && i > 0 && s.trust.Pool.Has(c)
		j.Status = append(j.Status, st)
		switch {
		case st.Outcome == Invalid && j.Outcome != Invalid, st.Outcome == CannotSay && !st.Configured && j.Outcome == Valid:
			j.Outcome, j.Err = st.Outcome, st.Err
		}
	}
	return j
}

// authority judges who made a token: its certificate must have been good at the time of the token and
// must not have ended when the token is known to have existed.
func (s *signature) authority(c *pki.Certificate, at, known time.Time) Judgement {
	j := s.certificate(c, at, known)
	if j.Outcome != Valid || !known.After(at) {
		return j
	}
	for _, c := range j.Path {
		if known.After(c.NotAfter) {
			j.Outcome = CannotSay
			j.Err = fmt.Errorf("no later time-stamp proves that the token is older than that: %w", &pki.ValidityError{Cert: c})
			break
		}
	}
	return j
}

func (s *signature) path(c *pki.Certificate, at time.Time) ([]*pki.Certificate, error) {
	path, err := s.pool.Validate(c, pki.Rules{At: at, Checks: s.checks})
	if err != nil {
		return nil, err
	}
	return path.Chain, nil
}

// datedPath is the path of a certificate that is out of its dates, at its nearest moment: a reader is
// told everything else about it too.
func (s *signature) datedPath(c *pki.Certificate, err error) []*pki.Certificate {
	var dates *pki.ValidityError
	if !errors.As(err, &dates) || dates.Cert != c {
		return nil
	}
	at := c.NotAfter
	if dates.NotYet {
		at = c.NotBefore
	}
	path, err := s.path(c, at)
	if err != nil {
		return nil
	}
	return path
}

// pathOutcome: the dates of the certificate and of those the caller trusts are certain; so is a refusal
// by the latter. Anything else may be due to what a stranger put into the message, or to what is missing.
func (s *signature) pathOutcome(c *pki.Certificate, at time.Time, err error) Outcome {
	var dates *pki.ValidityError
	if errors.As(err, &dates) && (dates.Cert == c || s.trust.Pool.Has(dates.Cert)) {
		return Invalid
	}
	_, err = s.trust.Pool.Validate(c, pki.Rules{At: at, Checks: s.checks})
	if err == nil || errors.Is(err, pki.ErrNoIssuer) || *s.checks >= maxChecks {
		return CannotSay
	}
	return Invalid
}
