package ca

import (
	"fmt"

	"senim/algid"
	"senim/pki"
)

// proofs verifies the signatures of an issue: on the request, and our own on the certificate; those of many
// issues at once together. The zero value is ready.
type proofs struct {
	keys     algid.PreparedKeys // of our authorities
	verifier algid.Verifier
}

// request checks that whoever wrote a request holds its private key.
func (p *proofs) request(r *pki.Request) error {
	if err := p.verifier.Verify(r.Signature, r.PublicKey, r.RawInfo, r.SignatureValue); err != nil {
		return fmt.Errorf("certificate request: %w", err)
	}
	return nil
}

// certificate checks a signature of one of our authorities.
func (p *proofs) certificate(c, issuer *pki.Certificate) error {
	if err := p.verifier.Verify(c.Signature, p.keys.Use(issuer.PublicKey), c.RawTBS, c.SignatureValue); err != nil {
		return fmt.Errorf("certificate %s: %w", c.SerialHex(), err)
	}
	return nil
}
