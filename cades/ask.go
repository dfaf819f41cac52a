package cades

import (
	"bytes"
	"errors"
	"time"

	"senim/ocsp"
	"senim/pki"
)

// ask gathers what proved evidence says of the certificate.
func (s *signature) ask(c, issuer *pki.Certificate) []says {
	var heard []says
	for _, e := range s.evidence {
		if e.answer != nil {
			if h, ok := s.askAnswer(e, c, issuer); ok {
				heard = append(heard, h)
			}
		}
	}
	return append(heard, s.askLists(c, issuer)...)
}

func (s *signature) askAnswer(e evidence, c, issuer *pki.Certificate) (says, bool) {
	if s.proveAnswer(e, issuer) != nil {
		return says{}, false
	}
	single, ok := e.answer.Find(issuer, c.Serial)
	if !ok || single.ThisUpdate.After(s.existedBy(e).Add(skew)) {
		return says{}, false
	}
	h := says{evidence: e, made: single.ThisUpdate, next: single.NextUpdate, unknown: single.Status == ocsp.Unknown}
	if single.Status == ocsp.Revoked {
		h.revoked = &pki.Entry{Serial: c.Serial, RevokedAt: single.RevokedAt, Reason: single.Reason, HasReason: single.HasReason}
	}
	return h, true
}

// askLists looks the certificate up in full lists and the deltas over them.
func (s *signature) askLists(c, issuer *pki.Certificate) []says {
	var heard []says
	for _, e := range s.listsOf(issuer, false) {
		h := says{evidence: e, made: e.list.ThisUpdate, next: e.list.NextUpdate}
		h.revoked, _ = e.list.Find(c.Serial)
		heard = append(heard, h)
	}
	full := len(heard)
	for _, e := range s.listsOf(issuer, true) {
		entry, listed := e.list.Find(c.Serial)
		if !listed {
			continue
		}
		h := says{evidence: e, made: e.list.ThisUpdate, next: e.list.NextUpdate, revoked: entry}
		if entry.Reason == pki.RemoveFromCRL {
			h.revoked, h.lifted = nil, true
		}
		if !h.lifted || overAny(e.list, heard[:full]) {
			heard = append(heard, h)
		}
	}
	return heard
}

// overAny reports whether a delta may be put on one of the full lists (RFC 5280 5.2.4).
func overAny(delta *pki.RevocationList, full []says) bool {
	for _, h := range full {
		l := h.list
		if l.Number != nil && delta.BaseNumber.Cmp(l.Number) <= 0 && !delta.ThisUpdate.Before(l.ThisUpdate) {
			return true
		}
	}
	return false
}

// listsOf are the proved lists of an issuer, full or delta, that are not from the future.
func (s *signature) listsOf(issuer *pki.Certificate, delta bool) []evidence {
	var out []evidence
	for _, e := range s.evidence {
		l := e.list
		if l == nil || (l.BaseNumber != nil) != delta || !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
			continue
		}
		if !l.ThisUpdate.After(s.existedBy(e).Add(skew)) && s.proveList(e, issuer) == nil {
			out = append(out, e)
		}
	}
	return out
}

// existedBy is the earliest moment the evidence is known to have existed.
func (s *signature) existedBy(e evidence) time.Time {
	known := s.knownAt(e.given)
	for _, place := range e.places {
		known = earlier(known, s.knownAt(place))
	}
	return known
}

var errOutOfDates = errors.New("whoever signed it was out of his dates")

// proveList checks that the issuer signed the list, and that its certificate had not ended when the
// list is known to have existed.
func (s *signature) proveList(e evidence, issuer *pki.Certificate) error {
	if len(e.list.AuthorityKeyID) > 0 && len(issuer.SubjectKeyID) > 0 && !bytes.Equal(e.list.AuthorityKeyID, issuer.SubjectKeyID) {
		return errors.New("a list of another key")
	}
	if issuer.KeyUsage&pki.CRLSign == 0 && (issuer.KeyUsage != 0 || !issuer.IsCA) {
		return errors.New("the issuer may not sign lists")
	}
	if e.list.ThisUpdate.Before(issuer.NotBefore) || s.existedBy(e).After(issuer.NotAfter) {
		return errOutOfDates
	}
	_, err := s.once(proofKey{e.list, issuer}, func() (*pki.Certificate, error) {
		return issuer, e.list.CheckSignatureFrom(issuer)
	})
	return err
}

// proveAnswer checks the answer and its responder, which must be exempt from revocation or not revoked
// by a list.
func (s *signature) proveAnswer(e evidence, issuer *pki.Certificate) error {
	known := s.existedBy(e)
	if e.answer.ProducedAt.After(known.Add(skew)) {
		return errOutOfDates
	}
	responder, err := s.once(proofKey{e.answer, issuer}, func() (*pki.Certificate, error) {
		return ocsp.Verify(e.answer, issuer, e.answer.ProducedAt)
	})
	switch {
	case err != nil:
		return err
	case known.After(responder.NotAfter):
		return errOutOfDates
	case bytes.Equal(responder.Raw, issuer.Raw) || responder.NoCheck:
		return nil
	}
	st := s.settle(responder, issuer, s.askLists(responder, issuer), e.answer.ProducedAt, known)
	return st.Err
}

// once verifies a signature one time, within the bound.
func (s *signature) once(k proofKey, verify func() (*pki.Certificate, error)) (*pki.Certificate, error) {
	p, known := s.proofs[k]
	if known {
		return p.by, p.err
	}
	if *s.checks++; *s.checks > maxChecks {
		return nil, errors.New("too many signatures to check")
	}
	p.by, p.err = verify()
	s.proofs[k] = p
	return p.by, p.err
}
