// Package pki reads, writes and chains the certificates, requests and revocation lists of the
// national PKI.
//
// # Reading
//
// [ParseCertificate], [ParseRequest] and [ParseRevocationList] take DER; [Decode] finds the DER in
// whatever file a person gives. [Certificate.Holder] says who it is, [Certificate.ForSigning] and
// [Certificate.ForSignIn] what the key is for. Reading is tolerant of shape only: NULL or absent
// parameters, any order of extensions and name parts, extensions critical or not. Refused are
// whatever is not DER down to its leaves (lengths, numbers, identifiers, text), trailing bytes,
// repeated extensions, serials not positive or above 20 octets, and keys outside the bounds of
// [senim/algid]; and what is too large, before a byte is read. What was parsed is kept and re-encodes
// to the same bytes. A list of a million entries is read in a second and kept in little more than its
// own size.
//
// # Trusting
//
// A [Pool] holds roots and intermediates. [Pool.Chain] finds a path at a given time by RFC 5280
// section 6; [Pool.Validate] also takes the policies a caller demands and revocation lists: complete,
// delta, indirect, divided; or other evidence, as OCSP answers ([senim/ocsp.Answers]). It is pure: all
// of that and the time come in as arguments, nothing is fetched. What nothing settles is
// [ErrUndetermined], never good. A path of the past, at a time that a time-stamp proves, is judged by
// what is known now: see [Rules].
//
// Names are chained byte by byte, as the national PKI does; only name constraints fold case and
// spacing. Paths of RSA and GOST alike are trusted, nothing else is: no DSA, no ECDSA, no Ed25519.
// Not done, because no certificate here needs it: matching of host names, extended key usage as a
// constraint on what stands below, Unicode normalisation of names.
//
// # Writing
//
// A [Template] gives the exact bytes to be signed and [Assemble] puts the signature on them, so that
// an authority may write down what it will sign; [CreateCertificate], [CreateRequest] and
// [CreateRevocationList] do all in one.
//
// Parsed values are read only after parsing and may be shared by goroutines.
package pki

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
)

// Certificate is one X.509 v3 certificate. Slices share memory with Raw: do not change them.
type Certificate struct {
	Raw        []byte // the whole DER
	RawTBS     []byte // what is signed
	RawIssuer  []byte // DER Name: compared byte by byte
	RawSubject []byte // DER Name
	RawSPKI    []byte // DER SubjectPublicKeyInfo

	Serial         *big.Int
	Issuer         Name
	Subject        Name
	NotBefore      time.Time        // UTC
	NotAfter       time.Time        // UTC, inclusive
	PublicKey      crypto.PublicKey // *gost.PublicKey, *rsa.PublicKey, *algid.GTPublicKey or *algid.AgreementPublicKey
	Key            algid.Key        // what kind PublicKey is
	Signature      algid.Signature  // of the issuer
	SignatureValue []byte           // the content of the BIT STRING

	KeyUsage              KeyUsage                // 0 when there is no such extension
	ExtKeyUsage           []asn1.ObjectIdentifier // nil when there is no such extension
	SubjectKeyID          []byte                  // as stored, never recomputed
	AuthorityKeyID        []byte                  // keyid only
	IsCA                  bool                    // basicConstraints says so
	BasicConstraintsValid bool                    // the extension is there
	MaxPathLen            int                     // −1: no limit
	Policies              []asn1.ObjectIdentifier // in the order of the certificate; anyPolicy among them
	Emails                []string                // SAN rfc822Name
	DNSNames              []string                // SAN dNSName

	// URLs found inside. Never fetch them: they point to wrong files often enough, and a stranger
	// chose them. Match by issuer and key, fetch by configuration.
	OCSP, Issuers, CRL, DeltaCRL []string

	Storage asn1.ObjectIdentifier // where the key lives, extension 1.2.398.3.3.5; nil when absent
	NoCheck bool                  // id-pkix-ocsp-nocheck

	Extensions []Extension             // all, in order
	Unhandled  []asn1.ObjectIdentifier // critical and not understood: no chain goes through it

	altNames    []generalName // every name of the subjectAltName
	constraints *nameConstraints
	policy      policyRules
	points      []distributionPoint
}

// Extension is one extension as it stands.
type Extension struct {
	OID      asn1.ObjectIdentifier
	Critical bool
	Value    []byte // the content of extnValue, DER
}

// KeyUsage is the set of RFC 5280 4.2.1.3.
type KeyUsage uint16

// The usages; the order is that of the bits.
const (
	DigitalSignature KeyUsage = 1 << iota
	NonRepudiation
	KeyEncipherment
	DataEncipherment
	KeyAgreement
	CertSign
	CRLSign
	EncipherOnly
	DecipherOnly
)

// SerialHex is the serial as 40 lower-case hex digits.
func (c *Certificate) SerialHex() string { return SerialHex(c.Serial) }

// SerialHex writes a serial as 40 lower-case hex digits, more when it is longer.
func SerialHex(serial *big.Int) string {
	if serial == nil || serial.Sign() < 0 || serial.BitLen() > 8*20 {
		return fmt.Sprintf("%040x", serial)
	}
	var number [20]byte
	var text [40]byte
	hex.Encode(text[:], serial.FillBytes(number[:]))
	return string(text[:])
}

// Fingerprint is SHA-256 of the DER.
func (c *Certificate) Fingerprint() [32]byte { return sha256.Sum256(c.Raw) }

// HasUsage reports whether the extended key usage names oid. anyExtendedKeyUsage does not count.
func (c *Certificate) HasUsage(oid asn1.ObjectIdentifier) bool {
	return containsOID(c.ExtKeyUsage, oid)
}

// HasPolicy reports whether the certificate policies name oid exactly.
func (c *Certificate) HasPolicy(oid asn1.ObjectIdentifier) bool {
	return containsOID(c.Policies, oid)
}

// CheckSignatureFrom verifies the signature with the issuer's key, nothing else: names, dates and
// rights are the business of [Pool.Chain].
func (c *Certificate) CheckSignatureFrom(issuer *Certificate) error {
	return c.checkSignature(nil, issuer.PublicKey)
}

func (c *Certificate) checkSignature(v *algid.Verifier, issuer crypto.PublicKey) error {
	if err := v.Verify(c.Signature, issuer, c.RawTBS, c.SignatureValue); err != nil {
		return fmt.Errorf("certificate %s: %w", c.SerialHex(), err)
	}
	return nil
}

func (c *Certificate) selfIssued() bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

func containsOID(list []asn1.ObjectIdentifier, oid asn1.ObjectIdentifier) bool {
	for _, o := range list {
		if o.Equal(oid) {
			return true
		}
	}
	return false
}
