// Package cms reads, verifies and writes signed messages of the national PKI: CMS SignedData
// (RFC 5652) with the attributes of CAdES-BES, as national programs make them.
//
// The two calls most want are [Parse] with [SignedData.Verify], which gives one verdict per
// signer, and [Sign]. [AddSigner] adds one more signature to a message that has some, and
// [AddTimestamp] turns CAdES-BES into CAdES-T. Content that does not fit into memory goes through
// [SignedData.VerifyReader] and [SignReader]. Package cades judges the whole: time-stamps,
// certificates, revocation.
//
// Reading is tolerant of shape: BER, digest algorithms listed twice, signers in any order,
// rsaEncryption as the signature algorithm, no signing-certificate attribute, NULL parameters
// absent. It is never tolerant of content: an attribute twice, a content type or digest that
// differs, a signing-certificate digest of another certificate, an attached content beside a
// detached one are refused. Writing is always DER, sorted, with signed attributes and NULL.
// Evidence beside the signatures (certificates, revocation lists, answers, further attributes) is
// carried and added by [AddEvidence] and [AddUnsigned]; what it proves is package cades' question.
//
// A verdict speaks of the mathematics only: that the key of this certificate signed these bytes.
// Whether the certificate counts (path, dates, revocation, purpose) is for the caller to ask.
// Signing time is what the signer claims, not a proof. Nothing here reads a clock.
package cms

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"time"

	"senim/algid"
	"senim/pki"
)

// Bounds of security.md §3: a message outside them is refused before anything is computed.
const (
	MaxSigners      = 64
	MaxCertificates = 128
	MaxTimestamps   = 32
)

// Errors that callers tell apart; compare with errors.Is.
var (
	// ErrDetached: the message has no content inside and none was given.
	ErrDetached = errors.New("content is detached and was not given")
	// ErrContentTwice: the message has content inside and the caller gave another beside it.
	ErrContentTwice = errors.New("content inside the message differs from the content given")
	// ErrNoCertificate: the signer's certificate is not in the message.
	ErrNoCertificate = errors.New("certificate of the signer is not in the message")
	// ErrDigest: the content is not what was signed.
	ErrDigest = errors.New("digest of the content differs from the signed one")
	// ErrSignature: the signature is not by the key of the certificate.
	ErrSignature = errors.New("signature does not verify")
	// ErrSigningCertificate: the signing-certificate attribute names another certificate.
	ErrSigningCertificate = errors.New("signing-certificate attribute is of another certificate")
)

// SignedData is a parsed message. It is immutable and safe for concurrent use.
type SignedData struct {
	raw         []byte
	contentType asn1.ObjectIdentifier
	content     []byte
	attached    bool
	certs       []*pki.Certificate
	parts       parts
	signers     []Signer
	keys        func(crypto.PublicKey) crypto.PublicKey // see WithKeys; nil: as they are
	verifier    *algid.Verifier                         // see WithVerifier; nil: alone
}

// Signer is one SignerInfo as it stands in the message, nothing of it proved.
type Signer struct {
	Issuer         []byte                // DER of the issuer's name; nil when named by SubjectKeyID
	Serial         *big.Int              // serial of the certificate; nil when named by SubjectKeyID
	SubjectKeyID   []byte                // nil when named by issuer and serial
	Hash           algid.Hash            // digest algorithm
	SignatureOID   asn1.ObjectIdentifier // as written: may be rsaEncryption
	SignatureValue []byte                // the octets as they stand

	HasSignedAttributes bool                  // without them the content itself is signed
	SignedAttributes    []byte                // DER, tagged SET: the exact bytes that are signed; nil without attributes
	Attributes          []Attribute           // signed, in the order of the message
	Unsigned            []Attribute           // in the order of the message; anybody may have added or changed them
	SigningTime         time.Time             // claimed by the signer, UTC; zero when absent
	MessageDigest       []byte                // the signed attribute; nil when absent
	ContentType         asn1.ObjectIdentifier // the signed attribute; nil when absent

	// SigningCertificate: a signed attribute names the certificate by its digest (which Verify compares).
	SigningCertificate bool

	Timestamps [][]byte // raw time-stamp tokens (ContentInfo) over SignatureValue, unchecked

	raw []byte // the whole SignerInfo
	ess []essCert
}

// Attribute is one signed or unsigned attribute: its values are whole DER elements.
type Attribute struct {
	OID    asn1.ObjectIdentifier
	Values [][]byte // as they stand; they share memory with the message
}

// Verified is the verdict on one signer. When Err is nil the key of Certificate signed the
// content; when it is not nil, no other field but Signer may be relied on (Certificate is filled
// when it was found, so that a report can name it).
type Verified struct {
	Signer
	Certificate *pki.Certificate // the signer's, of the message or of the caller; its chain is not looked at here
	Timestamp   []byte           // the first of Timestamps, nil when there is none
	Err         error            // why the signature does not hold, or could not be checked; nil: it holds
}

// Options says what and how to sign.
type Options struct {
	Key         crypto.Signer    // *gost.PrivateKey or *rsa.PrivateKey
	Certificate *pki.Certificate // of Key; checked against it
	Content     []byte           // what is signed; unused when Digest is set
	Detached    bool             // leave Content out of the message
	Digest      []byte           // sign this ready digest (of the hash of the key's algorithm); implies Detached
	SigningTime time.Time        // claimed time, whole seconds; required

	// ContentType is the type of the content; nil means id-data. Another type (as TSTInfo)
	// makes a message of version 3.
	ContentType asn1.ObjectIdentifier
	// SigningCertificateV1 writes the old signing-certificate attribute with SHA-1 (RFC 2634) in
	// place of version 2, as time-stamp authorities of the national PKI do.
	SigningCertificateV1 bool
	// OmitCertificate leaves the signer's certificate out of the message.
	OmitCertificate bool
	// SubjectKeyID names the certificate by its subject key identifier in place of issuer and serial,
	// as programs of the national PKI do not. Such a message has version 3.
	SubjectKeyID bool
}

// Parse reads a ContentInfo with SignedData in DER or BER. Trailing bytes are refused.
func Parse(ber []byte) (*SignedData, error) { return parse(ber) }

// Raw is the message in DER: the bytes given to Parse when they were DER already.
func (sd *SignedData) Raw() []byte { return sd.raw }

// Content is the content inside the message; nil when it is detached.
func (sd *SignedData) Content() []byte { return sd.content }

// Detached tells whether the content stands outside the message.
func (sd *SignedData) Detached() bool { return !sd.attached }

// ContentType is the type of the signed content, usually id-data.
func (sd *SignedData) ContentType() asn1.ObjectIdentifier { return sd.contentType }

// Certificates are those certificates of the message that this package can read, in its order.
func (sd *SignedData) Certificates() []*pki.Certificate { return sd.certs }

// RawCertificates are all certificates (CertificateChoices) of the message as they stand, of kinds
// nobody can read too.
func (sd *SignedData) RawCertificates() [][]byte { return sd.parts.certificates }

// RawRevocation are the revocation lists and answers (RevocationInfoChoices, RFC 5652 §10.2.1) of
// the message as they stand, unread and unproved: at most 256, of at most 32 MiB together.
func (sd *SignedData) RawRevocation() [][]byte { return sd.parts.crls }

// Signers are the signers in the order of the message (the newest of NCA's programs is first).
func (sd *SignedData) Signers() []Signer { return sd.signers }

// Verify checks each signer on its own and gives one verdict for each, in the order of the
// message. For detached messages content is what was signed; for attached ones it is nil (or
// equal to the content inside: anything else is ErrContentTwice). The error is not nil only when
// nothing could be checked at all; a caller must look at Err of every verdict.
func (sd *SignedData) Verify(content []byte) ([]Verified, error) { return sd.verify(content) }

// VerifyDigest is Verify of a detached message when only the digest of the content, made with
// hash, is at hand. A signer with another hash, or without signed attributes, gets an error.
func (sd *SignedData) VerifyDigest(hash algid.Hash, digest []byte) ([]Verified, error) {
	return sd.verifyDigest(hash, digest)
}

// Sign makes a CAdES-BES message in DER: signed attributes contentType, signingTime,
// signingCertificateV2 (SHA-256) and messageDigest, the signer's certificate alone.
func Sign(rand io.Reader, o Options) ([]byte, error) { return sign(rand, o) }

// AddSigner gives the message existing (DER or BER) with one more signer, put first, and its
// certificate. Content, Detached and ContentType of the options are taken from the message: when
// it is detached, Content (or Digest) must be what the others signed; when it is attached, they
// must be empty.
func AddSigner(rand io.Reader, existing []byte, o Options) ([]byte, error) {
	return addSigner(rand, existing, o)
}

// AddTimestamp gives the message with a time-stamp token (a ContentInfo, over the signature
// value) added to the unsigned attributes of signer i, counted from 0 as in Signers.
func AddTimestamp(existing []byte, i int, token []byte) ([]byte, error) {
	return addTimestamp(existing, i, token)
}

// AddUnsigned gives the message with one more unsigned attribute of one value, a whole DER element,
// for signer i. Nothing that is signed changes.
func AddUnsigned(existing []byte, i int, oid asn1.ObjectIdentifier, value []byte) ([]byte, error) {
	return addUnsigned(existing, i, oid, value)
}

// AddEvidence gives the message with certificates and revocation data (whole DER RevocationInfoChoices:
// lists as they are, anything else under [1]) that it does not hold yet. Those it holds keep their order.
func AddEvidence(existing []byte, certificates, revocation [][]byte) ([]byte, error) {
	return addEvidence(existing, certificates, revocation)
}

// SignedFields are the fields of SignerInfo from version to signature, one after another in DER: what
// an archive time-stamp covers of it (EN 319 122-1 §5.5.3).
func (s *Signer) SignedFields() []byte { return s.signedFields() }
