// Package pades signs PDF documents and checks their signatures: PAdES-B-B and B-T (EN 319 142-1)
// with the CMS of the national PKI inside.
//
// [Parse] opens a document. [Document.Verify] gives one verdict per signature; [Document.Signatures]
// tells what stands there without judging it. [Document.Sign] gives the bytes which, put after the
// document, make the signed one: nothing of the document itself is touched, so signatures already
// there stay good. With [Options.Timestamp] the signature carries a time-stamp.
//
// A verdict has three outcomes. [Valid] says that the key of this certificate signed this document
// and that since then nothing but further signatures, their time-stamps and validation data were
// added. [Invalid] says that this is not so: bytes differ ([cms.ErrDigest]), the signature leaves
// out more than itself ([ErrByteRange]), or the document was changed afterwards ([ErrChanged]),
// which the format allows and a reader would not notice. [CannotSay] is what is left: another kind
// of signature, an algorithm or a certificate that is not known, or bounds that were passed. As in package
// cms, whether the certificate counts (path, dates, revocation, purpose) is for the caller to ask,
// and likewise that of a time-stamp. Nothing here reads a clock.
//
// What a signature covers is judged strictly. ByteRange begins at 0 and leaves out exactly the
// Contents of its own dictionary; after the message there is only padding; the covered bytes end as
// a whole PDF file. What follows is compared, object by object, with what was signed. Filling in a
// form counts as a change, even where the first signer permitted it; a new description of the
// document (title, author, dates) does not, but [Later] tells of it. A later signature may have
// a place on a page: [WarnVisible] says so, because its picture may cover what was signed. New
// objects that nothing refers to are no change.
//
// Refused as a whole are files above 256 MiB, encrypted ones, and those whose cross-references are
// damaged: nothing is guessed or repaired.
//
// The time of signing is written twice: in the entry M, where EN 319 142-1 wants it alone, and as the
// attribute signingTime, which every program of the national PKI writes and reads. Both are what the
// signer claims.
package pades

import (
	"crypto"
	"errors"
	"io"
	"time"

	"senim/cades"
	"senim/cms"
	"senim/internal/pdf"
	"senim/pki"
	"senim/tsp"
)

// MaxSize is the largest document Parse looks at, in bytes.
const MaxSize = pdf.MaxSize

// MaxSignatures is the largest number of signatures in a document.
const MaxSignatures = 64

// Errors that callers tell apart; compare with errors.Is.
var (
	// ErrDamaged: not a PDF file, or its cross-references or objects do not fit together.
	ErrDamaged = pdf.ErrDamaged
	// ErrEncrypted: the document is encrypted.
	ErrEncrypted = pdf.ErrEncrypted
	// ErrTooMuch: the document passes a bound.
	ErrTooMuch = pdf.ErrTooMuch
	// ErrUnsigned: the document has no signature.
	ErrUnsigned = errors.New("the document has no signature")
	// ErrByteRange: the signature does not cover the whole document but itself.
	ErrByteRange = errors.New("the signature does not cover all of the document but itself")
	// ErrContents: what should be the signature is not a message of one signer with signed attributes.
	ErrContents = errors.New("the signature in the document is not well formed")
	// ErrChanged: the document was changed after it was signed.
	ErrChanged = errors.New("the document was changed after it was signed")
	// ErrKind: a kind of signature this package does not know.
	ErrKind = errors.New("a kind of signature that is not known here")
	// ErrLocked: a signature in the document forbids any further one.
	ErrLocked = errors.New("the document was certified and no further signature is permitted")
	// ErrRoom: signature and time-stamp are larger than the room kept for them.
	ErrRoom = errors.New("no room for signature and time-stamp")
)

// Document is an open document. It is not safe for concurrent use.
type Document struct {
	r          io.ReaderAt
	file       *pdf.File
	root       pdf.Ref
	catalog    *pdf.Dict
	form       *pdf.Dict // nil when there is none
	fields     []field
	signatures []Signature
}

// Signature is one signature as it stands in the document, nothing of it proved.
type Signature struct {
	Field                           string    // full name of its form field
	Filter, SubFilter               string    // names as they stand, without the slash
	Name, Reason, Location, Contact string    // the signer's words, "" when absent
	Time                            time.Time // entry M, claimed; zero when absent or not readable
	// ByteRange has pairs of offset and length, in bytes of the file, as they stand (ISO 32000-1 12.8.1): two in
	// what [Verify] accepts, with Contents alone between them.
	ByteRange []int64
	Contents  []byte // padding and all
	// Certification is 1, 2 or 3 in a certifying signature (DocMDP) and says what its signer
	// permitted: nothing; filling in forms and signing; annotations too. Else it is 0.
	Certification int
	// DocumentTimestamp tells that this is no signature of a person but a time-stamp over the
	// document (ETSI.RFC3161).
	DocumentTimestamp bool
	// Message is the message inside; nil when it cannot be read.
	Message *cms.SignedData

	place   pdf.Span // of Contents, brackets included
	field   pdf.Ref
	holder  int   // number of the object with the dictionary
	problem error // why the dictionary cannot be relied on
	flaw    error // of Contents
}

// Outcome is what can be said of a signature.
type Outcome = cades.Outcome

// The outcomes.
const (
	CannotSay = cades.CannotSay
	Valid     = cades.Valid
	Invalid   = cades.Invalid
)

// Verified is the verdict on one signature.
type Verified struct {
	Signature
	Outcome Outcome
	Err     error // why it is not valid; nil exactly when it is

	// Certificate of the signer, or of the time-stamping authority of a DocumentTimestamp. It is
	// proved only when the outcome is Valid or Err is ErrChanged.
	Certificate *pki.Certificate
	// SigningTime is the attribute in the message, claimed by the signer; for a DocumentTimestamp it
	// is the time the authority gives.
	SigningTime time.Time
	Timestamps  []Timestamp // over the signature
	// Signed is the length of the document as it was when this signature was made: its first bytes,
	// as many as this, are what the signer saw. Zero when unknown.
	Signed   int64
	Later    Later     // what was changed after it
	Warnings []Warning // none of them changes the outcome
}

// Timestamp is a time-stamp over a signature.
type Timestamp struct {
	Token       *tsp.Token       // nil when it cannot be read
	Certificate *pki.Certificate // that made it
	Err         error            // nil: Certificate's key proves that the signature existed at Token.Time
}

// Later tells what was added to the document after a signature.
type Later struct {
	Bytes          int64    // that follow what was signed
	Signatures     []string // names of the fields signed since
	Timestamps     []string // likewise, of time-stamps over the document
	ValidationData bool     // certificates, lists and answers (DSS)
	Description    bool     // title, author and the like
	Visible        bool     // one of the signatures has a place on a page
	Unused         int      // objects that nothing refers to
	// Changed is what else is not as it was, in words. It is empty unless Err is ErrChanged.
	Changed []string
}

// Warning is something a careful reader wants to know of a signature that may be valid.
type Warning string

// The warnings.
const (
	WarnVisible       Warning = "a later signature has a place on a page, where it may cover what was signed"
	WarnDescription   Warning = "the description of the document (title, author, dates) was changed after it was signed"
	WarnTimestamp     Warning = "the time-stamp in the signature is not good"
	WarnStampUnknown  Warning = "the time-stamp in the signature could not be checked"
	WarnNoCertificate Warning = "the signature does not name its certificate in a signed attribute"
	WarnWeakHash      Warning = "the signature is over SHA-1, which is weak"
)

// Options says who signs and what the signature says.
type Options struct {
	Key         crypto.Signer    // *gost.PrivateKey or *rsa.PrivateKey
	Certificate *pki.Certificate // of Key; checked against it
	Time        time.Time        // claimed time of signing, whole seconds; required

	Name, Reason, Location, Contact string // left out when empty
	// Field is the name of the new form field; empty means Signature1 or the next that is free.
	Field string

	// Timestamp, when set, is asked for a time-stamp token (a ContentInfo) over the signature.
	Timestamp func(tsp.Imprint) (token []byte, err error)
	// Room is how many bytes are kept for time-stamps; zero means 16 KiB. The room is kept without
	// Timestamp too.
	Room int
}

// Parse opens a document of the given size. The reader is used as long as the document is.
func Parse(r io.ReaderAt, size int64) (*Document, error) { return parse(r, size) }

// Size is the length of the document.
func (d *Document) Size() int64 { return d.file.Size() }

// Signatures are the signatures and time-stamps in form fields, the earliest first as they claim.
func (d *Document) Signatures() []Signature { return d.signatures }

// Verify judges every signature on its own, in the order of Signatures. The error is ErrUnsigned
// when there is none; a caller must look at the outcome of every verdict.
func (d *Document) Verify() ([]Verified, error) { return d.verify() }

// Sign gives the bytes to be put after the document. The document must not forbid it (ErrLocked)
// and must not be an XFA form.
func (d *Document) Sign(rand io.Reader, o Options) (update []byte, err error) { return d.sign(rand, o) }
