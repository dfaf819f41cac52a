package ocsp

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/ber"
	"senim/pki"
)

// Response is a parsed answer (RFC 6960 4.2). Slices share memory with Raw. Times are UTC, in whole seconds.
type Response struct {
	Raw    []byte         // the whole answer, DER
	Status ResponseStatus // what follows is set only when Successful

	RawTBS           []byte    // what is signed
	ResponderName    []byte    // DER Name, or
	ResponderKeyHash []byte    // SHA-1 of the key; exactly one of the two is set
	ProducedAt       time.Time // when it was signed
	Singles          []Single  // in the order of the answer
	Nonce            []byte    // nil = none
	BareNonce        bool      // see [Request]
	ExtendedRevoke   bool      // it says revoked of what was never issued (4.4.8)
	Signature        algid.Signature
	SignatureValue   []byte             // the content of the BIT STRING
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

// ParseBasicResponse reads the BasicOCSPResponse inside an answer, which is how old signatures keep
// it. Raw is the whole answer around it.
func ParseBasicResponse(der []byte) (*Response, error) {
	if len(der) > maxMessage {
		return nil, fmt.Errorf("parse ocsp answer: %d bytes are too many", len(der))
	}
	r := &Response{Raw: envelope(Successful, der), Status: Successful}
	if err := r.readBasic(der); err != nil {
		return nil, fmt.Errorf("parse ocsp answer: %w", err)
	}
	return r, nil
}

func parseResponse(der []byte) (*Response, error) {
	if len(der) > maxMessage {
		return nil, fmt.Errorf("%d bytes are too many", len(der))
	}
	if err := ber.Check(der); err != nil {
		return nil, err
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
	err := ber.Check(in) // the OCTET STRING hid it from the first check
	if err != nil {
		return err
	}
	var body, tbs cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Element(&tbs, cbasn1.SEQUENCE) {
		return errDER
	}
	r.RawTBS = tbs
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
	r.Nonce, r.BareNonce, r.ExtendedRevoke = x.nonce, x.bareNonce, x.extendedRevoke
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
