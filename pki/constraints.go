package pki

import (
	"bytes"
	"errors"
	"fmt"

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
	kind  int
	value []byte
}

func newGeneralName(tag cbasn1.Tag, content []byte) generalName {
	return generalName{int(tag & 0x1f), content}
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
	names := c.altNames[:len(c.altNames):len(c.altNames)]
	if len(c.Subject) > 0 {
		names = append(names, generalName{nameDirectory, c.RawSubject})
	}
	for _, a := range c.Subject {
		if a.OID.Equal(OIDEmail) {
			names = append(names, generalName{nameEmail, []byte(a.Value)})
		}
	}
	return names
}

var errTooManyNames = errors.New("too many names and constraints")

func (c *nameConstraints) check(names []generalName, budget *int) error {
	for _, n := range names {
		if *budget -= len(c.permitted) + len(c.excluded); *budget < 0 {
			return errTooManyNames
		}
		constrained, allowed := false, false
		for _, base := range c.permitted {
			if base.kind != n.kind {
				continue
			}
			constrained = true
			in, err := n.within(base, false)
			if err != nil {
				return err
			}
			if allowed = in; allowed {
				break
			}
		}
		if constrained && !allowed {
			return fmt.Errorf("a name of kind %d outside the permitted ones", n.kind)
		}
		for _, base := range c.excluded {
			if base.kind != n.kind {
				continue
			}
			if in, err := n.within(base, true); err != nil || in {
				return errors.Join(err, fmt.Errorf("a name of kind %d among the excluded ones", n.kind))
			}
		}
	}
	return nil
}

// within reports whether n lies in the subtree of base. Overlap asks instead whether any name that
// n stands for (a wildcard) does. A name or kind that cannot be judged is an error.
func (n generalName) within(base generalName, overlap bool) (bool, error) {
	switch n.kind {
	case nameEmail:
		return emailWithin(string(n.value), string(base.value))
	case nameHost:
		return hostWithin(string(n.value), string(base.value), overlap)
	case nameDirectory:
		return directoryWithin(n.value, base.value)
	case nameURI:
		return uriWithin(string(n.value), string(base.value))
	case nameIP:
		return ipWithin(n.value, base.value)
	}
	return false, fmt.Errorf("constraints on names of kind %d are not known", n.kind)
}

func (n generalName) checkBase() error {
	ok := true
	switch n.kind {
	case nameEmail, nameURI:
		ok = validMailBase(string(n.value), n.kind == nameEmail)
	case nameHost:
		ok = len(n.value) == 0 || validHost(string(n.value))
	case nameIP:
		ok = validIPBase(n.value)
	case nameDirectory:
		_, err := foldName(n.value)
		return err
	}
	if !ok {
		return fmt.Errorf("a constraint of kind %d that is no name", n.kind)
	}
	return nil
}

func validIPBase(b []byte) bool {
	if len(b) != 8 && len(b) != 32 {
		return false
	}
	mask := b[len(b)/2:]
	ended := false
	for _, octet := range mask {
		for bit := 7; bit >= 0; bit-- {
			one := octet>>bit&1 == 1
			if one && ended {
				return false
			}
			ended = ended || !one
		}
	}
	return true
}

func ipWithin(ip, base []byte) (bool, error) {
	if len(ip) != 4 && len(ip) != 16 {
		return false, errors.New("an address of neither 4 nor 16 octets")
	}
	if 2*len(ip) != len(base) {
		return false, nil
	}
	masked := make([]byte, len(ip))
	want := make([]byte, len(ip))
	for i := range ip {
		masked[i] = ip[i] & base[len(ip)+i]
		want[i] = base[i] & base[len(ip)+i]
	}
	return bytes.Equal(masked, want), nil
}
