// Package ocsp reads and writes questions and answers about the status of certificates (RFC 6960).
//
// A relying party calls [CreateRequest], [ParseResponse] and [Verify]; a responder calls
// [ParseRequest] and [CreateResponse], or [ErrorResponse]. Verify answers one question only: did
// the issuer, or someone it certified for this, sign the answer? How fresh it is, whether the nonce
// came back and what the status means belong to the caller; whoever skips them must not call the
// certificate good. [Answers] does all of it but the nonce for answers that come along with a path.
//
// Refused: input above 64 KiB, trailing bytes, more than 64 questions, critical extensions we do
// not know, responders without OCSPSigning or not certified by the issuer itself. Good is never the
// zero value. Parsed values are read only and may be shared by goroutines.
package ocsp

import (
	"bytes"
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

// Bounds (spec/security.md §3).
const (
	maxMessage = 64 << 10
	maxSingles = 64
	maxCerts   = 8
	maxNonce   = 128
)

var (
	oidBasic          = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidNonce          = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidExtendedRevoke = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 9}
	oidArchiveCutoff  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
	oidInvalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}

	errDER = errors.New("not well-formed DER")
)

// Status is what an answer says about one certificate. The zero value says nothing.
type Status int

// The statuses. Unknown means that the responder does not know the certificate.
const (
	_ Status = iota
	Good
	Revoked
	Unknown
)

// String returns good, revoked or unknown.
func (s Status) String() string {
	switch s {
	case Good:
		return "good"
	case Revoked:
		return "revoked"
	case Unknown:
	}
	return "unknown"
}

// ResponseStatus is OCSPResponseStatus, RFC 6960 4.2.1.
type ResponseStatus int

// The response statuses. All but Successful come without a signature, so anyone may have sent them.
const (
	Successful    ResponseStatus = 0
	Malformed     ResponseStatus = 1
	InternalError ResponseStatus = 2
	TryLater      ResponseStatus = 3
	SigRequired   ResponseStatus = 5
	Unauthorized  ResponseStatus = 6
)

// String returns the name in RFC 6960.
func (s ResponseStatus) String() string {
	switch s {
	case Successful:
		return "successful"
	case Malformed:
		return "malformedRequest"
	case InternalError:
		return "internalError"
	case TryLater:
		return "tryLater"
	case SigRequired:
		return "sigRequired"
	case Unauthorized:
		return "unauthorized"
	}
	return fmt.Sprintf("status %d", int(s))
}

// CertID names a certificate by its issuer and serial.
type CertID struct {
	Hash     algid.Hash // of the two below; SHA-256 is usual here
	NameHash []byte     // over the issuer's DER name
	KeyHash  []byte     // over the content of the issuer's key BIT STRING
	Serial   *big.Int   // of the certificate that is asked about
	// Raw is the id as it was read; it is written again as it is, so that an asker finds his own
	// bytes in the answer. Nil: made here.
	Raw []byte
}

// NewCertID names the certificate with a serial under an issuer.
func NewCertID(h algid.Hash, issuer *pki.Certificate, serial *big.Int) (CertID, error) {
	bits, err := algid.PublicKeyBits(issuer.RawSPKI)
	if err != nil {
		return CertID{}, fmt.Errorf("certificate id: %w", err)
	}
	return CertID{Hash: h, NameHash: h.Sum(issuer.RawSubject), KeyHash: h.Sum(bits), Serial: serial}, nil
}

// IssuedBy reports whether the name and the key in the id are the issuer's.
func (id CertID) IssuedBy(issuer *pki.Certificate) bool {
	if id.Hash.Size() == 0 {
		return false
	}
	want, err := NewCertID(id.Hash, issuer, id.Serial)
	return err == nil && bytes.Equal(want.NameHash, id.NameHash) && bytes.Equal(want.KeyHash, id.KeyHash)
}

// Equal reports whether both ids are the same in every part.
func (id CertID) Equal(other CertID) bool {
	return id.Hash == other.Hash && bytes.Equal(id.NameHash, other.NameHash) &&
		bytes.Equal(id.KeyHash, other.KeyHash) && id.Serial.Cmp(other.Serial) == 0
}

func readCertID(in *cryptobyte.String) (CertID, error) {
	var whole, body, name, key cryptobyte.String
	id := CertID{Serial: new(big.Int)}
	if !in.ReadASN1Element(&whole, cbasn1.SEQUENCE) {
		return id, errDER
	}
	id.Raw = whole
	if !whole.ReadASN1(&body, cbasn1.SEQUENCE) {
		return id, errDER
	}
	var err error
	if id.Hash, err = algid.ReadHash(&body); err != nil {
		return id, err
	}
	if !body.ReadASN1(&name, cbasn1.OCTET_STRING) || !body.ReadASN1(&key, cbasn1.OCTET_STRING) ||
		!body.ReadASN1Integer(id.Serial) || !body.Empty() {
		return id, errDER
	}
	if id.Serial.BitLen() > 20*8 || len(name) != id.Hash.Size() || len(key) != id.Hash.Size() {
		return id, errors.New("certificate id of a wrong size")
	}
	id.NameHash, id.KeyHash = name, key
	return id, nil
}

func (id CertID) marshal(b *cryptobyte.Builder) {
	if id.Raw != nil {
		b.AddBytes(id.Raw)
		return
	}
	if id.Hash.Size() == 0 || id.Serial == nil {
		b.SetError(errors.New("certificate id not filled"))
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(id.Hash.Identifier())
		b.AddASN1OctetString(id.NameHash)
		b.AddASN1OctetString(id.KeyHash)
		b.AddASN1BigInt(id.Serial)
	})
}

func constructed(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

// readTime takes a GeneralizedTime in the DER form, without fractions.
func readTime(in *cryptobyte.String) (time.Time, error) {
	const layout = "20060102150405Z"
	var text cryptobyte.String
	if !in.ReadASN1(&text, cbasn1.GeneralizedTime) || len(text) != len(layout) {
		return time.Time{}, errDER
	}
	t, err := time.Parse(layout, string(text))
	if err != nil || t.Format(layout) != string(text) {
		return time.Time{}, errDER
	}
	return t, nil
}

func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		b.SetError(fmt.Errorf("year %d cannot be written", t.Year()))
		return
	}
	var text [2 + 15]byte
	b.AddBytes(t.AppendFormat(append(text[:0], byte(cbasn1.GeneralizedTime), 15), "20060102150405Z"))
}
