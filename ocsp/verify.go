package ocsp

import (
	"bytes"
	"crypto/sha1" // ResponderID byKey is SHA-1 by RFC 6960 4.2.1
	"errors"
	"fmt"
	"time"

	"senim/algid"
	"senim/pki"
)

// ErrSigner says that whoever signed the answer had no right to.
var ErrSigner = errors.New("not signed by the issuer or a responder of it")

// Verify checks who signed the answer (RFC 6960 4.2.2.2): the issuer of the certificates asked
// about, or a responder whose certificate the issuer itself signed with extended key usage
// OCSPSigning, valid at the given time. It returns the certificate that signed. Freshness, nonce
// and the revocation of the responder (there is nocheck) are the caller's.
func Verify(r *Response, issuer *pki.Certificate, at time.Time) (*pki.Certificate, error) {
	return new(Verifier).Verify(r, issuer, at)
}

// Verifier verifies many answers: it gives the keys of issuers and responders that come again a table
// (see [algid.PreparedKeys]). The zero value is ready, safe for concurrent use, and not to be copied.
type Verifier struct {
	keys algid.PreparedKeys // of issuers, which the caller named, and of their responders
}

// Verify is the function [Verify].
func (v *Verifier) Verify(r *Response, issuer *pki.Certificate, at time.Time) (*pki.Certificate, error) {
	if r.Status != Successful {
		return nil, fmt.Errorf("verify ocsp answer: %v", r.Status)
	}
	why := ErrSigner
	for _, c := range append([]*pki.Certificate{issuer}, r.Certificates...) {
		if !r.names(c) {
			continue
		}
		if err := v.verifyWith(r, c, issuer, at); err != nil {
			why = err
			continue
		}
		return c, nil
	}
	return nil, fmt.Errorf("verify ocsp answer: %w", why)
}

// names reports whether the answer says that c signed it.
func (r *Response) names(c *pki.Certificate) bool {
	if r.ResponderName != nil {
		return bytes.Equal(r.ResponderName, c.RawSubject)
	}
	bits, err := algid.PublicKeyBits(c.RawSPKI)
	if err != nil {
		return false
	}
	sum := sha1.Sum(bits)
	return bytes.Equal(r.ResponderKeyHash, sum[:])
}

func (v *Verifier) verifyWith(r *Response, c, issuer *pki.Certificate, at time.Time) error {
	if !bytes.Equal(c.Raw, issuer.Raw) {
		if err := v.checkResponder(c, issuer, at); err != nil {
			return err
		}
	}
	return r.Signature.Verify(v.keys.Use(c.PublicKey), r.RawTBS, r.SignatureValue)
}

func (v *Verifier) checkResponder(c, issuer *pki.Certificate, at time.Time) error {
	switch {
	case !bytes.Equal(c.RawIssuer, issuer.RawSubject):
		return fmt.Errorf("%w: another issuer", ErrSigner)
	case !c.HasUsage(pki.OCSPSigning):
		return fmt.Errorf("%w: no OCSPSigning", ErrSigner)
	case c.KeyUsage != 0 && c.KeyUsage&(pki.DigitalSignature|pki.NonRepudiation) == 0:
		return fmt.Errorf("%w: the key may not sign", ErrSigner)
	case len(c.Unhandled) > 0:
		return fmt.Errorf("%w: critical extension %v not known", ErrSigner, c.Unhandled[0])
	case at.Before(c.NotBefore) || at.After(c.NotAfter):
		return fmt.Errorf("%w: responder %s out of its dates", ErrSigner, c.SerialHex())
	}
	if err := c.Signature.Verify(v.keys.Use(issuer.PublicKey), c.RawTBS, c.SignatureValue); err != nil {
		return fmt.Errorf("%w: %w", ErrSigner, err)
	}
	return nil
}
