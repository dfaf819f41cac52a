package dsig

import (
	"crypto/subtle"
	"strings"
)

// qualifying is QualifyingProperties of one signature: found at its place, its signed half covered.
type qualifying struct {
	node     *node
	signed   *node // SignedProperties
	unsigned *node // UnsignedProperties; nil when absent
	warnings []string
	names    int // of properties in warnings
}

// qualifying finds the properties of a signature and compares their digest; nil for a plain signature.
// They must be the only thing in the only Object of this very signature and say so in Target, and
// the reference must lead to them and to nothing else.
func (d *Document) qualifying(s *signature) (*qualifying, error) {
	if s.object == nil {
		return nil, nil
	}
	q, err := propertiesOf(s)
	if err != nil {
		return nil, err
	}
	own, _ := attributeOf(s.node, "Id")
	target, _ := attributeOf(q.node, "Target")
	if own == "" || target != "#"+own {
		return nil, profile("properties are of another signature")
	}
	id, ok := strings.CutPrefix(s.properties.uri, "#")
	if !ok || id == "" || d.ids[id] != q.signed {
		return nil, profile("reference leads to something else than the signed properties of this signature")
	}
	if err := noInstructions(q.signed); err != nil {
		return nil, err
	}
	digest := s.algorithm.Hash().Sum(s.properties.form.canonicalize(q.signed))
	if subtle.ConstantTimeCompare(digest, s.properties.digest) != 1 {
		return nil, ErrDigest
	}
	return q, nil
}

// propertiesOf takes Object apart: QualifyingProperties with SignedProperties and, at most,
// UnsignedProperties after it.
func propertiesOf(s *signature) (*qualifying, error) {
	if err := onlyAttributes(s.object, "Id"); err != nil {
		return nil, err
	}
	list, err := elementsOnly(s.object)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || !list[0].is(spaceXAdES, "QualifyingProperties") {
		return nil, profile("object of the signature holds something else than its properties")
	}
	q := &qualifying{node: list[0]}
	if err := onlyAttributes(q.node, "Id Target"); err != nil {
		return nil, err
	}
	if list, err = elementsOnly(q.node); err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > 2 || !list[0].is(spaceXAdES, "SignedProperties") {
		return nil, profile("no signed properties at their place")
	}
	q.signed = list[0]
	if len(list) == 2 {
		if q.unsigned = list[1]; !q.unsigned.is(spaceXAdES, "UnsignedProperties") {
			return nil, profile("%s stands where unsigned properties may", q.unsigned.local)
		}
	}
	return q, nil
}

// noStrayProperties refuses qualifying properties that belong to no signature: nobody signed them,
// and another reader might take them for those of a signature.
func (d *Document) noStrayProperties() error {
	if !d.root.walk(func(n *node) bool {
		if n.kind != element || n.local != "QualifyingProperties" || !strings.HasPrefix(n.space, "http://uri.etsi.org/01903/") {
			return true
		}
		return n.parent != nil && n.parent.is(spaceDS, "Object") && n.parent.parent != nil && n.parent.parent.is(spaceDS, "Signature")
	}) {
		return profile("qualifying properties stand outside a signature")
	}
	return nil
}
