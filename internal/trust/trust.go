// Package trust answers one question: is this certificate good for this, now?
//
// The answer is a [Report]: one [Check] per rule, each good, bad or unknown, each with the evidence
// that decided it. [New] makes a [Judge] out of a pool of trusted authorities and a source of
// revocation; [Judge.Certificate] runs every check, also after one has failed, so that a person is
// told everything that is wrong at once.
//
// It refuses to round up: a check that could not be made is [Unknown], and an unknown report is never
// good. It does not know who may do what (accounts, roles in an organisation, registries): those
// rules live with their owners, who append their own checks to the report.
//
// Order and rules: RFC 5280 section 6 for the path, then validity, revocation and purpose of the
// certificate itself. URLs found inside certificates are never followed; where status is asked is
// the business of the [Revocation] source and its configuration.
package trust

import (
	"context"
	"errors"
	"time"

	"senim/pki"
)

// Verdict is the outcome of a check. The zero value is not a verdict and counts as unknown.
type Verdict string

// The three verdicts.
const (
	Good    Verdict = "good"
	Bad     Verdict = "bad"
	Unknown Verdict = "unknown"
)

// Names of the checks a [Judge] makes, in the order of a report.
const (
	CheckChain      = "chain"
	CheckValidity   = "validity"
	CheckRevocation = "revocation"
	CheckPurpose    = "purpose"
)

// Codes of failed checks, as pages and protocols show them.
const (
	CodeUntrusted     = "CERT_UNTRUSTED"
	CodeExpired       = "CERT_EXPIRED"
	CodeNotYetValid   = "CERT_NOT_YET_VALID"
	CodeRevoked       = "CERT_REVOKED"
	CodeUnavailable   = "CHECK_UNAVAILABLE"
	CodeNotForSigning = "CERT_NOT_FOR_SIGNING"
	CodeNotForSignIn  = "CERT_NOT_FOR_AUTH"
)

// Check is one rule applied to one certificate.
type Check struct {
	// Name is one of the Check… constants, or a name of whoever appended the check.
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	// Code says what failed; empty when the verdict is good.
	Code string `json:"code,omitempty"`
	// Evidence is what was looked at: dates in RFC 3339 (UTC), serials and hashes in lower hex,
	// names in the usual text form. It may hold names of issuers but no private data of the holder.
	Evidence map[string]string `json:"evidence,omitempty"`
}

// Report is every check made on one certificate, in order.
type Report []Check

// Verdict is bad when any check is bad, else unknown when any is not good, else good.
// An empty report is unknown: nothing was checked.
func (r Report) Verdict() Verdict {
	if len(r) == 0 {
		return Unknown
	}
	verdict := Good
	for _, c := range r {
		switch c.Verdict {
		case Good:
		case Bad:
			return Bad
		default:
			verdict = Unknown
		}
	}
	return verdict
}

// First returns the first check that is not good. A bad check goes before an unknown one:
// what is known to be wrong is said before what could not be looked at.
func (r Report) First() (Check, bool) {
	for _, c := range r {
		if c.Verdict == Bad {
			return c, true
		}
	}
	for _, c := range r {
		if c.Verdict != Good {
			return c, true
		}
	}
	return Check{}, false
}

// Find returns the check of this name.
func (r Report) Find(name string) (Check, bool) {
	for _, c := range r {
		if c.Name == name {
			return c, true
		}
	}
	return Check{}, false
}

// State is what a source of revocation says of a certificate. The zero value is not known.
type State string

// The states of a certificate.
const (
	StateGood    State = "good"
	StateRevoked State = "revoked"
	StateUnknown State = "unknown"
)

// Status is the answer of a [Revocation] source.
type Status struct {
	State State
	// RevokedAt and Reason (RFC 5280 section 5.3.1, -1 when not given) are set when State is revoked.
	RevokedAt time.Time
	Reason    int
	// Source names what answered: "ocsp", "crl" or "".
	Source string
	// Evidence: url or file, thisUpdate, nextUpdate, producedAt, number, and sha256 of the raw answer.
	Evidence map[string]string
	// Err says why State is unknown, in words for an operator.
	Err string
}

// Revocation tells whether a certificate is revoked. It answers unknown rather than failing, is
// bounded in time by itself, and is safe for concurrent use.
type Revocation interface {
	Status(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) Status
}

// Purpose is what the certificate is to be used for.
type Purpose int

// The purposes. Any checks no purpose.
const (
	Any Purpose = iota
	SignIn
	Signing
)

// Config makes a [Judge].
type Config struct {
	// Pool holds the trusted roots and their issuing authorities. Required.
	Pool *pki.Pool
	// Revocation is asked for every certificate whose issuer is known. Required: a deployment
	// that cannot ask anyone gets unknown, not good.
	Revocation Revocation
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Judge checks certificates. Safe for concurrent use.
type Judge struct {
	pool       *pki.Pool
	revocation Revocation
	now        func() time.Time
}

// New makes a judge.
func New(c Config) (*Judge, error) {
	if c.Pool == nil {
		return nil, errors.New("new judge: no pool of trusted authorities")
	}
	if c.Revocation == nil {
		return nil, errors.New("new judge: no source of revocation")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Judge{pool: c.Pool, revocation: c.Revocation, now: c.Now}, nil
}

// Certificate runs every check on cert for purpose p at the judge's present time and reports each.
func (j *Judge) Certificate(ctx context.Context, cert *pki.Certificate, p Purpose) Report {
	at := j.now()
	chain, trusted := j.chain(cert, at)
	return Report{
		trusted,
		validity(cert, at),
		j.status(ctx, cert, chain, at),
		purpose(cert, p),
	}
}
