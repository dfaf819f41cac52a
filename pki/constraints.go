package pki

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxComparisons bounds names × constraints of one path.
const maxComparisons = 100_000

// The kinds of GeneralName (RFC 5280 4.2.1.6) constraints are understood for.
const (
	nameEmail     = 1
	nameHost      = 2
	nameDirectory = 4
	nameURI       = 6
	nameIP        = 7
)

// generalName is one GeneralName: the number of its tag and its content.
type generalName struct {
	kind   int
	value  []byte
	folded []string // of a directory name, once it is to be compared
}

// fold prepares a directory name for comparing, once.
func (n *generalName) fold() (err error) {
	if n.kind == nameDirectory && n.folded == nil {
		n.folded, err = foldName(n.value)
	}
	return err
}

// what names the kind for an error; the value, which may be personal, is left out.
func (n generalName) what() string {
	switch n.kind {
	case nameEmail:
		return "an e-mail address"
	case nameHost:
		return "a host name"
	case nameDirectory:
		return "a directory name"
	case nameURI:
		return "a URI"
	case nameIP:
		return "an IP address"
	}
	return fmt.Sprintf("a name of kind %d", n.kind)
}

func newGeneralName(tag cbasn1.Tag, content []byte) generalName {
	return generalName{kind: int(tag & 0x1f), value: content}
}

// nameConstraints are the subtrees of RFC 5280 4.2.1.10.
type nameConstraints struct{ permitted, excluded []generalName }

func readNameConstraints(der []byte) (*nameConstraints, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, errDER
	}
	c := &nameConstraints{}
	for tag, out := range []*[]generalName{&c.permitted, &c.excluded} {
		var trees cryptobyte.String
		var present bool
		if !body.ReadOptionalASN1(&trees, &present, constructed(uint8(tag))) {
			return nil, errDER
		}
		if !present {
			continue
		}
		if *out, err = readSubtrees(trees); err != nil {
			return nil, err
		}
	}
	if !body.Empty() {
		return nil, errDER
	}
	return c, nil
}

// readSubtrees reads bases; minimum must be 0 and maximum absent, as in every profile of RFC 5280.
func readSubtrees(in cryptobyte.String) ([]generalName, error) {
	if in.Empty() {
		return nil, errDER
	}
	var list []generalName
	for !in.Empty() {
		var tree, base cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadASN1(&tree, cbasn1.SEQUENCE) || !tree.ReadAnyASN1(&base, &tag) || len(list) == maxNames {
			return nil, errDER
		}
		if !tree.Empty() {
			return nil, errors.New("a subtree with minimum or maximum")
		}
		n := newGeneralName(tag, base)
		if err := n.checkBase(); err != nil {
			return nil, err
		}
		if err := n.fold(); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// checkNames holds the names of every certificate against the constraints above it. Self-issued
// certificates are exempt, the leaf never is (6.1.3 b and c).
func checkNames(path []*Certificate) error {
	budget := maxComparisons
	for i, c := range path {
		if c.constraints != nil && !c.IsCA {
			return fmt.Errorf("certificate %s: name constraints, and not an authority", c.SerialHex())
		}
		if i > 0 && c.selfIssued() {
			continue
		}
		var names []generalName
		for _, issuer := range path[i+1:] {
			if issuer.constraints == nil {
				continue
			}
			if names == nil {
				names = c.names()
			}
			if err := issuer.constraints.check(names, &budget); err != nil {
				return fmt.Errorf("certificate %s: %w", c.SerialHex(), err)
			}
		}
	}
	return nil
}

// names are all the names constraints apply to: subject, e-mail addresses in the subject, and
// alternative names.
func (c *Certificate) names() []generalName {
	names := slices.Clone(c.altNames)
	if len(c.Subject) > 0 {
		names = append(names, generalName{kind: nameDirectory, value: c.RawSubject})
	}
	for _, a := range c.Subject {
		if a.OID.Equal(OIDEmail) {
			names = append(names, generalName{kind: nameEmail, value: []byte(a.Value)})
		}
	}
	return names
}

var errTooManyNames = errors.New("too many names and constraints")

func (c *nameConstraints) check(names []generalName, budget *int) error {
	for i := range names {
		n := &names[i]
		if *budget -= len(c.permitted) + len(c.excluded); *budget < 0 {
			return errTooManyNames
		}
		constrained, allowed := false, false
		for _, base := range c.permitted {
			if base.kind != n.kind {
				continue
			}
			constrained = true
			if err := n.fold(); err != nil {
				return err
			}
			in, err := n.within(base, false)
			if err != nil {
				return err
			}
			if allowed = in; allowed {
				break
			}
		}
		if constrained && !allowed {
			return fmt.Errorf("%s outside the permitted ones", n.what())
		}
		for _, base := range c.excluded {
			if base.kind != n.kind {
				continue
			}
			if err := n.fold(); err != nil {
				return err
			}
			if in, err := n.within(base, true); err != nil || in {
				return cmp.Or(err, fmt.Errorf("%s among the excluded ones", n.what()))
			}
		}
	}
	return nil
}
