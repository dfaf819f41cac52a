package cades

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"senim/cms"
	"senim/ocsp"
	"senim/pki"
	"senim/tsp"
)

// Report is the answer about a message. It belongs to the caller; its certificates share memory with the message.
// Reading it from many goroutines is safe.
type Report struct {
	At      time.Time // the moment of judging: Trust.At
	Signers []Signer  // in the order of the message
}

// Outcome is the worst of all signers'.
func (r *Report) Outcome() Outcome {
	worst := CannotSay
	for i, s := range r.Signers {
		switch {
		case s.Outcome == Invalid:
			return Invalid
		case i == 0, s.Outcome == CannotSay:
			worst = s.Outcome
		}
	}
	return worst
}

// Signatories are the certificates of those whose signature is valid, each once: who signs twice is
// still one.
func (r *Report) Signatories() []*pki.Certificate {
	var out []*pki.Certificate
	for _, s := range r.Signers {
		if s.Outcome == Valid {
			out = appendNew(out, s.Certificate)
		}
	}
	return out
}

// Signer is the answer about one signature.
type Signer struct {
	Outcome Outcome
	Err     error // why it is not valid; nil when it is
	Level   Level // how much of the proof stands in the message itself, verified

	Signature   cms.Verified     // the mathematics; when its Err is not nil, nothing else was looked at
	Certificate *pki.Certificate // of the signer; nil when not found

	Claimed  time.Time // what the signer says; zero when he does not
	Proved   time.Time // the earliest time the signature is proved to have existed; zero: not proved
	JudgedAt time.Time // Proved, or else Trust.At

	Judgement  Judgement   // of Certificate at JudgedAt
	Timestamps []Timestamp // over the signature first, then archive ones, both in the order of the message
	Warnings   []string    // none of them changes the outcome
}

// Timestamp is the answer about one token.
type Timestamp struct {
	Archive   bool             // an archive time-stamp (ATSv3); else one over the signature's value
	Outcome   Outcome          // of the token and its authority
	Err       error            // why it is not valid
	Token     *tsp.Token       // nil when it cannot be read
	Known     time.Time        // when the token is known to have existed: Trust.At, or a covering time-stamp's time
	Authority *pki.Certificate // that made it; nil when that is not proved
	Judgement Judgement        // of Authority at the time of the token

	// Of archive time-stamps: how many certificates, revocation data and attributes it covers, and
	// how many of the message it leaves out (those added later among them).
	Covers, LeavesOut int

	key     key   // of the attribute value that holds the token
	covered []key // what Covers counts
}

// Judgement is the answer about one certificate at one moment.
type Judgement struct {
	At      time.Time // the moment, which may be long past
	Outcome Outcome   // CannotSay when it could not be checked: that is never Valid
	// Err says why not valid: it wraps pki.ErrUntrusted, pki.ErrUndetermined, a *pki.ValidityError or
	// a *pki.RevokedError.
	Err    error
	Path   []*pki.Certificate // leaf, …, root, also when only the dates are wrong; nil when there is none
	Status []Status           // of Path below the root, in its order; nil when revocation was not asked
}

// Status is what revocation data says of one certificate.
type Status struct {
	Certificate, Issuer *pki.Certificate // never nil

	Outcome Outcome // Valid: not revoked
	Err     error   // why not valid
	// Configured: nobody can tell, which is let pass because the authority is in Trust.Pool.
	Configured bool

	// The evidence that decided: one of the two, or none.
	List     *pki.RevocationList
	Answer   *ocsp.Response // verified
	Inside   bool           // it is in the message
	Made     time.Time      // its thisUpdate
	Next     time.Time      // its nextUpdate; zero: not said
	Revoked  *pki.Entry     // nil: not revoked; Valid beside it: only after the moment of judging
	Embedded bool           // evidence in the message alone settles that the certificate was not revoked

	embedded []key // where that evidence stands
}

// Question is a certificate whose status a message does not prove by itself, and its issuer.
type Question struct{ Certificate, Issuer *pki.Certificate }

// Missing are the certificates, of signers and of time-stamping authorities, whose status the message
// does not prove by itself: ask about each and add the answers with [AddEvidence]. Only paths that were
// found are looked at.
func (r *Report) Missing() []Question {
	var out []Question
	var seen []*pki.Certificate
	for _, j := range r.judgements() {
		for _, st := range j.Status {
			if st.Embedded || len(appendNew(seen, st.Certificate)) == len(seen) {
				continue
			}
			seen = append(seen, st.Certificate)
			out = append(out, Question{st.Certificate, st.Issuer})
		}
	}
	return out
}

// Chain are the certificates of all paths below their roots, each once: what [AddEvidence] wants.
func (r *Report) Chain() []*pki.Certificate {
	var out []*pki.Certificate
	for _, j := range r.judgements() {
		for i := range max(len(j.Path)-1, 0) {
			out = appendNew(out, j.Path[i])
		}
	}
	return out
}

func (r *Report) judgements() []Judgement {
	var out []Judgement
	for _, s := range r.Signers {
		out = append(out, s.Judgement)
		for _, t := range s.Timestamps {
			out = append(out, t.Judgement)
		}
	}
	return out
}

func appendNew(list []*pki.Certificate, c *pki.Certificate) []*pki.Certificate {
	if slices.ContainsFunc(list, func(o *pki.Certificate) bool { return bytes.Equal(o.Raw, c.Raw) }) {
		return list
	}
	return append(list, c)
}

// warnTwice says when one certificate signed more than once.
func (r *Report) warnTwice() {
	first := map[[32]byte]int{}
	for i := range r.Signers {
		s := &r.Signers[i]
		if s.Outcome != Valid {
			continue
		}
		sum := s.Certificate.Fingerprint()
		if n, known := first[sum]; known {
			s.warn("signed with the same certificate as signer %d", n+1)
			continue
		}
		first[sum] = i
	}
}

// warn adds a warning once.
func (s *Signer) warn(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.Warnings, text) {
		s.Warnings = append(s.Warnings, text)
	}
}
