package pki

import (
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// limit is a SkipCerts value that may be absent: how many certificates may follow before a rule
// begins.
type limit struct {
	set bool
	n   int
}

// lower brings the counter down to the limit.
func (l limit) lower(counter *int) {
	if l.set && l.n < *counter {
		*counter = l.n
	}
}

// policyMapping says that the issuer's policy equals the subject's (RFC 5280 4.2.1.5).
type policyMapping struct{ issuer, subject asn1.ObjectIdentifier }

// policyRules are the policy extensions of an authority.
type policyRules struct {
	mappings   []policyMapping
	explicit   limit // requireExplicitPolicy
	mapping    limit // inhibitPolicyMapping
	inhibitAny limit
}

func readMappings(der []byte) ([]policyMapping, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, errDER
	}
	var list []policyMapping
	for !body.Empty() {
		var item cryptobyte.String
		var m policyMapping
		if !body.ReadASN1(&item, cbasn1.SEQUENCE) || !item.ReadASN1ObjectIdentifier(&m.issuer) ||
			!item.ReadASN1ObjectIdentifier(&m.subject) || !item.Empty() || len(list) == maxNames {
			return nil, errDER
		}
		list = append(list, m)
	}
	return list, nil
}

// readPolicyConstraints reads RFC 5280 4.2.1.11; an empty one is refused.
func (r *policyRules) readPolicyConstraints(der []byte) error {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return errDER
	}
	for tag, out := range []*limit{&r.explicit, &r.mapping} {
		var content cryptobyte.String
		if !body.ReadOptionalASN1(&content, &out.set, context(uint8(tag))) {
			return errDER
		}
		if out.set && !readSkip(content, &out.n) {
			return errDER
		}
	}
	if !body.Empty() {
		return errDER
	}
	return nil
}

func (r *policyRules) readInhibitAny(der []byte) error {
	in := cryptobyte.String(der)
	var content cryptobyte.String
	if !in.ReadASN1(&content, cbasn1.INTEGER) || !in.Empty() || !readSkip(content, &r.inhibitAny.n) {
		return errDER
	}
	r.inhibitAny.set = true
	return nil
}

// readSkip reads the content of a SkipCerts INTEGER: not negative, minimal, small.
func readSkip(content []byte, out *int) bool {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	in := cryptobyte.String(b.BytesOrPanic())
	return in.ReadASN1Integer(out) && *out >= 0
}

// checkPolicies runs the policy part of RFC 5280 6.1 over leaf, …, root and returns the
// user-constrained-policy-set. The root's own policies are no part of the path, its constraints are
// (RFC 5937).
func checkPolicies(path []*Certificate, r Rules) ([]asn1.ObjectIdentifier, error) {
	root := len(path) - 1
	g := newPolicyGraph(root, r)
	path[root].policy.constrain(g)
	for i := root - 1; i >= 0; i-- {
		c := path[i]
		g.enter(c, i == 0)
		if g.explicit == 0 && g.null() {
			return nil, errNoPolicy
		}
		if i > 0 {
			if err := g.leave(c); err != nil {
				return nil, err
			}
		}
	}
	if root == 0 {
		return nil, nil
	}
	if g.explicit > 0 {
		g.explicit-- // wrap-up, 6.1.5 a
	}
	if p := path[0].policy.explicit; p.set && p.n == 0 {
		g.explicit = 0
	}
	good := g.result(r.Policies)
	if g.explicit == 0 && len(good) == 0 {
		return nil, errNoPolicy
	}
	return good, nil
}

var errNoPolicy = errors.New("no certificate policy is good for the whole path")

// constrain applies policyConstraints and inhibitAnyPolicy, 6.1.4 i and j.
func (r policyRules) constrain(g *policyGraph) {
	r.explicit.lower(&g.explicit)
	r.mapping.lower(&g.mapping)
	r.inhibitAny.lower(&g.any)
}
