package tsp

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/cms"
	"senim/internal/ber"
	"senim/pki"
)

// Token is a time-stamp: what its TSTInfo says. Nothing is proved before [Token.Verify].
type Token struct {
	Policy  asn1.ObjectIdentifier // under which it was made
	Imprint Imprint               // of what was stamped
	Serial  *big.Int              // the production authority writes 20 random octets, so it may be negative
	Time    time.Time             // UTC, as finely as the authority wrote it
	Nonce   *big.Int              // nil when absent

	message *cms.SignedData
}

// ParseToken reads a TimeStampToken, a CMS message in DER or BER, of at most 256 KiB.
func ParseToken(ber []byte) (*Token, error) {
	t, err := parseToken(ber)
	if err != nil {
		return nil, fmt.Errorf("parse time-stamp token: %w", err)
	}
	return t, nil
}

func parseToken(ber []byte) (*Token, error) {
	if len(ber) > maxResponse {
		return nil, fmt.Errorf("%d bytes are too many", len(ber))
	}
	message, err := cms.Parse(ber)
	if err != nil {
		return nil, err
	}
	if !message.ContentType().Equal(oidTSTInfo) || message.Detached() {
		return nil, errors.New("content is no TSTInfo")
	}
	t := &Token{message: message}
	return t, t.readInfo(message.Content())
}

func (t *Token) readInfo(der []byte) error {
	if err := ber.Check(der); err != nil {
		return err
	}
	in := cryptobyte.String(der)
	var body cryptobyte.String
	var version int
	var err error
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(&version) ||
		!body.ReadASN1ObjectIdentifier(&t.Policy) {
		return errDER
	}
	if version != 1 {
		return errors.New("version not known")
	}
	if t.Imprint, err = readImprint(&body); err != nil {
		return err
	}
	if t.Serial, err = readInteger(&body); err != nil {
		return err
	}
	if t.Time, err = readTime(&body); err != nil {
		return err
	}
	var ordering bool
	if !body.SkipOptionalASN1(cbasn1.SEQUENCE) || body.PeekASN1Tag(cbasn1.BOOLEAN) && !body.ReadASN1Boolean(&ordering) {
		return errDER
	}
	if body.PeekASN1Tag(cbasn1.INTEGER) {
		if t.Nonce, err = readInteger(&body); err != nil {
			return err
		}
	}
	if !body.SkipOptionalASN1(constructed(0)) {
		return errDER
	}
	if err := refuseCritical(&body, 1); err != nil {
		return err
	}
	if !body.Empty() {
		return errDER
	}
	return nil
}

// Raw is the token in DER.
func (t *Token) Raw() []byte { return t.message.Raw() }

// Message is the CMS message the token is, for what else it carries.
func (t *Token) Message() *cms.SignedData { return t.message }

// Certificates are those found in the token; trust none of them for that.
func (t *Token) Certificates() []*pki.Certificate { return t.message.Certificates() }

// Verify checks the signature and that the certificate which made it is for time-stamping alone
// (RFC 3161 2.3) and valid at the time in the token. It returns that certificate; its chain and
// revocation are the caller's.
func (t *Token) Verify() (*pki.Certificate, error) { return t.VerifyWith(nil) }

// VerifyWith is Verify with what keys returns for the key of the authority: see [cms.SignedData.WithKeys].
func (t *Token) VerifyWith(keys func(crypto.PublicKey) crypto.PublicKey) (*pki.Certificate, error) {
	verdicts, err := t.message.WithKeys(keys).Verify(nil)
	if err != nil {
		return nil, fmt.Errorf("verify time-stamp: %w", err)
	}
	if len(verdicts) != 1 {
		return nil, fmt.Errorf("verify time-stamp: %d signers: %w", len(verdicts), ErrSigner)
	}
	v := verdicts[0]
	if v.Err != nil {
		return nil, fmt.Errorf("verify time-stamp: %w", v.Err)
	}
	if !namesCertificate(v.Attributes) {
		return nil, fmt.Errorf("verify time-stamp: certificate not named: %w", ErrSigner)
	}
	if err := checkAuthority(v.Certificate, t.Time); err != nil {
		return nil, fmt.Errorf("verify time-stamp: %w", err)
	}
	return v.Certificate, nil
}

// namesCertificate reports whether one of the signing-certificate attributes is there; package cms
// has compared its digest already.
func namesCertificate(list []cms.Attribute) bool {
	for _, a := range list {
		if a.OID.Equal(oidSigningV1) || a.OID.Equal(oidSigningV2) {
			return true
		}
	}
	return false
}

func checkAuthority(c *pki.Certificate, at time.Time) error {
	critical := false
	for _, e := range c.Extensions {
		critical = critical || e.Critical && e.OID.Equal(asn1.ObjectIdentifier{2, 5, 29, 37})
	}
	switch {
	case len(c.ExtKeyUsage) != 1 || !c.HasUsage(pki.TimeStamping) || !critical:
		return fmt.Errorf("extended key usage: %w", ErrSigner)
	case c.KeyUsage != 0 && c.KeyUsage&(pki.DigitalSignature|pki.NonRepudiation) == 0:
		return fmt.Errorf("key usage: %w", ErrSigner)
	case at.Before(c.NotBefore.Truncate(time.Second)) || at.After(c.NotAfter):
		return fmt.Errorf("certificate out of its dates: %w", ErrSigner)
	}
	return nil
}

// Covers reports with nil that the token is over data: for CAdES-T, the value of
// SignerInfo.signature. Otherwise the error is [ErrImprint].
func (t *Token) Covers(data []byte) error {
	if t.Imprint.Hash == 0 {
		return fmt.Errorf("imprint of algorithm %v: %w", t.Imprint.HashOID, algid.ErrUnknown)
	}
	if !t.Imprint.Equal(NewImprint(t.Imprint.Hash, data)) {
		return ErrImprint
	}
	return nil
}
