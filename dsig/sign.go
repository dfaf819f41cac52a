package dsig

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"

	"senim/algid"
)

// declaration is written before every signed document (agent.md §3.1).
const declaration = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>`

func signEnveloped(rand io.Reader, xml []byte, o Options) ([]byte, error) {
	d, err := parse(xml)
	if err != nil {
		return nil, err
	}
	out, err := d.sign(rand, o, plan{
		infoMethod: uriInclusive, transforms: []string{uriEnveloped, uriInclusiveComments},
		target: d.root, parent: d.root,
	})
	if err != nil {
		return nil, fmt.Errorf("signing XML: %w", err)
	}
	return out, nil
}

func signElement(rand io.Reader, xml []byte, id, parent string, o Options) ([]byte, error) {
	d, err := parse(xml)
	if err != nil {
		return nil, err
	}
	target := d.ids[id]
	if id == "" || target == nil {
		return nil, errors.New("signing XML: no element has that id")
	}
	where := []*node{d.root}
	if parent != "" {
		if where, err = d.find(parent); err != nil {
			return nil, fmt.Errorf("signing XML: %w", err)
		}
	}
	if len(where) != 1 {
		return nil, fmt.Errorf("signing XML: %d elements at %.40q, one is needed", len(where), parent)
	}
	if where[0].inside(target) {
		return nil, errors.New("signing XML: signature would stand inside what it signs")
	}
	out, err := d.sign(rand, o, plan{
		infoMethod: uriExclusive, uri: "#" + id, transforms: []string{uriInclusiveComments},
		target: target, parent: where[0],
	})
	if err != nil {
		return nil, fmt.Errorf("signing XML: %w", err)
	}
	return out, nil
}

// plan says what is signed and where the signature goes.
type plan struct {
	infoMethod     string
	uri            string
	transforms     []string
	target, parent *node
}

// sign makes the signature and puts it into the source bytes. The canonical form of SignedInfo
// depends on what stands around it, so it is taken from the document with the signature in place:
// the bytes signed are those a reader will see.
func (d *Document) sign(rand io.Reader, o Options, ref plan) ([]byte, error) {
	if err := noInstructions(ref.target); err != nil {
		return nil, err
	}
	m, err := o.check()
	if err != nil {
		return nil, err
	}
	l := layout{wrapped: o.Wrapped}
	digest := m.signature.Hash().Sum(method{}.canonicalize(ref.target))
	info := l.signedInfo(ref, m.uri, m.digestURI, digest)
	draft, err := parse(d.insert(ref.parent, l.signature(info, nil, o.Certificate.Raw)))
	if err != nil {
		return nil, err
	}
	placed := draft.signedInfoAt(d.nodeIndex(ref.parent))
	if placed == nil {
		return nil, errors.New("signature did not find its place")
	}
	form, _ := canonicalization(ref.infoMethod)
	value, err := m.signature.Sign(rand, o.Key, form.canonicalize(placed))
	if err != nil {
		return nil, err
	}
	return d.insert(ref.parent, l.signature(info, value, o.Certificate.Raw)), nil
}

// algorithms is one row of the table of methods.
type algorithms struct {
	signature      algid.Signature
	uri, digestURI string
}

// check looks at the options before the key is used.
func (o *Options) check() (algorithms, error) {
	if o.Key == nil || o.Certificate == nil {
		return algorithms{}, errors.New("key and certificate are both needed")
	}
	pub, ok := o.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(o.Certificate.PublicKey) {
		return algorithms{}, errors.New("certificate is not of the key")
	}
	sig, err := algid.SignatureFor(o.Key.Public())
	if err != nil {
		return algorithms{}, err
	}
	for _, m := range methods {
		if m.signature == sig {
			return algorithms{m.signature, m.uri, m.digestURI}, nil
		}
	}
	return algorithms{}, fmt.Errorf("no XML name for %v", sig)
}

// insert gives the document with markup as the last child of parent: the declaration new, the bytes of
// the root as they were, what stood around the root gone.
func (d *Document) insert(parent *node, markup []byte) []byte {
	var b bytes.Buffer
	b.WriteString(declaration)
	b.Write(d.src[d.root.start:parent.openEnd])
	if parent.selfClosed {
		b.Truncate(b.Len() - len("/>"))
		b.WriteByte('>')
		b.Write(markup)
		b.WriteString("</" + parent.name() + ">")
	} else {
		b.Write(d.src[parent.openEnd:parent.closeStart])
		b.Write(markup)
	}
	b.Write(d.src[parent.closeStart:d.root.end])
	return b.Bytes()
}

// nodeIndex numbers the elements in document order: the signature goes in after parent, so the
// number of parent stays.
func (d *Document) nodeIndex(n *node) int {
	i := 0
	d.root.walk(func(c *node) bool {
		if c == n {
			return false
		}
		if c.kind == element {
			i++
		}
		return true
	})
	return i
}

// signedInfoAt gives the SignedInfo of the last child of the element of that number.
func (d *Document) signedInfoAt(index int) *node {
	var parent *node
	d.root.walk(func(c *node) bool {
		if c.kind == element {
			if index == 0 {
				parent = c
				return false
			}
			index--
		}
		return true
	})
	if parent == nil || len(parent.children) == 0 {
		return nil
	}
	last := parent.children[len(parent.children)-1]
	if !last.is(spaceDS, "Signature") || len(last.elements()) == 0 {
		return nil
	}
	return last.elements()[0]
}
