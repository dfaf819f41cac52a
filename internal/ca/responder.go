package ca

import (
	"context"
	"crypto"
	"fmt"
	"time"

	"senim/pki"
)

// responder is an open OCSP signer. It never changes.
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
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	var rec SignerRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		rec, err = tx.Signer(ctx, a.name, SignerOCSP)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("responder of %s: %w", a.name, err)
	}
	r := &responder{serial: rec.Serial, looked: now}
	if old != nil && old.serial == rec.Serial {
		r.cert, r.key = old.cert, old.key
	} else {
		if r.cert, err = pki.ParseCertificate(rec.Raw); err != nil {
			return nil, fmt.Errorf("responder of %s: %w", a.name, err)
		}
		if r.key, err = openKey(ctx, a.keys, rec.Key, r.cert); err != nil {
			return nil, fmt.Errorf("responder of %s: %w", a.name, err)
		}
	}
	if now.After(r.cert.NotAfter) || now.Before(r.cert.NotBefore) {
		return nil, fmt.Errorf("responder of %s: its certificate %s is out of its dates", a.name, r.serial)
	}
	a.responder.Store(r)
	return r, nil
}
