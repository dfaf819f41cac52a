package pki

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"senim/algid"
)

// Bounds of path building (spec/security.md §3).
const (
	maxDepth  = 10   // certificates in a chain, leaf and root included
	maxChecks = 1000 // signatures verified for one chain
)

// ErrUntrusted is the error under every chain that could not be built to a root by the rules.
var ErrUntrusted = errors.New("no trusted chain")

// ErrNoIssuer is the error beside [ErrUntrusted] when an issuer is missing: another pool might do.
var ErrNoIssuer = errors.New("issuer not known")

// ValidityError says that a chain is right in everything else, but a certificate in it is out of
// its dates.
type ValidityError struct {
	Cert   *Certificate // one of the path
	NotYet bool         // not yet valid; else expired
}

// Error implements error.
func (e *ValidityError) Error() string {
	if e.NotYet {
		return fmt.Sprintf("certificate %s is not valid before %s", e.Cert.SerialHex(), e.Cert.NotBefore.Format(time.RFC3339))
	}
	return fmt.Sprintf("certificate %s expired on %s", e.Cert.SerialHex(), e.Cert.NotAfter.Format(time.RFC3339))
}

// Pool is what chains are built from. Fill it first; afterwards many goroutines may call Chain. A pool
// that is kept becomes faster: authorities that verify often get a table (see [algid.PreparedKeys]).
type Pool struct {
	roots         []*Certificate
	intermediates []*Certificate
	bySubject     map[string][]*Certificate // RawSubject → roots first
	keys          algid.PreparedKeys        // of certificates in the pool alone
	verifier      algid.Verifier
	links         sync.Map // link: signatures between certificates of the pool found good
}

// link is a certificate of the pool and the one of the pool that signed it.
type link struct{ of, by *Certificate }

// NewPool returns an empty pool: nothing is trusted.
func NewPool() *Pool { return &Pool{bySubject: make(map[string][]*Certificate)} }

// AddRoot adds a trust anchor: trusted by itself, whatever its signature; its dates, constraints
// and extensions count all the same. Twice is the same as once.
func (p *Pool) AddRoot(c *Certificate) {
	if p.isRoot(c) {
		return
	}
	p.roots = append(p.roots, c)
	name := string(c.RawSubject)
	p.bySubject[name] = append([]*Certificate{c}, p.bySubject[name]...)
}

// AddIntermediate adds a certificate chains may go through. It gives no trust.
func (p *Pool) AddIntermediate(c *Certificate) {
	if containsCertificate(p.intermediates, c) {
		return
	}
	p.intermediates = append(p.intermediates, c)
	name := string(c.RawSubject)
	p.bySubject[name] = append(p.bySubject[name], c)
}

// With returns a pool that trusts the same and may go through further certificates, as those beside
// a signature. The pool itself does not change.
func (p *Pool) With(intermediates ...*Certificate) *Pool {
	out := &Pool{roots: slices.Clone(p.roots), intermediates: slices.Clone(p.intermediates), bySubject: maps.Clone(p.bySubject)}
	for name, list := range out.bySubject {
		out.bySubject[name] = slices.Clip(list) // appending copies
	}
	for _, c := range intermediates {
		if !out.isRoot(c) {
			out.AddIntermediate(c)
		}
	}
	return out
}

// Has reports whether the certificate itself is in the pool, as root or intermediate.
func (p *Pool) Has(c *Certificate) bool {
	return p.isRoot(c) || containsCertificate(p.intermediates, c)
}

// Certificates returns everything in the pool, roots first.
func (p *Pool) Certificates() []*Certificate {
	return append(append([]*Certificate(nil), p.roots...), p.intermediates...)
}

func (p *Pool) isRoot(c *Certificate) bool { return containsCertificate(p.roots, c) }

func containsCertificate(list []*Certificate, c *Certificate) bool {
	for _, o := range list {
		if bytes.Equal(o.Raw, c.Raw) {
			return true
		}
	}
	return false
}

// Chain returns leaf, …, root, by the rules of RFC 5280 section 6 at the given time: names equal as
// raw DER, every signature good, issuers with basicConstraints CA, room in pathLenConstraint and
// keyCertSign, name constraints and policies kept, no critical extension we do not know, no SHA-1
// after 2016, all certificates within their dates. A leaf that is itself a root is a chain of
// one. Revocation and purpose are the caller's.
//
// The error is a [*ValidityError] when only the dates are wrong, else [ErrUntrusted] with the
// reason; of several paths tried, the most telling.
func (p *Pool) Chain(leaf *Certificate, at time.Time) ([]*Certificate, error) {
	path, err := p.Validate(leaf, Rules{At: at})
	if err != nil {
		return nil, err
	}
	return path.Chain, nil
}

// search is one walk from a leaf towards the roots, depth first.
type search struct {
	pool   *Pool
	rules  Rules
	only   *Certificate   // the one root that counts; nil: any
	checks *int           // signatures verified, shared with the walks to issuers of lists
	why    error          // the first reason a path was refused; what lists decided goes before the rest
	dates  *ValidityError // a path that only failed on dates

	proofs map[listProof]bool // signatures on lists, shared likewise
	busy   []*Certificate     // whose status is being asked: a list must not need itself
	sorted []*RevocationList  // newest first
}

// listProof is a list and a certificate whose key may have signed it.
type listProof struct {
	list *RevocationList
	by   *Certificate
}

// extend returns a whole path that begins with path, or nil.
func (s *search) extend(path []*Certificate) *Path {
	last := path[len(path)-1]
	if s.pool.isRoot(last) && (s.only == nil || s.only == last) {
		return s.accept(path)
	}
	if len(path) == maxDepth {
		s.refuse(errors.New("chain too long"))
		return nil
	}
	for _, issuer := range s.candidates(last) {
		if repeats(path, issuer) {
			continue
		}
		if *s.checks++; *s.checks > maxChecks {
			s.refuse(errors.New("too many signatures to check"))
			return nil
		}
		if err := s.vouched(last, issuer, len(path) > 1); err != nil {
			s.refuse(err)
			continue
		}
		if chain := s.extend(append(path[:len(path):len(path)], issuer)); chain != nil {
			return chain
		}
	}
	return nil
}

// vouched checks one signature of a path. Those between authorities are the same in every path, so one that
// was found good is not checked again.
func (s *search) vouched(c, issuer *Certificate, pooled bool) error {
	if _, known := s.pool.links.Load(link{c, issuer}); pooled && known {
		return nil
	}
	if err := c.checkSignature(&s.pool.verifier, s.pool.keys.Use(issuer.PublicKey)); err != nil {
		return err
	}
	if pooled {
		s.pool.links.Store(link{c, issuer}, nil)
	}
	return nil
}

// candidates are the certificates whose name is c's issuer, those whose key identifier fits first.
func (s *search) candidates(c *Certificate) []*Certificate {
	var fit, rest []*Certificate
	for _, issuer := range s.pool.bySubject[string(c.RawIssuer)] {
		if len(c.AuthorityKeyID) > 0 && bytes.Equal(c.AuthorityKeyID, issuer.SubjectKeyID) {
			fit = append(fit, issuer)
		} else {
			rest = append(rest, issuer)
		}
	}
	return append(fit, rest...)
}

// repeats reports whether the same name with the same key is in the path already: no loop helps.
func repeats(path []*Certificate, c *Certificate) bool {
	for _, o := range path {
		if bytes.Equal(o.RawSubject, c.RawSubject) && bytes.Equal(o.RawSPKI, c.RawSPKI) {
			return true
		}
	}
	return false
}

func (s *search) refuse(why error) {
	if s.why == nil || decidedByLists(why) && !decidedByLists(s.why) {
		s.why = why
	}
}

func (s *search) accept(path []*Certificate) *Path {
	if err := checkPath(path); err != nil {
		s.refuse(err)
		return nil
	}
	policies, err := checkPolicies(path, s.rules)
	if err != nil {
		s.refuse(err)
		return nil
	}
	if err := checkDates(path, s.rules.At); err != nil {
		if s.dates == nil {
			s.dates = err
		}
		return nil
	}
	if s.rules.Revocation {
		if err := s.checkRevocation(path); err != nil {
			s.refuse(err)
			return nil
		}
	}
	return &Path{Chain: path, Policies: policies}
}
