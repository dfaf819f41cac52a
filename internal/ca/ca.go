// Package ca is the certification authority: it issues certificates by profile, revokes them, and
// tells their state by revocation lists and OCSP answers.
//
// [Create] makes authorities (a root, an issuing authority, an OCSP responder) once; [Open] opens
// what was made and refuses to make anything. The calls most want are [Service.Issue],
// [Service.Revoke] and [Service.OCSP].
//
// Issuing follows one order, which is the point of the package: the serial is stored, the
// certificate is linted under a throw-away key, the exact bytes to be signed are stored together
// with an audit record, and only then does the authority's key sign those bytes, once. Whatever may
// have been signed is therefore on record and can be revoked; [Service.Recover] finishes what a
// crash left. One [Order] gives one certificate, however often it is asked for.
//
// It refuses: requests whose signature does not prove possession of the key, public keys certified
// before, anything the profile rules of package lint object to, and dates of the caller's choosing
// unless the configuration allows them. Who may have which certificate is not decided here: that is
// the registration authority's work, done before an order is made.
//
// No files, sockets or SQL: keys come from a [Keys], records live in a [Store].
package ca

import (
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"time"

	"senim/algid"
	"senim/pki"
)

// Order asks for one certificate.
type Order struct {
	// ID names the order, for ever: the same ID never gives a second certificate. 1 to 100 bytes.
	ID string
	// Profile is one of [Service.Profiles] for holders, as "individual" or "head-auth".
	Profile string
	// CSR is the PKCS #10 request in DER. Only its public key is taken; the signature on it proves
	// possession.
	CSR []byte
	// Subject is what the registration authority found to be true of the holder.
	Subject Subject
	// Storage is the kind of key store, 1.2.398.3.3.5.*, written into the certificate: files live
	// 365 days, carriers longer (see [Profile]). Empty means a file.
	Storage asn1.ObjectIdentifier
	// Identity is how the person was identified: "", IdentityDesk or IdentityRemote. Not empty puts
	// the OID first among the extended key usages.
	Identity string
	// Replaces is the serial (40 lower hex digits) of the holder's certificate this one follows, or "".
	Replaces string
	// Sole refuses the order, ALREADY_RENEWED, when another follows Replaces already or is about to; one that was
	// revoked for good does not count. Of orders at the same moment, on whatever nodes, one is taken.
	Sole bool
	// By is who approved the order: an audit actor, never a name or an IIN.
	By string
	// NotBefore and NotAfter are zero: now, and the days of the profile. Other values are refused
	// unless Config.AllowDates is set.
	NotBefore, NotAfter time.Time
}

// How a person was identified (crypto.md §9.1, arc 4.3).
const (
	IdentityDesk   = "desk"
	IdentityRemote = "remote"
)

// Subject is the holder named in a certificate.
type Subject struct {
	CommonName string // "ФАМИЛИЯ ИМЯ", or the name of a system
	Surname    string
	Patronymic string // may be empty; written as GIVENNAME
	IIN        string // 12 digits, empty for systems
	// Organization and BIN (12 digits) are set for persons of a legal entity and for systems.
	Organization, BIN string
	// UID is the registered OID of an information system; System the N of its role 4.1.2.6.N, with
	// the profiles of registered systems only.
	UID    string
	System int
	// TreasuryRole ("ROLE02") and TreasuryCode ("KS1234") are those of a client of Treasury K2.
	TreasuryRole, TreasuryCode string
	// Email is written as rfc822Name when not empty.
	Email string
}

// Issued is a certificate made for an order.
type Issued struct {
	Serial              string // 40 lower hex digits
	CA                  string // short name of the authority that signed it
	Raw                 []byte // DER
	NotBefore, NotAfter time.Time
}

// Info is what is known of one certificate.
type Info struct {
	Serial, CA, Order, Profile string
	// IIN, BIN and Name (common name) of the holder; IIN is empty for systems, BIN for individuals.
	IIN, BIN, Name      string
	NotBefore, NotAfter time.Time
	IssuedAt            time.Time
	// Replaces and ReplacedBy are serials, or "".
	Replaces, ReplacedBy string
	// Revoked is nil unless the certificate is revoked or on hold.
	Revoked *Revocation
	Raw     []byte // DER
}

// Live reports whether the certificate is within its dates and not revoked.
func (i Info) Live(now time.Time) bool {
	return i.Revoked == nil && !now.Before(i.NotBefore) && !now.After(i.NotAfter)
}

// Revocation says when and why a certificate stopped being good.
type Revocation struct {
	// At is since when the certificate counts as revoked. It is the moment of recording unless the
	// operator gave an earlier date.
	At time.Time
	// Recorded is when the revocation was written down.
	Recorded time.Time
	Reason   Reason
	// Invalidity is the suspected date of a compromise; zero when none was told.
	Invalidity time.Time
	By         string // audit actor
	// Shard is which of the divided lists the certificate stands on, "" for none of them.
	Shard string
}

// Reason is a revocation reason by its number in RFC 5280 section 5.3.1.
type Reason = pki.Reason

// The reasons that may be chosen.
const (
	Unspecified          = pki.Unspecified
	KeyCompromise        = pki.KeyCompromise
	AffiliationChanged   = pki.AffiliationChanged
	Superseded           = pki.Superseded
	CessationOfOperation = pki.CessationOfOperation
	CertificateHold      = pki.CertificateHold
)

func allowed(r Reason) bool {
	switch r {
	case Unspecified, KeyCompromise, AffiliationChanged, Superseded, CessationOfOperation, CertificateHold:
		return true
	}
	return false
}

// Errors that callers tell apart; compare with errors.Is.
var (
	// ErrNotFound: no such certificate, list or authority.
	ErrNotFound = errors.New("not found")
	// ErrOtherOrder: the order's ID was used before for another key or profile.
	ErrOtherOrder = errors.New("the order was made before with other content")
	// ErrClosed: the order was given up after an interruption; a new order with a new key is needed.
	ErrClosed = errors.New("the order is closed: a new request with a new key is needed")
	// ErrKeyAway: the key is in a token that is not there, or that nobody named. Everything but signing
	// with it goes on.
	ErrKeyAway = errors.New("the token with the key cannot be used")
	// ErrExists: the authority has been created already.
	ErrExists = errors.New("already exists")
)

// Refusal is an order that will never be carried out as it is. Other errors of Issue are worth
// trying again.
type Refusal struct {
	// Code is for machines and pages: KEY_REUSED, CSR_INVALID, KEY_UNSUITABLE, PROFILE_UNKNOWN,
	// SUBJECT_INVALID, DATES_INVALID, LINT_FAILED, REASON_INVALID, ALREADY_RENEWED.
	Code string
	// Why is for operators, in English, without personal data.
	Why string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Why }

// Codes of [Refusal].
const (
	CodeKeyReused      = "KEY_REUSED"
	CodeRenewed        = "ALREADY_RENEWED"
	CodeCSRInvalid     = "CSR_INVALID"
	CodeKeyUnsuitable  = "KEY_UNSUITABLE"
	CodeProfileUnknown = "PROFILE_UNKNOWN"
	CodeSubjectInvalid = "SUBJECT_INVALID"
	CodeDatesInvalid   = "DATES_INVALID"
	CodeLintFailed     = "LINT_FAILED"
	CodeReasonInvalid  = "REASON_INVALID"
)

// Keys keeps private keys of authorities by name. Package vault keeps them in sealed files.
// Both methods are safe for concurrent use.
type Keys interface {
	// Keep stores a new key and returns when it is durable. A name that is taken is an error:
	// nothing is ever replaced.
	Keep(ctx context.Context, name string, key crypto.Signer) error
	// Key opens the key of this name. Where the answer is that there is none, it matches [ErrNotFound] for
	// names that begin with [TokenKey].
	Key(ctx context.Context, name string) (crypto.Signer, error)
}

// TokenKey begins the names of keys that are in a token: a [Maker] made them, and they are nowhere else.
const TokenKey = "token:"

// Maker is a [Keys] that also makes keys, in a token. Their names begin with [TokenKey]; Keep refuses those.
type Maker interface {
	Keys
	// Make makes a key under a name that nothing has there, and returns when it is durable; [ErrExists]
	// when the name is taken.
	Make(ctx context.Context, name string, kind algid.Key, bits int) (crypto.Signer, error)
}
