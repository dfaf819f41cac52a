package ca

import (
	"context"
	"crypto"
	"fmt"
	"time"

	"senim/pki"
)

// responder is an open signer of OCSP answers, or of time-stamps. It never changes.
type responder struct {
	cert   *pki.Certificate
	serial string
	key    crypto.Signer
	looked time.Time
}

// stale reports that it is time to look whether there is a newer one.
func (r *responder) stale(now time.Time) bool {
	return now.Sub(r.looked).Abs() >= responderLook || !now.Before(r.cert.NotAfter)
}

// currentResponder returns the signer of an authority, looking now and then whether there is a
// newer one.
func (a *authority) currentResponder(ctx context.Context, s *Service) (*responder, error) {
	if r := a.responder.Load(); r != nil && !r.stale(s.now()) {
		return r, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := s.now()
	old := a.responder.Load()
	if old != nil && !old.stale(now) {
		return old, nil
	}
	r, err := s.openSigner(ctx, a, SignerOCSP, old, now)
	if err != nil {
		return nil, fmt.Errorf("responder of %s: %w", a.name, err)
	}
	a.responder.Store(r)
	return r, nil
}

// openSigner opens the present signer of a kind, keeping what is open when it is still the same one.
func (s *Service) openSigner(ctx context.Context, a *authority, kind string, old *responder, now time.Time) (*responder, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	var rec SignerRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		rec, err = tx.Signer(ctx, a.name, kind)
		return err
	})
	if err != nil {
		return nil, err
	}
	r := &responder{serial: rec.Serial, looked: now}
	if old != nil && old.serial == rec.Serial {
		r.cert, r.key = old.cert, old.key
	} else {
		if r.cert, err = pki.ParseCertificate(rec.Raw); err != nil {
			return nil, err
		}
		if r.key, err = openKey(ctx, a.keys, rec.Key, r.cert); err != nil {
			return nil, err
		}
	}
	if now.After(r.cert.NotAfter) || now.Before(r.cert.NotBefore) {
		return nil, fmt.Errorf("its certificate %s is out of its dates", r.serial)
	}
	return r, nil
}
