package pki

import (
	"encoding/asn1"
	"errors"
	"slices"
)

// policyGraph is the state of policy processing. It is a graph, one node for a policy and depth, and
// not the tree of RFC 5280: the tree can grow exponentially, RFC 9618 gives the same answers without.
type policyGraph struct {
	explicit, mapping, any int // certificates until the rule begins; 0 = it holds
	levels                 []policyLevel
}

type policyLevel map[string]*policyNode // by policy, dotted

type policyNode struct {
	oid      asn1.ObjectIdentifier
	expected []asn1.ObjectIdentifier
	parents  []*policyNode
	useful   bool // a node of the last level stands below
}

var anyKey = AnyPolicy.String()

func newPolicyGraph(n int, r Rules) *policyGraph {
	start := func(now bool) int {
		if now {
			return 0
		}
		return n + 1
	}
	top := &policyNode{oid: AnyPolicy, expected: []asn1.ObjectIdentifier{AnyPolicy}}
	return &policyGraph{
		explicit: start(r.ExplicitPolicy), mapping: start(r.InhibitMapping), any: start(r.InhibitAny),
		levels: []policyLevel{{anyKey: top}},
	}
}

// null: no policy is left.
func (g *policyGraph) null() bool { return len(g.bottom()) == 0 }

func (g *policyGraph) bottom() policyLevel { return g.levels[len(g.levels)-1] }

// enter adds the level of the policies of c, 6.1.3 d and e.
func (g *policyGraph) enter(c *Certificate, last bool) {
	above, level := g.bottom(), policyLevel{}
	anyHere := false
	for _, oid := range c.Policies {
		if oid.Equal(AnyPolicy) {
			anyHere = true
			continue
		}
		parents := above.expecting(oid)
		if len(parents) == 0 && above[anyKey] != nil {
			parents = []*policyNode{above[anyKey]}
		}
		level.add(oid, parents)
	}
	if anyHere && (g.any > 0 || !last && c.selfIssued()) {
		for _, up := range above {
			for _, oid := range up.expected {
				if level[oid.String()] == nil {
					level.add(oid, above.expecting(oid))
				}
			}
		}
	}
	g.levels = append(g.levels, level)
}

func (l policyLevel) expecting(oid asn1.ObjectIdentifier) []*policyNode {
	var list []*policyNode
	for _, n := range l {
		if containsOID(n.expected, oid) {
			list = append(list, n)
		}
	}
	return list
}

func (l policyLevel) add(oid asn1.ObjectIdentifier, parents []*policyNode) {
	if len(parents) > 0 {
		l[oid.String()] = &policyNode{oid: oid, expected: []asn1.ObjectIdentifier{oid}, parents: parents}
	}
}

// leave prepares for the next certificate, 6.1.4 a, b and h to j.
func (g *policyGraph) leave(c *Certificate) error {
	mapped := map[string][]asn1.ObjectIdentifier{}
	oids := map[string]asn1.ObjectIdentifier{}
	for _, m := range c.policy.mappings {
		if m.issuer.Equal(AnyPolicy) || m.subject.Equal(AnyPolicy) {
			return errors.New("anyPolicy is mapped")
		}
		key := m.issuer.String()
		oids[key], mapped[key] = m.issuer, append(mapped[key], m.subject)
	}
	level := g.bottom()
	for key, to := range mapped {
		switch node := level[key]; {
		case g.mapping == 0:
			delete(level, key)
		case node != nil:
			node.expected = to
		case level[anyKey] != nil:
			level[key] = &policyNode{oid: oids[key], expected: to, parents: level[anyKey].parents}
		}
	}
	if !c.selfIssued() {
		for _, counter := range []*int{&g.explicit, &g.mapping, &g.any} {
			if *counter > 0 {
				*counter--
			}
		}
	}
	c.policy.constrain(g)
	return nil
}

// result is the user-constrained-policy-set, RFC 9618 section 5.4 (g), in a fixed order.
func (g *policyGraph) result(wanted []asn1.ObjectIdentifier) []asn1.ObjectIdentifier {
	if g.null() {
		return nil
	}
	for i := len(g.levels) - 1; i > 0; i-- {
		for _, n := range g.levels[i] {
			if n.useful = n.useful || i == len(g.levels)-1; n.useful {
				for _, p := range n.parents {
					p.useful = true
				}
			}
		}
	}
	var good []asn1.ObjectIdentifier
	add := func(oid asn1.ObjectIdentifier) {
		if !containsOID(good, oid) {
			good = append(good, oid)
		}
	}
	for _, level := range g.levels[1:] {
		for _, n := range level {
			under := len(n.parents) == 1 && n.parents[0].oid.Equal(AnyPolicy)
			if n.useful && under && !n.oid.Equal(AnyPolicy) && (wanted == nil || containsOID(wanted, n.oid) || containsOID(wanted, AnyPolicy)) {
				add(n.oid)
			}
		}
	}
	if g.bottom()[anyKey] != nil {
		if wanted == nil {
			wanted = []asn1.ObjectIdentifier{AnyPolicy}
		}
		for _, oid := range wanted {
			add(oid)
		}
	}
	slices.SortFunc(good, func(a, b asn1.ObjectIdentifier) int { return slices.Compare(a, b) })
	return good
}
