package cades

import (
	"fmt"
	"time"

	"senim/pki"
)

// maxChecks bounds the signatures verified for one message (security.md §3).
const maxChecks = 1000

// proofKey is a list or an answer, and the certificate held against it.
type proofKey struct{ evidence, issuer any }

// proof is who signed it, or why that is not proved.
type proof struct {
	by  *pki.Certificate
	err error
}

// says is what one piece of evidence tells of a certificate.
type says struct {
	evidence
	made, next time.Time
	revoked    *pki.Entry // nil: good
	unknown    bool       // the responder does not know it
	lifted     bool       // a delta took the hold away
}

// status asks all evidence about a certificate. It is good when evidence of the moment or of later
// says so; evidence before it counts until its next is due. Any that says revoked by then decides,
// but a hold that newer evidence does not know any more was lifted.
func (s *signature) status(c, issuer *pki.Certificate, at, until time.Time) Status {
	heard := s.ask(c, issuer)
	st := s.settle(c, issuer, heard, at, until)
	if st.Outcome == Invalid {
		return st
	}
	var inside []says
	for _, h := range heard {
		if len(h.places) > 0 {
			inside = append(inside, h)
		}
	}
	if only := s.settle(c, issuer, inside, at, until); only.Outcome == Valid {
		st.Embedded = true
		for _, h := range inside {
			if h.list == only.List && h.answer == only.Answer {
				st.embedded = append(st.embedded, h.places...)
			}
		}
	}
	return st
}

func (s *signature) settle(c, issuer *pki.Certificate, heard []says, at, until time.Time) Status {
	st := Status{Certificate: c, Issuer: issuer, Err: fmt.Errorf("certificate %s: %w", c.SerialHex(), pki.ErrUndetermined)}
	var good, held *says
	for i := range heard {
		h := &heard[i]
		switch {
		case h.unknown:
		case h.revoked == nil || h.revoked.Since().After(until):
			if h.usable(c, at) && (good == nil || h.made.After(good.made)) {
				good = h
			}
		case h.revoked.Since().After(at) && harmless(h.revoked):
			if good == nil || h.made.After(good.made) {
				good = h
			}
		case h.revoked.Reason == pki.CertificateHold && h.revoked.RevokedAt.Unix() != 0: // never issued is no hold
			if held == nil || h.made.After(held.made) {
				held = h
			}
		default:
			return st.revoked(h)
		}
	}
	if held != nil && (good == nil || !good.made.After(held.made)) {
		return st.revoked(held)
	}
	if good == nil {
		return st
	}
	st.take(good)
	st.Outcome, st.Err = Valid, nil
	return st
}

func (st Status) revoked(h *says) Status {
	st.take(h)
	st.Outcome, st.Err = Invalid, &pki.RevokedError{Cert: st.Certificate, Entry: *h.revoked}
	return st
}

func (st *Status) take(h *says) {
	st.List, st.Answer, st.Made, st.Next, st.Revoked = h.list, h.answer, h.made, h.next, h.revoked
	st.Inside = len(h.places) > 0
}

// usable reports whether the evidence, which knows of no revocation that matters, says so of the
// moment. After its end a certificate may be dropped from lists.
func (h *says) usable(c *pki.Certificate, at time.Time) bool {
	if h.made.After(c.NotAfter) && h.revoked == nil {
		return false
	}
	next := h.next
	if next.IsZero() {
		next = h.made.Add(fresh)
	}
	return !at.After(next) || h.made.After(at)
}

// harmless: what was made with the key before such a revocation still counts (RFC 3161 §4.1).
func harmless(e *pki.Entry) bool {
	switch e.Reason {
	case pki.Unspecified:
		return e.HasReason
	case pki.AffiliationChanged, pki.Superseded, pki.CessationOfOperation:
		return true
	default:
		return false
	}
}
