package revocation

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"senim/algid"
	"senim/internal/trust"
	"senim/ocsp"
	"senim/pki"
)

// askResponder asks the configured responder of the issuer. An answer that is verified and says
// unknown is an answer: it is not given to the lists to do better.
func (s *Source) askResponder(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) (trust.Status, error) {
	address := s.c.Responders[hex.EncodeToString(issuer.SubjectKeyID)]
	if address == "" {
		return trust.Status{}, errNobody
	}
	id, err := ocsp.NewCertID(algid.SHA256, issuer, cert.Serial)
	if err != nil {
		return trust.Status{}, err
	}
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return trust.Status{}, err
	}
	question, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: nonce})
	if err != nil {
		return trust.Status{}, err
	}
	raw, err := s.post(ctx, address, question)
	if err != nil {
		return trust.Status{}, err
	}
	r, err := ocsp.ParseResponse(raw)
	if err != nil {
		return trust.Status{}, err
	}
	if r.Status != ocsp.Successful {
		return trust.Status{}, fmt.Errorf("responder answers %s", r.Status)
	}
	signer, err := s.answers.Verify(r, issuer, at)
	if err != nil {
		return trust.Status{}, err
	}
	if err := s.mayAnswer(ctx, signer, issuer, at); err != nil {
		return trust.Status{}, err
	}
	if !bytes.Equal(r.Nonce, nonce) {
		return trust.Status{}, errors.New("the answer does not carry our nonce")
	}
	one, ok := r.Find(issuer, cert.Serial)
	if !ok {
		return trust.Status{}, errors.New("the answer is about another certificate")
	}
	if err := fresh(one, at); err != nil {
		return trust.Status{}, err
	}
	st := statusOf(one)
	st.Source = "ocsp"
	sum := sha256.Sum256(raw)
	st.Evidence = map[string]string{
		"url": address, "producedAt": stamp(r.ProducedAt), "thisUpdate": stamp(one.ThisUpdate),
		"sha256": hex.EncodeToString(sum[:]), "responder": signer.SerialHex(), "issuer": issuer.Subject.String(),
	}
	if !one.NextUpdate.IsZero() {
		st.Evidence["nextUpdate"] = stamp(one.NextUpdate)
	}
	return st, nil
}

// mayAnswer asks about the responder itself, unless it is the issuer or its certificate says that
// nobody need (nocheck, RFC 6960 4.2.2.2.1). Only lists can tell: an answer of its own proves nothing.
func (s *Source) mayAnswer(ctx context.Context, signer, issuer *pki.Certificate, at time.Time) error {
	if signer.NoCheck || bytes.Equal(signer.Raw, issuer.Raw) {
		return nil
	}
	st, err := s.askLists(ctx, signer, issuer, at)
	if err != nil {
		return fmt.Errorf("the responder has no nocheck, and its own status cannot be told: %w", err)
	}
	if st.State != trust.StateGood {
		return fmt.Errorf("the responder %s is revoked", signer.SerialHex())
	}
	return nil
}

// post sends the question within the timeout and reads a bounded answer.
func (s *Source) post(ctx context.Context, address string, question []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/ocsp-request")
	req.Header.Set("Accept", "application/ocsp-response")
	return s.do(req, maxAnswer)
}

// do sends a request and reads at most limit bytes of a 200 answer.
func (s *Source) do(req *http.Request, limit int64) ([]byte, error) {
	resp, err := s.c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", req.URL.Host, resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%s answers more than %d bytes", req.URL.Host, limit)
	}
	return raw, nil
}

// fresh refuses answers made too long ago, too far ahead, or past their own nextUpdate.
func fresh(one ocsp.Single, at time.Time) error {
	switch {
	case at.Sub(one.ThisUpdate) > maxAge:
		return fmt.Errorf("the answer is of %s, more than %s old", stamp(one.ThisUpdate), maxAge)
	case one.ThisUpdate.Sub(at) > maxAhead:
		return fmt.Errorf("the answer is of %s, more than %s ahead", stamp(one.ThisUpdate), maxAhead)
	case !one.NextUpdate.IsZero() && at.After(one.NextUpdate):
		return fmt.Errorf("the answer ended at %s", stamp(one.NextUpdate))
	}
	return nil
}

func statusOf(one ocsp.Single) trust.Status {
	switch one.Status {
	case ocsp.Good:
		return trust.Status{State: trust.StateGood}
	case ocsp.Revoked:
		st := trust.Status{State: trust.StateRevoked, RevokedAt: one.RevokedAt, Reason: -1}
		if one.HasReason {
			st.Reason = int(one.Reason)
		}
		return st
	default:
		return trust.Status{State: trust.StateUnknown, Err: "the responder does not know the certificate"}
	}
}
