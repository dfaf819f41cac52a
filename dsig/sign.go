package dsig

import (
	"bytes"
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"

	"senim/algid"
	"senim/pki"
)

// declaration is written before every signed document (agent.md §3.1).
const declaration = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>`

func signEnveloped(rand io.Reader, xml []byte, o Options) ([]byte, error) {
	d, err := parse(xml, o.Bounds)
	if err != nil {
		return nil, err
	}
	out, err := d.sign(rand, o, plan{
		infoMethod: uriInclusive, transforms: []string{uriEnveloped, uriInclusiveComments},
		target: d.root, parent: d.root, keyInfo: layout.x509Data,
	})
	if err != nil {
		return nil, fmt.Errorf("signing XML: %w", err)
	}
	return out, nil
}

func signElement(rand io.Reader, xml []byte, id, parent string, o Options) ([]byte, error) {
	d, err := parse(xml, o.Bounds)
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
		target: target, parent: where[0], keyInfo: layout.x509Data,
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
	transforms     []string // the last is the canonical form
	target, parent *node
	keyInfo        func(layout, *pki.Certificate) string
}

// covered is the reference to the target, with its digest.
func (p plan) covered(h algid.Hash) pointer {
	form, _ := canonicalization(p.transforms[len(p.transforms)-1])
	return pointer{uri: p.uri, transforms: p.transforms, digest: h.Sum(form.canonicalize(p.target))}
}

// sign makes the signature and puts it into the source bytes. The canonical forms of SignedInfo and
// of the signed properties depend on what stands around them, so they are taken from the document
// with the signature in place: the bytes signed are those a reader will see.
func (d *Document) sign(rand io.Reader, o Options, p plan) ([]byte, error) {
	if err := noInstructions(p.target); err != nil {
		return nil, err
	}
	m, err := o.check()
	if err != nil {
		return nil, err
	}
	l, hash := layout{wrapped: o.Wrapped}, m.signature.Hash()
	form, _ := canonicalization(p.infoMethod)
	pointers := []pointer{p.covered(hash)}
	sig := markup{layout: l, keyInfo: p.keyInfo(l, o.Certificate)}
	if !o.SigningTime.IsZero() {
		q, err := newProperties(rand, o, m)
		if err != nil {
			return nil, err
		}
		properties := pointer{kind: typeSignedProperties, uri: "#" + q.id, transforms: []string{p.infoMethod}}
		sig.id, sig.object = q.target, l.object(q)
		sig.info = l.signedInfo(p.infoMethod, m, append(pointers, properties))
		draft, _, err := d.place(p.parent, sig)
		if err != nil {
			return nil, err
		}
		properties.digest = hash.Sum(form.canonicalize(draft.ids[q.id]))
		pointers = append(pointers, properties)
	}
	sig.info = l.signedInfo(p.infoMethod, m, pointers)
	_, placed, err := d.place(p.parent, sig)
	if err != nil {
		return nil, err
	}
	if sig.value, err = m.signature.Sign(rand, o.Key, form.canonicalize(placed.elements()[0])); err != nil {
		return nil, err
	}
	return d.insert(p.parent, sig.bytes()), nil
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

// edit replaces some bytes of the source.
type edit struct {
	from, to int
	with     string
}

// lastChild is the edit that puts markup into an element, after everything that is there.
func lastChild(parent *node, markup string) edit {
	if parent.selfClosed {
		return edit{parent.openEnd - len("/>"), parent.openEnd, ">" + markup + "</" + parent.name() + ">"}
	}
	return edit{parent.closeStart, parent.closeStart, markup}
}

// edited gives the document with edits made, which must not overlap: the declaration new, the bytes
// of the root as they were, what stood around the root gone.
func (d *Document) edited(edits ...edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var b bytes.Buffer
	b.WriteString(declaration)
	at := d.root.start
	for _, e := range edits {
		b.Write(d.src[at:e.from])
		b.WriteString(e.with)
		at = e.to
	}
	b.Write(d.src[at:d.root.end])
	return b.Bytes()
}

// insert gives the document with markup as the last child of parent.
func (d *Document) insert(parent *node, markup []byte) []byte {
	return d.edited(lastChild(parent, string(markup)))
}

// grown are the bounds of the document with a signature in it: one that was taken can be signed.
func (d *Document) grown() Bounds {
	b := d.bound
	b.Size += 64 << 10
	b.Nodes += 100
	return b
}

// place parses the document with a draft of the signature in it and gives its element there.
func (d *Document) place(parent *node, sig markup) (*Document, *node, error) {
	draft, err := parse(d.insert(parent, sig.bytes()), d.grown())
	if err != nil {
		return nil, nil, err
	}
	placed := draft.lastSignatureIn(d.nodeIndex(parent))
	if placed == nil {
		return nil, nil, errors.New("signature did not find its place")
	}
	return draft, placed, nil
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

// lastSignatureIn gives the Signature that is the last child of the element of that number.
func (d *Document) lastSignatureIn(index int) *node {
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
	return last
}
