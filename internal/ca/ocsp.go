package ca

import (
	"context"
	"errors"
	"fmt"
	"time"

	"senim/ocsp"
	"senim/pki"
)

// Times and bounds of OCSP answers (security.md §5, BR 4.9.10).
const (
	answerLife    = 12 * time.Hour   // nextUpdate
	answerReuse   = 10 * time.Minute // a cached answer is given out this long
	maxAnswers    = 20_000           // cached
	maxQuestions  = 8                // in one request
	maxNonce      = 32               // octets, RFC 9654
	responderLook = time.Minute      // how soon a renewed responder is noticed
)

// Answer is an OCSP response.
type Answer struct {
	Raw []byte // DER
	// ThisUpdate and NextUpdate are zero when the answer is an error or carries a nonce: then it
	// is nobody else's and must not be cached.
	ThisUpdate, NextUpdate time.Time
}

// OCSP answers a request in DER. It never says good of a serial that was not issued: such is
// revoked, 1970-01-01, certificateHold, with extended-revoke (RFC 6960 2.2, crypto.md §12). An issuer
// that is not ours is answered unauthorized, bytes that are no request malformed. An error means
// that there is no answer to give now; the caller says internalError or tryLater.
func (s *Service) OCSP(ctx context.Context, request []byte) (*Answer, error) {
	req, err := ocsp.ParseRequest(request)
	if err != nil || len(req.IDs) == 0 || len(req.IDs) > maxQuestions || len(req.Nonce) > maxNonce {
		return &Answer{Raw: ocsp.ErrorResponse(ocsp.Malformed)}, nil
	}
	a := s.asked(req.IDs)
	if a == nil {
		return &Answer{Raw: ocsp.ErrorResponse(ocsp.Unauthorized)}, nil
	}
	states, err := s.states(ctx, a, req.IDs)
	if err != nil {
		return nil, fmt.Errorf("ocsp: %w", err)
	}
	r, err := a.currentResponder(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("ocsp: %w", err)
	}
	now := s.whole()
	plain := req.Nonce == nil && len(req.IDs) == 1
	question := question{a.name, req.IDs[0].Hash, pki.SerialHex(req.IDs[0].Serial)}
	if plain {
		if old, ok := s.answers.find(question, states[0], r, now); ok {
			return old, nil
		}
	}
	answer, err := s.answer(r, req, states, now)
	if err != nil {
		return nil, fmt.Errorf("ocsp: %w", err)
	}
	if plain {
		s.answers.keep(question, states[0], r, answer, now)
	}
	return answer, nil
}

// asked is the issuing authority all ids are about, or nil.
func (s *Service) asked(ids []ocsp.CertID) *authority {
	for _, name := range s.order {
		a := s.authorities[name]
		if !a.works() || !ids[0].IssuedBy(a.cert) {
			continue
		}
		for _, id := range ids[1:] {
			if !id.IssuedBy(a.cert) {
				return nil
			}
		}
		return a
	}
	return nil
}

// status is all an answer says of a serial. It is comparable: a cached answer is used only while
// the status read now is the one it was made of, so a revocation is seen at once on every node.
type status struct {
	issued    bool
	revoked   bool
	revokedAt int64 // Unix seconds
	reason    Reason
}

// states reads the present status of every serial asked for.
func (s *Service) states(ctx context.Context, a *authority, ids []ocsp.CertID) ([]status, error) {
	states := make([]status, len(ids))
	err := s.store.View(ctx, func(tx Tx) error {
		for i, id := range ids {
			r, err := tx.BySerial(ctx, pki.SerialHex(id.Serial))
			switch {
			case errors.Is(err, ErrNotFound):
				states[i] = status{}
			case err != nil:
				return err
			default:
				states[i] = statusOf(r, a.name)
			}
		}
		return nil
	})
	return states, err
}

func statusOf(r Record, ca string) status {
	if r.CA != ca {
		return status{} // another authority's serial was not issued by this one
	}
	if r.Revoked != nil {
		return status{issued: r.State == Done, revoked: true, revokedAt: r.Revoked.At.Unix(), reason: r.Revoked.Reason}
	}
	return status{issued: r.State == Done}
}

// single says a status.
func (st status) single(id ocsp.CertID, at, next time.Time) ocsp.Single {
	one := ocsp.Single{ID: id, ThisUpdate: at, NextUpdate: next}
	switch {
	case st.revoked:
		one.Status, one.RevokedAt, one.Reason, one.HasReason = ocsp.Revoked, time.Unix(st.revokedAt, 0).UTC(), st.reason, true
	case st.issued:
		one.Status = ocsp.Good
	default:
		one.Status, one.RevokedAt, one.Reason, one.HasReason = ocsp.Revoked, time.Unix(0, 0).UTC(), CertificateHold, true
	}
	return one
}

func (s *Service) answer(r *responder, req *ocsp.Request, states []status, now time.Time) (*Answer, error) {
	next := now.Add(answerLife)
	if next.After(r.cert.NotAfter) {
		next = r.cert.NotAfter
	}
	t := ocsp.ResponseTemplate{ProducedAt: now, Nonce: req.Nonce, ExtendedRevoke: true}
	for i, st := range states {
		t.Singles = append(t.Singles, st.single(req.IDs[i], now, next))
	}
	raw, err := ocsp.CreateResponse(s.rand, r.key, r.cert, t)
	if err != nil {
		return nil, err
	}
	if req.Nonce != nil {
		return &Answer{Raw: raw}, nil
	}
	return &Answer{Raw: raw, ThisUpdate: now, NextUpdate: next}, nil
}
