package agent

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/ask"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
	"senim/tsp"
)

// Bounds of a question to a time-stamping authority.
const (
	stampTime  = 15 * time.Second
	maxStamp   = 256 << 10
	stampDrift = 10 * time.Minute // how far its clock and ours may be apart
)

// errNoStamp: nobody here knows whom to ask for a time-stamp. Never a CMS without one that was asked for.
var errNoStamp = errors.New("no time-stamp service is set up for this issuer")

// stampError is a time-stamp that could not be had now: the person may try again.
type stampError struct {
	service string
	err     error
}

func (e *stampError) Error() string { return "time-stamp service " + e.service + ": " + e.err.Error() }
func (e *stampError) Unwrap() error { return e.err }

// unstamped is what the window says of a time-stamp that could not be had, and remembers for the
// answer, should the person give up; nil for other errors.
func (t *signing) unstamped(err error, tag lang.Tag) *Problem {
	e, ok := errors.AsType[*stampError](err)
	if !ok {
		return nil
	}
	t.stamp = e
	return &Problem{Code: "no_stamp", Text: tag.Text("agent.problem.no_stamp", "service", e.service)}
}

// stamp puts a time-stamp to the signatures of a message that have none: all of them, or those made
// with one certificate.
func (a *Agent) stamp(ctx context.Context, der []byte, only *pki.Certificate) ([]byte, error) {
	sd, err := cms.Parse(der)
	if err != nil {
		return nil, err
	}
	for i, s := range sd.Signers() {
		cert := certificateOf(sd, s)
		if len(s.Timestamps) > 0 || only != nil && (cert == nil || cert.Fingerprint() != only.Fingerprint()) {
			continue
		}
		if cert == nil {
			return nil, plainError("a signature without its certificate cannot be time-stamped")
		}
		token, err := a.token(ctx, cert, s.SignatureValue)
		if err != nil {
			return nil, err
		}
		if der, err = cms.AddTimestamp(der, i, token); err != nil {
			return nil, err
		}
	}
	return der, nil
}

// certificateOf finds the certificate that a signature names among those in the message.
func certificateOf(sd *cms.SignedData, s cms.Signer) *pki.Certificate {
	for _, c := range sd.Certificates() {
		if s.SubjectKeyID != nil && bytes.Equal(c.SubjectKeyID, s.SubjectKeyID) ||
			s.Serial != nil && s.Serial.Cmp(c.Serial) == 0 && bytes.Equal(c.RawIssuer, s.Issuer) {
			return c
		}
	}
	return nil
}

// stampAddress is where signatures of a certificate are time-stamped; "" when nobody here knows.
func (a *Agent) stampAddress(cert *pki.Certificate) string {
	issuer := hex.EncodeToString(cert.AuthorityKeyID)
	if address := a.config.Stamps[issuer]; address != "" {
		return address
	}
	return stampers[issuer]
}

// token asks the authority of a certificate's issuer for a time-stamp over a signature, and keeps
// nothing that is not over these bytes, fresh, and from an authority known here.
func (a *Agent) token(ctx context.Context, cert *pki.Certificate, signature []byte) ([]byte, error) {
	address := a.stampAddress(cert)
	where, err := url.Parse(address)
	if address == "" || err != nil {
		return nil, errNoStamp
	}
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	hash, policy := algid.Streebog512, tsp.PolicyGOST512
	switch cert.Key {
	case algid.RSA:
		hash, policy = algid.SHA256, tsp.PolicyRSA
	case algid.GOST2004:
		hash, policy = algid.GOST34311, tsp.PolicyGOST2004
	case algid.GOST512, algid.GOST256, algid.GT, algid.GOST512Agreement, algid.GOST256Agreement:
	}
	question := tsp.Request{Imprint: tsp.NewImprint(hash, signature), Policy: policy, Nonce: nonce, Certificate: true}
	token, err := a.stamped(ctx, address, question)
	if err != nil {
		return nil, &stampError{where.Host, err}
	}
	return token, nil
}

func (a *Agent) stamped(ctx context.Context, address string, question tsp.Request) ([]byte, error) {
	der, err := tsp.CreateRequest(question)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, stampTime)
	defer cancel()
	answer, err := ask.Post(ctx, ask.Client(), address, ask.TSP, der, maxStamp)
	if err != nil {
		return nil, err
	}
	r, err := tsp.ParseResponse(answer)
	if err != nil {
		return nil, err
	}
	if r.Token == nil {
		return nil, plainError(fmt.Sprintf("refused with status %d", r.Status))
	}
	if err := r.Answers(question); err != nil {
		return nil, err
	}
	signer, err := r.Token.Verify()
	if err != nil {
		return nil, err
	}
	now := a.now()
	if r.Token.Time.Before(now.Add(-stampDrift)) || r.Token.Time.After(now.Add(stampDrift)) {
		return nil, plainError("its clock and this one are too far apart")
	}
	if _, err := a.trust.pool().Chain(signer, trust.Within(signer, now)); err != nil {
		return nil, plainError("its certificate is of an unknown authority")
	}
	return r.Token.Raw(), nil
}
