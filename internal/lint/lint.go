// Package lint holds certificates and revocation lists against the rules of our profiles before an
// authority's key signs them.
//
// [Certificate] and [List] run every rule that applies and return what is wrong; nothing returned
// means clean. [Rules] lists the rules with their clauses, for people. A linted certificate is
// signed with a throw-away key of the same algorithm, so no rule looks at the signature value.
// A holder's certificate is also held against its profile, its authority's addresses and the record
// made of the order (see [Meant]); an RSA certificate against the rules of zlint that apply
// ([OutsideNotApplied] says which do not, and why).
//
// Rules are written from the specification, not from the code that fills templates in: a mistake
// made there should be found here. They refuse rather than warn. They do not ask whether the holder
// is who the certificate says; that was decided before.
package lint

import (
	"fmt"
	"strings"
	"sync"

	"senim/pki"
)

// Kind is what a certificate is meant to be.
type Kind int

// The kinds.
const (
	Holder       Kind = iota + 1 // a person or a system
	Root                         // a self-signed authority
	Authority                    // an issuing authority under a root
	Responder                    // an OCSP responder
	TSA                          // a time-stamping authority
	SubAuthority                 // an authority under one that is no root
	Upper                        // an authority over issuing ones, or a root certified by another (cross)
)

// Subject is a certificate to be linted, and what is known about it.
type Subject struct {
	Kind        Kind
	Certificate *pki.Certificate
	Issuer      *pki.Certificate // nil for a root
	// MaxDays bounds the life of a certificate of its profile.
	MaxDays int
	// Meant is what a holder's certificate is meant to say. A holder's without it is refused.
	Meant *Meant
}

// Rule is one demand on certificates.
type Rule struct {
	Name   string
	Clause string // where the demand is written
	// kinds it applies to; none means all.
	kinds []Kind
	check func(Subject) error
}

// Finding is a rule that was broken.
type Finding struct {
	Rule, Clause, Problem string
}

// Error is findings as one error.
type Error []Finding

func (e Error) Error() string {
	parts := make([]string, len(e))
	for i, f := range e {
		parts[i] = fmt.Sprintf("%s (%s): %s", f.Rule, f.Clause, f.Problem)
	}
	return "lint: " + strings.Join(parts, "; ")
}

// Rules returns all rules for certificates.
func Rules() []Rule {
	var all []Rule
	for _, part := range [][]Rule{shapeRules(), serialRules(), keyRules(), nameRules(), usageRules(), extensionRules(), validityRules(),
		meantRules(), profileRules(), policyRules(), recordRules(), outsideRules()} {
		all = append(all, part...)
	}
	return all
}

// rules is Rules, made once. Nobody changes it.
var rules = sync.OnceValue(Rules)

// Certificate runs every rule that applies to s.Kind. The error is nil or an [Error].
func Certificate(s Subject) error {
	var found Error
	for _, r := range rules() {
		if !r.applies(s.Kind) {
			continue
		}
		if err := r.check(s); err != nil {
			found = append(found, Finding{r.Name, r.Clause, err.Error()})
		}
	}
	if found != nil {
		return found
	}
	return nil
}

func (r Rule) applies(k Kind) bool {
	for _, want := range r.kinds {
		if k == want {
			return true
		}
	}
	return len(r.kinds) == 0
}
