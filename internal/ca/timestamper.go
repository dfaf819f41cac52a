package ca

import (
	"context"
	"crypto"
	"fmt"
	"time"

	"senim/algid"
	"senim/pki"
)

// TimeStamper returns the present key for time-stamps of the issuing authority for a kind of key, and
// its certificate; [ErrNotFound] when there is none. That it was renewed or revoked
// is noticed within a minute.
func (s *Service) TimeStamper(ctx context.Context, k algid.Key) (crypto.Signer, *pki.Certificate, error) {
	if err := s.running(); err != nil {
		return nil, nil, fmt.Errorf("time-stamps by %s: %w", k, err)
	}
	a, ok := s.issuer(k)
	if !ok {
		return nil, nil, fmt.Errorf("time-stamps by %s: %w", k, ErrNotFound)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := s.now()
	if old := a.stamper; old != nil && !old.stale(now) {
		return old.key, old.cert, nil
	}
	next, err := s.openTimeStamper(ctx, a, now)
	if err != nil {
		return nil, nil, fmt.Errorf("time-stamps of %s: %w", a.name, err)
	}
	a.stamper = next
	return next.key, next.cert, nil
}

func (s *Service) openTimeStamper(ctx context.Context, a *authority, now time.Time) (*responder, error) {
	var rec SignerRecord
	err := s.store.View(ctx, func(tx Tx) (err error) {
		rec, err = tx.Signer(ctx, a.name, SignerTSA)
		return err
	})
	if err != nil {
		return nil, err
	}
	if old := a.stamper; old != nil && old.serial == rec.Serial {
		return &responder{cert: old.cert, serial: old.serial, key: old.key, looked: now}, nil
	}
	cert, err := pki.ParseCertificate(rec.Raw)
	if err != nil {
		return nil, err
	}
	key, err := openKey(ctx, a.keys, rec.Key, cert)
	if err != nil {
		return nil, err
	}
	return &responder{cert: cert, serial: rec.Serial, key: key, looked: now}, nil
}
