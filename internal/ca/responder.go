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
	key    crypto.Signer
	looked time.Time
}

// currentResponder returns the signer of an authority, looking now and then whether there is a
// newer one.
func (a *authority) currentResponder(ctx context.Context, s *Service) (*responder, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := s.now()
	if a.responder != nil && now.Sub(a.responder.looked).Abs() < responderLook && now.Before(a.responder.cert.NotAfter) {
		return a.responder, nil
	}
	var rec SignerRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		rec, err = tx.Signer(ctx, a.name, SignerOCSP)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("responder of %s: %w", a.name, err)
	}
	if old := a.responder; old != nil && old.cert.SerialHex() == rec.Serial {
		a.responder = &responder{cert: old.cert, key: old.key, looked: now}
	} else {
		cert, err := pki.ParseCertificate(rec.Raw)
		if err != nil {
			return nil, fmt.Errorf("responder of %s: %w", a.name, err)
		}
		key, err := openKey(ctx, a.keys, rec.Key, cert)
		if err != nil {
			return nil, fmt.Errorf("responder of %s: %w", a.name, err)
		}
		a.responder = &responder{cert: cert, key: key, looked: now}
	}
	if c := a.responder.cert; now.After(c.NotAfter) || now.Before(c.NotBefore) {
		return nil, fmt.Errorf("responder of %s: its certificate %s is out of its dates", a.name, c.SerialHex())
	}
	return a.responder, nil
}
