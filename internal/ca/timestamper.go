package ca

import (
	"context"
	"crypto"
	"fmt"

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
	next, err := s.openSigner(ctx, a, SignerTSA, a.stamper, now)
	if err != nil {
		return nil, nil, fmt.Errorf("time-stamps of %s: %w", a.name, err)
	}
	a.stamper = next
	return next.key, next.cert, nil
}
