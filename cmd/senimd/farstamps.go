package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"senim/algid"
	"senim/internal/ask"
	"senim/internal/trust"
	"senim/pki"
	"senim/tsp"
)

const (
	// maxToken bounds an answer of a time-stamping authority, in bytes.
	maxToken = 256 << 10
	// tokenDrift is how far its clock and ours may be apart.
	tokenDrift = 10 * time.Minute
)

// farStamps asks a time-stamping authority elsewhere (RFC 3161), and takes no token that is not over these bytes, of
// now, and of an authority trusted here.
type farStamps struct {
	address string
	http    *http.Client
	pool    *pki.Pool
	now     func() time.Time
}

// Stamp implements participant.Stamps.
func (s farStamps) Stamp(ctx context.Context, digest []byte) ([]byte, error) {
	token, err := s.stamp(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("ask for a time-stamp: %w", err)
	}
	return token, nil
}

func (s farStamps) stamp(ctx context.Context, digest []byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	h := algid.SHA256
	q := tsp.Request{Imprint: tsp.Imprint{Hash: h, HashOID: h.OID(), Digest: digest}, Nonce: nonce, Certificate: true}
	question, err := tsp.CreateRequest(q)
	if err != nil {
		return nil, err
	}
	raw, err := ask.Post(ctx, s.http, s.address, ask.TSP, question, maxToken)
	if err != nil {
		return nil, err
	}
	r, err := tsp.ParseResponse(raw)
	if err != nil {
		return nil, err
	}
	if r.Token == nil {
		return nil, fmt.Errorf("refused with status %d", r.Status)
	}
	if err := r.Answers(q); err != nil {
		return nil, err
	}
	signer, err := r.Token.Verify()
	if err != nil {
		return nil, err
	}
	now := s.now()
	if now.Sub(r.Token.Time).Abs() > tokenDrift {
		return nil, errors.New("its clock and ours are too far apart")
	}
	if _, err := s.pool.Chain(signer, trust.Within(signer, now)); err != nil {
		return nil, fmt.Errorf("its certificate: %w", err)
	}
	return r.Token.Raw(), nil
}
