package ocsp

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/pki"
)

// Single is the answer about one certificate.
type Single struct {
	ID         CertID
	Status     Status
	RevokedAt  time.Time  // when Revoked
	Reason     pki.Reason // when Revoked and HasReason
	HasReason  bool
	ThisUpdate time.Time
	NextUpdate time.Time // zero: not said
}

// Response is a parsed answer. Slices share memory with Raw.
type Response struct {
	Raw    []byte
	Status ResponseStatus // what follows is set only when Successful

	RawTBS           []byte // what is signed
	ResponderName    []byte // DER Name, or
	ResponderKeyHash []byte // SHA-1 of the key; exactly one of the two is set
	ProducedAt       time.Time
	Singles          []Single
	Nonce            []byte // nil = none
	ExtendedRevoke   bool
	Signature        algid.Signature
	SignatureValue   []byte
	Certificates     []*pki.Certificate // as sent: trust none before Verify
}

// ParseResponse reads a DER answer of at most 64 KiB. An answer that is not Successful is no error:
// see Status. Nothing is verified.
func ParseResponse(der []byte) (*Response, error) {
	r, err := parseResponse(der)
	if err != nil {
		return nil, fmt.Errorf("parse ocsp answer: %w", err)
	}
	return r, nil
}

func parseResponse(der []byte) (*Response, error) {
	if len(der) > maxMessage {
		return nil, fmt.Errorf("%d bytes are too many", len(der))
	}
	in := cryptobyte.String(der)
	var body, wrapped, typed, basic cryptobyte.String
	var status int
	var present bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Enum(&status) ||
		!body.ReadOptionalASN1(&wrapped, &present, constructed(0)) || !body.Empty() {
		return nil, errDER
	}
	r := &Response{Raw: der, Status: ResponseStatus(status)}
	if present != (r.Status == Successful) {
		return nil, errors.New("status and content disagree")
	}
	if !present {
		return r, nil
	}
	var oid asn1.ObjectIdentifier
	if !wrapped.ReadASN1(&typed, cbasn1.SEQUENCE) || !wrapped.Empty() || !typed.ReadASN1ObjectIdentifier(&oid) ||
		!typed.ReadASN1(&basic, cbasn1.OCTET_STRING) || !typed.Empty() {
		return nil, errDER
	}
	if !oid.Equal(oidBasic) {
		return nil, fmt.Errorf("answer of type %v", oid)
	}
	return r, r.readBasic(basic)
}

func (r *Response) readBasic(in cryptobyte.String) error {
	var body, tbs cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return errDER
	}
	r.RawTBS = tbs
	var err error
	if r.Signature, err = algid.ReadSignature(&body); err != nil {
		return err
	}
	if !body.ReadASN1BitStringAsBytes(&r.SignatureValue) {
		return errDER
	}
	if err := r.readCertificates(&body); err != nil {
		return err
	}
	if !body.Empty() {
		return errDER
	}
	return r.readTBS(tbs)
}

func (r *Response) readCertificates(in *cryptobyte.String) error {
	var wrapped, list cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&wrapped, &present, constructed(0)) {
		return errDER
	}
	if !present {
		return nil
	}
	if !wrapped.ReadASN1(&list, cbasn1.SEQUENCE) || !wrapped.Empty() {
		return errDER
	}
	for !list.Empty() {
		var der cryptobyte.String
		if !list.ReadASN1Element(&der, cbasn1.SEQUENCE) || len(r.Certificates) == maxCerts {
			return errDER
		}
		c, err := pki.ParseCertificate(der)
		if err != nil {
			return err
		}
		r.Certificates = append(r.Certificates, c)
	}
	return nil
}

func (r *Response) readTBS(tbs cryptobyte.String) error {
	var body, list cryptobyte.String
	if !tbs.ReadASN1(&body, cbasn1.SEQUENCE) || !tbs.Empty() {
		return errDER
	}
	if err := readVersion(&body); err != nil {
		return err
	}
	if err := r.readResponder(&body); err != nil {
		return err
	}
	var err error
	if r.ProducedAt, err = readTime(&body); err != nil {
		return err
	}
	if !body.ReadASN1(&list, cbasn1.SEQUENCE) {
		return errDER
	}
	for !list.Empty() {
		if len(r.Singles) == maxSingles {
			return errors.New("too many answers")
		}
		s, err := readSingle(&list)
		if err != nil {
			return err
		}
		r.Singles = append(r.Singles, s)
	}
	x, err := readExtensions(&body, 1)
	if err != nil {
		return err
	}
	if !body.Empty() {
		return errDER
	}
	r.Nonce, r.ExtendedRevoke = x.nonce, x.extendedRevoke
	return nil
}

func (r *Response) readResponder(in *cryptobyte.String) error {
	var by, inner cryptobyte.String
	switch {
	case in.PeekASN1Tag(constructed(1)):
		if !in.ReadASN1(&by, constructed(1)) || !by.ReadASN1Element(&inner, cbasn1.SEQUENCE) || !by.Empty() {
			return errDER
		}
		r.ResponderName = inner
	case in.ReadASN1(&by, constructed(2)):
		if !by.ReadASN1(&inner, cbasn1.OCTET_STRING) || !by.Empty() {
			return errDER
		}
		r.ResponderKeyHash = inner
	default:
		return errDER
	}
	return nil
}

func readSingle(in *cryptobyte.String) (Single, error) {
	var s Single
	var body cryptobyte.String
	var err error
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		return s, errDER
	}
	if s.ID, err = readCertID(&body); err != nil {
		return s, err
	}
	if err := s.readStatus(&body); err != nil {
		return s, err
	}
	if s.ThisUpdate, err = readTime(&body); err != nil {
		return s, err
	}
	var next cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&next, &present, constructed(0)) {
		return s, errDER
	}
	if present {
		if s.NextUpdate, err = readTime(&next); err != nil || !next.Empty() {
			return s, errDER
		}
	}
	if _, err := readExtensions(&body, 1); err != nil {
		return s, err
	}
	if !body.Empty() {
		return s, errDER
	}
	return s, nil
}

// readStatus takes good [0] NULL, revoked [1] RevokedInfo or unknown [2] NULL, implicit.
func (s *Single) readStatus(in *cryptobyte.String) error {
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&content, &tag) {
		return errDER
	}
	switch {
	case tag == cbasn1.Tag(0).ContextSpecific() && content.Empty():
		s.Status = Good
	case tag == cbasn1.Tag(2).ContextSpecific() && content.Empty():
		s.Status = Unknown
	case tag == constructed(1):
		s.Status = Revoked
		return s.readRevoked(content)
	default:
		return errDER
	}
	return nil
}

func (s *Single) readRevoked(content cryptobyte.String) error {
	var err error
	if s.RevokedAt, err = readTime(&content); err != nil {
		return err
	}
	var wrapped cryptobyte.String
	var reason int
	if !content.ReadOptionalASN1(&wrapped, &s.HasReason, constructed(0)) || !content.Empty() {
		return errDER
	}
	if s.HasReason && (!wrapped.ReadASN1Enum(&reason) || !wrapped.Empty() || !pki.Reason(reason).Valid()) {
		return errDER
	}
	s.Reason = pki.Reason(reason)
	return nil
}

// Find returns the answer about the certificate with a serial under an issuer; false when there is
// none, which is not good. Of several, the worst counts.
func (r *Response) Find(issuer *pki.Certificate, serial *big.Int) (Single, bool) {
	var found Single
	for _, s := range r.Singles {
		if s.ID.Serial.Cmp(serial) != 0 || !s.ID.IssuedBy(issuer) {
			continue
		}
		if found.Status == 0 || s.Status == Revoked || s.Status == Unknown && found.Status == Good {
			found = s
		}
	}
	return found, found.Status != 0
}
