// Package ocsp reads and writes certificate status requests and answers (RFC 6960).
package ocsp

import (
	"crypto"
	"io"
	"math/big"
	"time"

	"senim/algid"
	"senim/pki"
)

// Status is what an answer says about one certificate.
type Status int

// The statuses.
const (
	_ Status = iota
	Good
	Revoked
	Unknown
)

// CertID names a certificate by its issuer and serial.
type CertID struct {
	Hash              algid.Hash
	NameHash, KeyHash []byte
	Serial            *big.Int
}

// NewCertID names serial of issuer.
func NewCertID(h algid.Hash, issuer *pki.Certificate, serial *big.Int) (CertID, error) {
	panic("not yet")
}

// IssuedBy reports whether the issuer's name and key are the ones in id.
func (id CertID) IssuedBy(issuer *pki.Certificate) bool { panic("not yet") }

// Equal reports whether two ids are the same.
func (id CertID) Equal(other CertID) bool { panic("not yet") }

// Request asks about certificates.
type Request struct {
	IDs   []CertID
	Nonce []byte // nil = none
}

// ParseRequest reads a DER request.
func ParseRequest(der []byte) (*Request, error) { panic("not yet") }

// CreateRequest writes a request.
func CreateRequest(r Request) ([]byte, error) { panic("not yet") }

// ResponseStatus is RFC 6960 4.2.1 OCSPResponseStatus.
type ResponseStatus int

// The response statuses.
const (
	Successful    ResponseStatus = 0
	Malformed     ResponseStatus = 1
	InternalError ResponseStatus = 2
	TryLater      ResponseStatus = 3
	SigRequired   ResponseStatus = 5
	Unauthorized  ResponseStatus = 6
)

// ErrorResponse writes an unsigned answer that only says why there is none.
func ErrorResponse(s ResponseStatus) []byte { panic("not yet") }

// Single is the answer about one certificate.
type Single struct {
	ID                     CertID
	Status                 Status
	RevokedAt              time.Time
	Reason                 pki.Reason
	HasReason              bool
	ThisUpdate, NextUpdate time.Time // NextUpdate zero = not said
}

// Response is a parsed answer.
type Response struct {
	Raw              []byte
	Status           ResponseStatus // the rest is set when Successful
	RawTBS           []byte
	ResponderName    []byte // DER Name, or
	ResponderKeyHash []byte
	ProducedAt       time.Time
	Singles          []Single
	Nonce            []byte
	ExtendedRevoke   bool
	Signature        algid.Signature
	SignatureValue   []byte
	Certificates     []*pki.Certificate
}

// ParseResponse reads a DER answer.
func ParseResponse(der []byte) (*Response, error) { panic("not yet") }

// Find returns the answer about a certificate.
func (r *Response) Find(issuer *pki.Certificate, serial *big.Int) (Single, bool) { panic("not yet") }

// Verify checks who signed the answer: the issuer, or a responder the issuer certified for it
// (valid at at). Freshness and nonce are the caller's. It returns the certificate that signed.
func Verify(r *Response, issuer *pki.Certificate, at time.Time) (*pki.Certificate, error) {
	panic("not yet")
}

// ResponseTemplate is what an answer will say.
type ResponseTemplate struct {
	ProducedAt      time.Time
	Singles         []Single
	Nonce           []byte
	ExtendedRevoke  bool
	OmitCertificate bool // leave the responder's certificate out
}

// CreateResponse writes and signs an answer; cert is the responder's.
func CreateResponse(rand io.Reader, key crypto.Signer, cert *pki.Certificate, t ResponseTemplate) ([]byte, error) {
	panic("not yet")
}
