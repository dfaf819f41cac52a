package revocation

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/internal/ask"
	"senim/internal/trust"
	"senim/ocsp"
	"senim/pki"
)

// Question is what the responder of one issuer is asked about certificates of it.
type Question struct {
	Issuer  *pki.Certificate
	Serials []*big.Int
	Hash    algid.Hash    // of the certificate ids; zero is SHA-256
	Nonce   []byte        // nil: none is sent, and none must come back
	MaxAge  time.Duration // how old an answer may be; zero is 15 minutes
}

// NewNonce makes a nonce of 16 bytes.
func NewNonce() ([]byte, error) {
	nonce := make([]byte, 16)
	_, err := rand.Read(nonce)
	return nonce, err
}

// Marshal writes the question.
func (q Question) Marshal() ([]byte, error) {
	h := q.Hash
	if h == 0 {
		h = algid.SHA256
	}
	r := ocsp.Request{Nonce: q.Nonce}
	for _, serial := range q.Serials {
		id, err := ocsp.NewCertID(h, q.Issuer, serial)
		if err != nil {
			return nil, err
		}
		r.IDs = append(r.IDs, id)
	}
	return ocsp.CreateRequest(r)
}

// Answer is an answer that the issuer, or a responder it certified, signed to a [Question].
type Answer struct {
	*ocsp.Response
	Signer *pki.Certificate

	q  Question
	at time.Time
}

// Read checks who signed an answer, and that it carries the nonce of the question. Whether a responder without
// nocheck was revoked itself is the caller's question.
func (q Question) Read(raw []byte, at time.Time) (*Answer, error) {
	return q.read(new(ocsp.Verifier), raw, at)
}

func (q Question) read(v *ocsp.Verifier, raw []byte, at time.Time) (*Answer, error) {
	r, err := ocsp.ParseResponse(raw)
	if err != nil {
		return nil, err
	}
	if r.Status != ocsp.Successful {
		return nil, fmt.Errorf("responder answers %s", r.Status)
	}
	signer, err := v.Verify(r, q.Issuer, at)
	if err != nil {
		return nil, err
	}
	if q.Nonce != nil && !bytes.Equal(r.Nonce, q.Nonce) {
		return nil, errors.New("the answer does not carry our nonce")
	}
	return &Answer{r, signer, q, at}, nil
}

// Status is what the answer says about a certificate; an error when it does not speak of it, or did
// so too long ago. That the responder does not know the certificate is an answer.
func (a *Answer) Status(serial *big.Int) (trust.Status, error) {
	one, ok := a.Find(a.q.Issuer, serial)
	if !ok {
		return trust.Status{}, errors.New("the answer is about another certificate")
	}
	if err := fresh(one, a.at, a.q.MaxAge); err != nil {
		return trust.Status{}, err
	}
	st := statusOf(one)
	st.Source = "ocsp"
	sum := sha256.Sum256(a.Raw)
	st.Evidence = map[string]string{
		"producedAt": stamp(a.ProducedAt), "thisUpdate": stamp(one.ThisUpdate), "sha256": hex.EncodeToString(sum[:]),
		"responder": a.Signer.SerialHex(), "issuer": a.q.Issuer.Subject.String(),
	}
	if !one.NextUpdate.IsZero() {
		st.Evidence["nextUpdate"] = stamp(one.NextUpdate)
	}
	return st, nil
}

// askResponder asks the configured responder of the issuer. An answer that is verified and says
// unknown is an answer: it is not given to the lists to do better.
func (s *Source) askResponder(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) (trust.Status, *Answer, error) {
	client, address := s.c.HTTP, s.c.Responders[hex.EncodeToString(issuer.SubjectKeyID)]
	if address == "" && s.c.Inside != nil && len(cert.OCSP) > 0 {
		client, address = s.c.Inside, cert.OCSP[0]
	}
	if address == "" {
		return trust.Status{}, nil, errNobody
	}
	nonce, err := NewNonce()
	if err != nil {
		return trust.Status{}, nil, err
	}
	q := Question{Issuer: issuer, Serials: []*big.Int{cert.Serial}, Nonce: nonce}
	question, err := q.Marshal()
	if err != nil {
		return trust.Status{}, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.c.Timeout)
	defer cancel()
	raw, err := ask.Post(ctx, client, address, ask.OCSP, question, MaxAnswer)
	if err != nil {
		return trust.Status{}, nil, fmt.Errorf("%w: %w", errSilent, err)
	}
	a, err := q.read(&s.answers, raw, at)
	if err != nil {
		return trust.Status{}, nil, err
	}
	if err := s.mayAnswer(ctx, a.Signer, issuer, at); err != nil {
		return trust.Status{}, nil, err
	}
	st, err := a.Status(cert.Serial)
	if err == nil {
		st.Evidence["url"] = address
	}
	return st, a, err
}

// mayAnswer asks about the responder itself, unless it is the issuer or its certificate says that
// nobody need (nocheck, RFC 6960 4.2.2.2.1). Only lists can tell: an answer of its own proves nothing.
func (s *Source) mayAnswer(ctx context.Context, signer, issuer *pki.Certificate, at time.Time) error {
	if signer.NoCheck || bytes.Equal(signer.Raw, issuer.Raw) {
		return nil
	}
	st, _, err := s.askLists(ctx, signer, issuer, at)
	if err != nil {
		return fmt.Errorf("the responder has no nocheck, and its own status cannot be told: %w", err)
	}
	if st.State != trust.StateGood {
		return fmt.Errorf("the responder %s is revoked", signer.SerialHex())
	}
	return nil
}

// fresh refuses answers made too long ago, too far ahead, or past their own nextUpdate.
func fresh(one ocsp.Single, at time.Time, age time.Duration) error {
	if age == 0 {
		age = maxAge
	}
	switch {
	case at.Sub(one.ThisUpdate) > age:
		return fmt.Errorf("the answer is of %s, more than %s old", stamp(one.ThisUpdate), age)
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
