// Package cades says what a signed CMS message proves, and keeps it provable for longer than any
// certificate lives: CAdES of ETSI EN 319 122-1, levels B, T, LT and LTA, over package cms.
//
// # Validating
//
// [Validate] gives a [Report]: for every signer whether the signature counts, since when it is proved
// to exist, which level it has, which evidence decided, and every warning. There are three outcomes,
// and "could not check" is never "valid". It is pure: trust, evidence and the moment of judging are
// arguments; nothing is fetched and no clock is read.
//
// What counts is when a thing is proved to have existed. A signature with a time-stamp of a trusted
// authority is judged as of that time: a certificate that ended or was revoked later does not matter,
// one revoked before does. Without such a time-stamp it is judged as of [Trust].At. The time the
// signer claims proves nothing.
//
// A time-stamp is itself a signature. Its authority must chain to a root at the time of the token,
// must not have been revoked by then (nor later for a compromised key), and its certificate must not
// have ended when the token is known to exist: now, or at an archive time-stamp that covers it. The
// same holds for whoever signed revocation data. This is what archive time-stamps are for: each proves
// that everything it covers was there before keys and certificates grew old.
//
// Signatures of other forms, XML ones say, are judged by [Judge] in the same way; what [Renewed] is for them, an archive
// time-stamp is for a message.
//
// Authorities of Trust.Pool are trusted by configuration: when nobody can tell their status it is a
// warning. An authority that only the message brought must be proved not revoked.
//
// # Extending
//
// Sign with cms.Sign, then
//
//	[AddTimestamp]         T: a time-stamp over the signature
//	[AddEvidence]          LT: certificates of the paths, revocation lists and OCSP answers
//	[AddArchiveTimestamp]  LTA: a time-stamp over all of that; again before its authority's end
//
// Tokens come from a [Stamper] of the caller. [Report.Missing] and [Report.Chain] tell which evidence
// a message lacks.
//
// # Reading
//
// Revocation data is found in the message, in the tokens, and in the older attributes
// revocation-values and certificate-values (TS 101 733). Older archive time-stamps are named in a
// warning and not judged. Lists divided by reason or place, and indirect ones, are no evidence here.
// Who may sign what (purpose, roles) is the caller's question.
package cades

import (
	"errors"
	"fmt"
	"io"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/ocsp"
	"senim/pki"
)

// Errors that callers tell apart; compare with errors.Is.
var (
	// ErrIndex: the hash index of an archive time-stamp names what is not in the message.
	ErrIndex = errors.New("hash index names a value that is not there")
	// ErrTimeOrder: a token claims a time later than the moment it is known to have existed.
	ErrTimeOrder = errors.New("time-stamp claims a later time than it can have")
)

// Outcome is what can be said. The zero value says nothing.
type Outcome int

// The outcomes.
const (
	CannotSay Outcome = iota
	Valid
	Invalid
)

// String returns valid, invalid or "cannot say".
func (o Outcome) String() string {
	switch o {
	case Valid:
		return "valid"
	case Invalid:
		return "invalid"
	case CannotSay:
	}
	return "cannot say"
}

// Level is how much of a signature's proof was found in the message and verified.
type Level int

// The levels. NoLevel is a CMS signature whose certificate no signed attribute names, or one that
// does not verify.
const (
	NoLevel  Level = iota
	LevelB         // the signature, over attributes that name the certificate
	LevelT         // and a time-stamp over it proves when it existed
	LevelLT        // and the message holds all certificates and revocation data
	LevelLTA       // and an archive time-stamp proves when all of that existed
)

// String returns the usual name, as CAdES-T.
func (l Level) String() string {
	switch l {
	case LevelB:
		return "CAdES-BES"
	case LevelT:
		return "CAdES-T"
	case LevelLT:
		return "CAdES-LT"
	case LevelLTA:
		return "CAdES-LTA"
	case NoLevel:
	}
	return "CMS"
}

// Document is what was signed, when it stands beside the message. The zero value is for messages
// with the content inside. With a digest alone, archive time-stamps of another hash cannot be judged.
type Document struct {
	Content []byte     // the document, or
	Reader  io.Reader  // what gives it, read once to its end and never in memory as a whole, or
	Hash    algid.Hash // the hash and
	Digest  []byte     // the digest of it
}

// Trust is what a message is judged by. Pool and At are required. Judging only reads it: one value serves many
// goroutines at once, as long as nobody writes to it or to what it points to.
type Trust struct {
	Pool *pki.Pool // roots; and authorities below them that are trusted by configuration
	At   time.Time // the moment of judging, usually now

	// Lists and Answers are revocation data at hand besides that in the message, trusted no more than
	// their signatures.
	Lists   []*pki.RevocationList
	Answers []*ocsp.Response // of any responder, in any order

	// Keys, if not nil, keeps the keys of time-stamping authorities that were found good often, to verify faster with
	// them. One is for all messages that are judged by the same Pool.
	Keys *algid.PreparedKeys

	// NoRevocation leaves the question of revocation out; every signer gets a warning.
	NoRevocation bool
}

// Validate judges every signature of a message. The error is not nil only when nothing could be
// looked at: the document is missing or another, or the message exceeds the bounds (32 time-stamps,
// 256 certificates and 256 revocation data in all, 1 000 signatures verified for paths).
func Validate(sd *cms.SignedData, d Document, t Trust) (*Report, error) {
	v, err := newValidation(sd, t)
	if err != nil {
		return nil, fmt.Errorf("validating: %w", err)
	}
	verified, err := v.all(d)
	if err != nil {
		return nil, fmt.Errorf("validating: %w", err)
	}
	r := &Report{At: t.At}
	for i := range verified {
		r.Signers = append(r.Signers, v.signer(verified[i], v.carried[i]))
	}
	r.warnTwice()
	return r, nil
}
