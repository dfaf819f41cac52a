// Package dsig signs and verifies XML documents as the national PKI does: XML Signature, enveloped
// in the root, over one element by its id, or over the body of a SOAP message (WSSE), with GOST and
// RSA keys; and XAdES, with a time-stamp when there is one.
//
// The calls most want are [Parse] with [Document.VerifyOne] (or [Document.Verify] when
// co-signing is wanted, [Document.VerifyElement] for one element) and [SignEnveloped]. What was
// verified is what is used: a [Verified] holds the canonical bytes that were signed and a view of
// exactly these nodes, and callers should read nothing else.
//
// # SOAP
//
// [SignBody] signs a message for the state bus and makes the header it needs;
// [Document.VerifyBody] verifies one.
//
// # XAdES
//
// A signing time in [Options] makes a signature XAdES-BES: it then covers the claimed time and the
// name of its certificate, so that no other certificate of the same key can take its place. For
// XAdES-T the caller asks a time-stamping authority about the bytes [Document.TimestampInput] gives,
// and puts the token in with [AddTimestamp]. The same Verify calls take all of these; what the
// properties say is in [Verified.XAdES].
//
// # What is refused
//
// The parser is our own, small and bounded, over the source bytes: UTF-8 only, no DOCTYPE, no
// entities beyond the five, no XInclude, no xml:base, no second root, each id once. Signatures may have
// only the transforms, digests and places of the profile (crypto.md §15); everything else is
// refused, so that a moved or wrapped element never verifies (security.md §2). Signing keeps the
// caller's bytes: it replaces the declaration, opens a self-closed element and inserts the signature.
//
// # What is proved
//
// A verdict says that the key in the certificate signed these bytes. The certificate itself comes
// from the document and is only a claim until its path, dates, purpose and revocation are checked.
package dsig

import (
	"crypto"
	"errors"
	"io"
	"time"

	"senim/algid"
	"senim/pki"
)

// Errors that callers tell apart; compare with errors.Is. Other errors say what in the document
// is not of the profile.
var (
	// ErrUnsigned: the document has no signature where the profile puts it.
	ErrUnsigned = errors.New("document is not signed")
	// ErrDigest: the signed part was changed.
	ErrDigest = errors.New("digest of the signed part differs")
	// ErrSignature: the signature is not by the key of the certificate.
	ErrSignature = errors.New("signature does not verify")
	// ErrProfile: the signature is not of a shape that is taken.
	ErrProfile = errors.New("signature is not of an allowed shape")
	// ErrSigningCertificate: the signed properties name another certificate than the one in KeyInfo.
	ErrSigningCertificate = errors.New("signed properties are of another certificate")
)

// Document is a parsed document. It is immutable and safe for concurrent use.
type Document struct {
	src   []byte
	bound Bounds
	nodes int
	root  *node
	outer []*node // root with the comments and instructions around it
	ids   map[string]*node
}

// Verified is one good signature and what it covers.
type Verified struct {
	Certificate *pki.Certificate // as the document claims it: check path, purpose, dates, revocation
	Signed      []byte           // canonical bytes that were signed
	Element     *Element         // view of exactly the nodes in Signed
	ID          string           // "" when the whole document is covered
	Method      algid.Signature  // of the key and of the digest, from SignatureMethod
	Weak        bool             // SHA-1: only for old documents, to be shown as weak
	XAdES       *XAdES           // nil for a plain signature
}

// Options says with what to sign.
type Options struct {
	Key         crypto.Signer    // *gost.PrivateKey or *rsa.PrivateKey
	Certificate *pki.Certificate // of Key; checked against it
	Wrapped     bool             // line breaks between tags and base64 in 76 columns, as old portals expect; default compact
	SigningTime time.Time        // claimed time, whole seconds: makes the signature XAdES-BES; zero for a plain one
	Bounds      Bounds           // of the document and of what is signed
}

// Place says where an element signature and what it signs must stand: simple absolute paths of
// local names, as "/Envelope/Body". Each step must be the only child of its name.
type Place struct {
	Element string // the element the caller will read; its id is what the signature must refer to
	Parent  string // the parent of the Signature
}

// Bounds are how much of a document is read; a zero is the default: [MaxSize], [MaxDepth], [MaxNodes]. A node takes about
// 300 bytes of memory while the document is held, an element a call's worth of stack for each of its depth.
type Bounds struct {
	Size  int // bytes
	Depth int // of elements in each other
	Nodes int // elements, texts, comments and instructions
}

// Parse reads a document. Errors of syntax are *SyntaxError.
func Parse(xml []byte) (*Document, error) { return parse(xml, Bounds{}) }

// ParseWithin is [Parse] with bounds of the caller's.
func ParseWithin(xml []byte, b Bounds) (*Document, error) { return parse(xml, b) }

// Nodes counts elements, texts, comments and instructions.
func (d *Document) Nodes() int { return d.nodes }

// Verify checks a document with one or more enveloped signatures, each a child of the root, and
// gives the last one first: each was made with the earlier ones present. Any bad signature, or any
// Signature element elsewhere, refuses the whole document.
func (d *Document) Verify() ([]Verified, error) { return d.verifyAll() }

// VerifyOne is Verify of a document that must have exactly one signature.
func (d *Document) VerifyOne() (*Verified, error) { return d.verifyOne() }

// VerifyBody checks a SOAP message signed as on the state bus (WSSE): the only signature stands in
// Envelope/Header/wsse:Security, covers Envelope/Body by its wsu:Id, and carries the certificate in a
// key identifier.
func (d *Document) VerifyBody() (*Verified, error) { return d.verifyBody() }

// VerifyElement checks a document whose only signature covers one element by its id. The element
// must stand where the caller will read it, the Signature where the profile puts it.
func (d *Document) VerifyElement(p Place) (*Verified, error) { return d.verifyElement(p) }

// RootWithoutSignatures is a view of the root without its Signature children and without comments.
// Nothing of it is proved: use it to show a document, and Verified.Element to act on one.
func (d *Document) RootWithoutSignatures() *Element { return d.rootWithoutSignatures() }

// Signers lists the certificates that signatures name, wherever these stand, in document order and
// unproved: to show who signed already. At most 64 are listed, and none of a signature that names nobody or cannot be
// read: [Document.Signatures] counts them all.
func (d *Document) Signers() []*pki.Certificate { return d.signersClaimed() }

// Signatures counts the signatures in a document, wherever they stand and whether or not they can be read.
func (d *Document) Signatures() int { return len(d.allSignatures()) }

// SignEnveloped signs the whole document and gives it with the Signature as the last child of the
// root, after any that are there. The bytes of the root are kept as given; the declaration becomes
// `<?xml version="1.0" encoding="UTF-8" standalone="no"?>`, and what stands outside the root is dropped.
func SignEnveloped(rand io.Reader, xml []byte, o Options) ([]byte, error) {
	return signEnveloped(rand, xml, o)
}

// SignElement signs the one element whose Id, ID or id is the given value and puts the Signature
// as the last child of the element at the path parent ("" is the root; see [Document.Find]).
func SignElement(rand io.Reader, xml []byte, id, parent string, o Options) ([]byte, error) {
	return signElement(rand, xml, id, parent, o)
}

// SignBody signs the body of a SOAP 1.1 or 1.2 message as the state bus wants (crypto.md §15). Header
// and wsse:Security are made when absent and the body gets a random wsu:Id unless it has one; all
// else keeps its bytes. Refused is a message that is signed, has two bodies, headers or security
// elements, or parts of a foreign namespace; and options the state bus has no place for.
func SignBody(rand io.Reader, envelope []byte, o Options) ([]byte, error) {
	return signBody(rand, envelope, o)
}

// TimestampInput gives what a time-stamp over the newest XAdES signature must cover: its
// SignatureValue element in inclusive canonical form. Nothing is verified.
func (d *Document) TimestampInput() ([]byte, error) { return d.timestampInput() }

// AddTimestamp puts a time-stamp token (DER, RFC 3161) over [Document.TimestampInput] into the newest
// XAdES signature, which makes it XAdES-T. A token over anything else, or not signed by a certificate
// for time-stamping, is refused. Earlier signatures take none: those made after them cover them.
func AddTimestamp(xml, token []byte) ([]byte, error) { return addTimestamp(xml, token) }

// Canonicalize gives the canonical form of the whole document without comments: inclusive
// Canonical XML 1.0, or exclusive.
func Canonicalize(xml []byte, exclusive bool) ([]byte, error) {
	return canonicalizeWhole(xml, exclusive)
}
