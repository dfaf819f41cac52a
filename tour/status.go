package main

import (
	"crypto/rand"
	"fmt"
	"time"

	"senim/algid"
	"senim/internal/robot"
	"senim/internal/trust"
	"senim/internal/trustdir"
	"senim/ocsp"
	"senim/pki"
)

func today() string { return time.Now().Format(time.DateOnly) }

// statusIsRevoked asks the responder and reads the published list, as a stranger would, and fails
// unless both say that the certificate is revoked.
func (t *tour) statusIsRevoked(c *pki.Certificate) error {
	issuer, err := t.issuerOf(c)
	if err != nil {
		return err
	}
	if err := t.askResponder(c, issuer); err != nil {
		return err
	}
	return t.readList(c, issuer)
}

// issuerOf finds the issuer in the trust folder.
func (t *tour) issuerOf(c *pki.Certificate) (*pki.Certificate, error) {
	authorities, err := trustdir.Load(t.sys.Dir + "/trust")
	if err != nil {
		return nil, err
	}
	chain, err := authorities.Pool.Chain(c, time.Now())
	if err != nil {
		return nil, err
	}
	return chain[1], nil
}

func (t *tour) askResponder(c, issuer *pki.Certificate) error {
	id, err := ocsp.NewCertID(algid.SHA256, issuer, c.Serial)
	if err != nil {
		return err
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails: crypto/rand
	question, err := ocsp.CreateRequest(ocsp.Request{IDs: []ocsp.CertID{id}, Nonce: nonce})
	if err != nil {
		return err
	}
	der, err := robot.Post(t.ctx, t.sys.Responder+"/ocsp/", "application/ocsp-request", question)
	if err != nil {
		return err
	}
	answer, err := ocsp.ParseResponse(der)
	if err != nil {
		return err
	}
	if _, err := ocsp.Verify(answer, issuer, time.Now()); err != nil {
		return err
	}
	one, ok := answer.Find(issuer, c.Serial)
	if !ok || one.Status != ocsp.Revoked {
		return fmt.Errorf("the OCSP answer does not say revoked")
	}
	t.note("OCSP  revoked at %s, %s", one.RevokedAt.Format(time.RFC3339), trust.ReasonName(int(one.Reason)))
	return nil
}

// readList waits for the list that has the certificate: publishing follows the revocation as a job.
func (t *tour) readList(c, issuer *pki.Certificate) error {
	for deadline := time.Now().Add(time.Minute); ; {
		der, err := robot.Get(t.ctx, t.sys.Responder+"/crl/gost.crl")
		if err != nil {
			return err
		}
		list, err := pki.ParseRevocationList(der)
		if err != nil {
			return err
		}
		if err := list.CheckSignatureFrom(issuer); err != nil {
			return err
		}
		if e, ok := list.Find(c.Serial); ok {
			t.note("CRL   number %v: revoked at %s, %s", list.Number, e.RevokedAt.Format(time.RFC3339), trust.ReasonName(int(e.Reason)))
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the published list number %v does not have the certificate", list.Number)
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-t.ctx.Done():
			return t.ctx.Err()
		}
	}
}
