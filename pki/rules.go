package pki

import (
	"cmp"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// Rules are what a path is judged by: the inputs of RFC 5280 6.1.1, and lists. Only At is needed;
// the zero value of everything else asks for no policy and looks at no list.
type Rules struct {
	At time.Time // the moment the path is to be good at

	// Policies are the policies the caller accepts (user-initial-policy-set); nil = any. They count
	// when a policy is demanded: by ExplicitPolicy or by a certificate in the path.
	Policies       []asn1.ObjectIdentifier
	ExplicitPolicy bool // the path must be good for one of Policies
	InhibitMapping bool // policies may not be mapped
	InhibitAny     bool // anyPolicy in a certificate counts as no policy

	// Revocation demands that Lists say of every certificate below the root that it is not revoked;
	// what they do not settle is refused (ErrUndetermined). Lists need no order and are trusted no
	// more than their signatures: their issuers must chain to the same root, by the pool.
	Revocation bool
	Lists      []*RevocationList

	// Evidence is asked beside the lists: OCSP answers at hand, as [senim/ocsp.Answers]. Revoked by
	// either is revoked; good from one is enough. nil = none.
	Evidence Evidence

	// Now is when the question is asked, if At is in the past: the time a time-stamp proves, say.
	// Then lists and answers up to Now are looked at, and what was revoked only after At was good
	// at At, unless the entry says that the key was not to be trusted before (invalidityDate). A
	// list that says nothing counts only when it is from the life of the certificate, or keeps
	// expired ones (expiredCertsOnCRL). Zero: At itself, and what is revoked is revoked.
	Now time.Time

	// Checks counts the signatures verified, for callers who bound several calls together; nil = this
	// call alone. At 1000 nothing more is verified.
	Checks *int
}

// Evidence is a source of status beside lists. Status says what is known at now about c, which
// issuer issued, as of at: revoked nil means good. known false means that it cannot say.
type Evidence interface {
	Status(c, issuer *Certificate, at, now time.Time) (revoked *Entry, known bool)
}

// now is the time up to which lists and answers count.
func (r Rules) now() time.Time {
	if r.Now.After(r.At) {
		return r.Now
	}
	return r.At
}

// revokes reports whether the entry makes a certificate useless at r.At.
func (r Rules) revokes(e *Entry) bool {
	return !r.Now.After(r.At) || !e.Since().After(r.At)
}

// Path is a chain that passed.
type Path struct {
	Chain []*Certificate // leaf, …, root
	// Policies the path is good for, of those asked for (user-constrained-policy-set, RFC 5280
	// 6.1.6 as RFC 9618 has it). Empty: none, which is no fault unless a policy was demanded.
	Policies []asn1.ObjectIdentifier
}

// ErrUndetermined is the error under a path whose certificates no list at hand settles.
var ErrUndetermined = errors.New("revocation status not determined")

// RevokedError says that a certificate of the path stands on a list.
type RevokedError struct {
	Cert  *Certificate // one of the path, below the root
	Entry Entry        // RevokedAt may be after Rules.At when Rules.Now is not set
}

// Error implements error.
func (e *RevokedError) Error() string {
	return fmt.Sprintf("certificate %s was revoked on %s", e.Cert.SerialHex(), e.Entry.RevokedAt.Format(time.RFC3339))
}

// Validate finds a path from leaf to a root by RFC 5280 section 6 in full: what [Pool.Chain] does,
// and the policies of r, and, when r.Revocation is set, revocation lists: complete, delta, indirect,
// and divided by kind, reason or distribution point (section 6.3), beside other evidence. Of several paths the first that
// passes is returned.
//
// Errors are those of Chain; under [ErrUntrusted] stand a [*RevokedError] or [ErrUndetermined] when
// lists decided.
func (p *Pool) Validate(leaf *Certificate, r Rules) (*Path, error) {
	s := search{pool: p, rules: r, checks: cmp.Or(r.Checks, new(int)), proofs: map[listProof]bool{}}
	return s.run(leaf)
}

func (s *search) run(leaf *Certificate) (*Path, error) {
	if path := s.extend([]*Certificate{leaf}); path != nil {
		return path, nil
	}
	if s.dates != nil {
		return nil, fmt.Errorf("chain of %s: %w", leaf.SerialHex(), s.dates)
	}
	if s.why == nil {
		s.why = ErrNoIssuer
	}
	return nil, fmt.Errorf("chain of %s: %w: %w", leaf.SerialHex(), ErrUntrusted, s.why)
}
