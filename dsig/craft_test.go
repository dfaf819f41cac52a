package dsig

import (
	"strings"
	"testing"

	"senim/internal/pkitest"
)

// craft makes XAdES signatures as others write them, or as an attacker who has a key: everything in
// them is signed as it should be, and only the shape is changed.
type craft struct {
	leaf     *pkitest.Leaf
	object   func(string) string // of Object, before its digest is taken
	info     func(string) string // of SignedInfo, before it is signed
	unlisted bool                // no reference to the properties
	form     string              // canonical form of the properties; "" is the inclusive one
	nameless bool                // no Id on the signature
	part     string              // id of what is signed; "" is the whole document
	change   func(*plan)         // of what is signed and how
}

// sign signs the document or the part.
func (c craft) sign(t testing.TB, xml string) string {
	t.Helper()
	d := parsed(t, xml)
	o := Options{Key: c.leaf.Key, Certificate: c.leaf.Certificate, SigningTime: moment}
	m, err := o.check()
	if err != nil {
		t.Fatal(err)
	}
	q, err := newProperties(random, o, m)
	if err != nil {
		t.Fatal(err)
	}
	p := plan{infoMethod: uriInclusive, transforms: []string{uriEnveloped, uriInclusiveComments}, target: d.root, parent: d.root}
	if c.part != "" {
		p = plan{infoMethod: uriExclusive, uri: "#" + c.part, transforms: []string{uriInclusiveComments}, target: d.ids[c.part], parent: d.root}
	}
	if c.change != nil {
		c.change(&p)
	}
	infoForm, _ := canonicalization(p.infoMethod)
	if c.nameless {
		q.target = ""
	}
	sig := markup{id: q.target, keyInfo: layout{}.x509Data(c.leaf.Certificate), object: change(c.object, layout{}.object(q))}
	sig.info = sig.signedInfo(p.infoMethod, m, nil)
	draft, _, err := d.place(d.root, sig)
	if err != nil {
		t.Fatal(err)
	}
	if c.form == "" {
		c.form = uriInclusive
	}
	pointers := []pointer{p.covered(m.signature.Hash())}
	if n := draft.ids[q.id]; !c.unlisted && n != nil {
		form, _ := canonicalization(c.form)
		pointers = append(pointers, pointer{kind: typeSignedProperties, uri: "#" + q.id, transforms: []string{c.form}, digest: m.signature.Hash().Sum(form.canonicalize(n))})
	}
	sig.info = change(c.info, sig.signedInfo(p.infoMethod, m, pointers))
	_, placed, err := d.place(d.root, sig)
	if err != nil {
		t.Fatal(err)
	}
	if sig.value, err = m.signature.Sign(random, c.leaf.Key, infoForm.canonicalize(placed.elements()[0])); err != nil {
		t.Fatal(err)
	}
	return string(d.insert(d.root, sig.bytes()))
}

func change(f func(string) string, s string) string {
	if f == nil {
		return s
	}
	return f(s)
}

// swap makes a function that replaces one thing, which must be there.
func swap(t testing.TB, old, with string) func(string) string {
	return func(s string) string {
		t.Helper()
		if !strings.Contains(s, old) {
			t.Fatalf("nothing to replace: %s in\n%s", old, s)
		}
		return strings.Replace(s, old, with, 1)
	}
}
