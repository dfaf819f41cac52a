package ca

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"senim/algid"
	"senim/ocsp"
)

// Times and bounds of OCSP answers (security.md §5, BR 4.9.10).
const (
	answerLife    = 12 * time.Hour   // nextUpdate; a kept answer is signed anew after half of it
	leastLeft     = 10 * time.Minute // a kept answer with less left is not given out
	maxQuestions  = 8                // in one request
	maxNonce      = 32               // octets; longer ones are ignored, as RFC 9654 2.1 lets a responder
	responderLook = time.Minute      // how soon a renewed responder is noticed
)

// Answer is an OCSP response. It is shared and never changes.
type Answer struct {
	Raw []byte // DER
	// ThisUpdate and NextUpdate are zero when the answer is nobody else's and must not be cached: an
	// error, one with a nonce or about several certificates, or about a serial that was never
	// issued, which may be issued in the next moment.
	ThisUpdate, NextUpdate time.Time
	// Tag is a digest of Raw in hex; "" when ThisUpdate is zero.
	Tag string

	Memo
}

func plainError(s ocsp.ResponseStatus) *Answer { return &Answer{Raw: ocsp.ErrorResponse(s)} }

// OCSP is [Service.Kept] and then [Service.Answer] for one who is not limited.
func (s *Service) OCSP(ctx context.Context, request []byte) (*Answer, error) {
	if a, ok := s.Kept(ctx, request); ok {
		return a, nil
	}
	return s.Answer(ctx, request, func() error { return nil })
}

// Answer answers a request in DER. It never says good of a serial that was not issued: such is
// revoked, 1970-01-01, certificateHold, with extended-revoke (RFC 6960 2.2, crypto.md §12). An issuer
// that is not ours is answered unauthorized, bytes that are no request malformed. An error means
// that there is no answer to give now; the caller says internalError or tryLater.
//
// admit is asked before something is signed that nobody else can use; its error is returned as it is.
func (s *Service) Answer(ctx context.Context, request []byte, admit func() error) (*Answer, error) {
	arrived := s.tick()
	req, err := ocsp.ParseRequest(request)
	if err != nil || len(req.IDs) > maxQuestions {
		s.counts.malformed.Add(1)
		return plainError(ocsp.Malformed), nil
	}
	if len(req.Nonce) > maxNonce {
		req.Nonce = nil
	}
	a := s.asked(req.IDs)
	if a == nil {
		s.counts.unauthorized.Add(1)
		return plainError(ocsp.Unauthorized), nil
	}
	if err := s.running(); err != nil {
		s.counts.failed.Add(1)
		return nil, fmt.Errorf("ocsp: %w", err)
	}
	known, err := s.known(ctx, a, req.IDs, arrived)
	if err != nil {
		s.counts.failed.Add(1)
		return nil, fmt.Errorf("ocsp: %w", err)
	}
	shared := req.Nonce == nil && len(known) == 1 && known[0].onRecord()
	if !shared {
		if err := admit(); err != nil {
			s.counts.refused.Add(1)
			return nil, err
		}
	}
	r, err := a.currentResponder(ctx, s)
	if err != nil {
		s.counts.failed.Add(1)
		return nil, fmt.Errorf("ocsp: %w", err)
	}
	var answer *Answer
	if shared {
		answer, err = s.shared(a, r, request, req, known[0])
	} else {
		answer, err = s.sign(a, r, req, known)
	}
	if err != nil {
		s.counts.failed.Add(1)
		return nil, fmt.Errorf("ocsp: %w", err)
	}
	s.counts.said(known)
	return answer, nil
}

// shared gives the answer kept of a status, and signs it anew after half its life: whoever comes
// first then signs, others have the old one meanwhile, and when that fails it has half its life left.
func (s *Service) shared(a *authority, r *responder, request []byte, req *ocsp.Request, k *known) (*Answer, error) {
	slot := &k.answers[req.IDs[0].Hash]
	old, age := slot.Load(), useless
	if old != nil {
		age = old.at(s.now(), r.serial)
	}
	if age == fresh || age == aging && !old.renewing.CompareAndSwap(false, true) {
		s.keepRequest(request, a, k, old)
		return old.answer, nil
	}
	answer, err := s.sign(a, r, req, []*known{k})
	if err != nil {
		if age == aging {
			old.renewing.Store(false)
			s.log.Error("an ocsp answer could not be signed anew; the one before is given out", "ca", a.name, "error", err)
			return old.answer, nil
		}
		return nil, err
	}
	made := &signed{answer: answer, signer: r.serial}
	slot.Store(made)
	s.keepRequest(request, a, k, made)
	return answer, nil
}

func (s *Service) sign(a *authority, r *responder, req *ocsp.Request, all []*known) (*Answer, error) {
	now := s.whole()
	next := now.Add(answerLife)
	if next.After(r.cert.NotAfter) {
		next = r.cert.NotAfter
	}
	t := ocsp.ResponseTemplate{ProducedAt: now, Nonce: req.Nonce, BareNonce: req.BareNonce, ExtendedRevoke: true}
	for i, k := range all {
		t.Singles = append(t.Singles, k.single(req.IDs[i], now, next, a.cert.NotBefore))
	}
	raw, err := ocsp.CreateResponse(s.rand, r.key, r.cert, t)
	if err != nil {
		return nil, err
	}
	s.counts.signed.Add(1)
	if req.Nonce != nil || len(all) != 1 || !all[0].onRecord() {
		return &Answer{Raw: raw}, nil
	}
	sum := sha256.Sum256(raw)
	return &Answer{Raw: raw, ThisUpdate: now, NextUpdate: next, Tag: hex.EncodeToString(sum[:16])}, nil
}

// issuerKey is how a question names an authority, under one hash.
type issuerKey struct{ name, key string }

// asked is the issuing authority all ids are about, or nil.
func (s *Service) asked(ids []ocsp.CertID) *authority {
	var found *authority
	for i, id := range ids {
		a := s.named(id.Hash)[issuerKey{string(id.NameHash), string(id.KeyHash)}]
		if a == nil || i > 0 && a != found {
			return nil
		}
		found = a
	}
	return found
}

// named are the issuing authorities as questions with this hash name them.
func (s *Service) named(h algid.Hash) map[issuerKey]*authority {
	if m, ok := s.issuers.Load(h); ok {
		return m.(map[issuerKey]*authority)
	}
	m := map[issuerKey]*authority{}
	for _, a := range s.authorities {
		if !a.works() {
			continue
		}
		if id, err := ocsp.NewCertID(h, a.cert, a.cert.Serial); err == nil {
			m[issuerKey{string(id.NameHash), string(id.KeyHash)}] = a
		}
	}
	s.issuers.Store(h, m)
	return m
}
