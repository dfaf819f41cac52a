package dsig

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"senim/algid"
	"senim/pki"
)

// allSignatures lists every Signature element, wherever it stands.
func (d *Document) allSignatures() []*node {
	var out []*node
	d.root.walk(func(n *node) bool {
		if n.is(spaceDS, "Signature") {
			out = append(out, n)
		}
		return true
	})
	return out
}

// rootSignatures lists the Signature children of the root.
func (d *Document) rootSignatures() []*node {
	var out []*node
	for _, c := range d.root.elements() {
		if c.is(spaceDS, "Signature") {
			out = append(out, c)
		}
	}
	return out
}

func (d *Document) verifyOne() (*Verified, error) {
	if n := len(d.allSignatures()); n > 1 {
		return nil, profile("document has %d signatures, one was expected", n)
	}
	all, err := d.verifyAll()
	if err != nil {
		return nil, err
	}
	return &all[0], nil
}

// verifyAll verifies the last signature, leaves it out, goes on with the one before.
func (d *Document) verifyAll() ([]Verified, error) {
	sigs, all := d.rootSignatures(), d.allSignatures()
	switch {
	case len(all) == 0:
		return nil, ErrUnsigned
	case len(all) != len(sigs):
		return nil, profile("a signature stands elsewhere than under the root")
	case len(sigs) > maxSignatures:
		return nil, profile("more than %d signatures", maxSignatures)
	}
	if err := errors.Join(noInstructions(d.root), d.noStrayProperties()); err != nil {
		return nil, err
	}
	var out []Verified
	stamps := 0
	for i := len(sigs) - 1; i >= 0; i-- {
		v, err := d.verifyEnveloped(sigs[i], sigs[i:])
		if err != nil {
			return nil, fmt.Errorf("signature %d of %d: %w", i+1, len(sigs), err)
		}
		if v.XAdES != nil {
			stamps += len(v.XAdES.Timestamps)
		}
		if stamps > maxAllTimestamps {
			return nil, profile("more than %d time-stamps in the document", maxAllTimestamps)
		}
		out = append(out, *v)
	}
	return out, nil
}

const maxSignatures = 64

// noInstructions refuses processing instructions in what is signed, security.md §2 rule 2.
func noInstructions(n *node) error {
	if !n.walk(func(n *node) bool { return n.kind != instruction }) {
		return profile("processing instruction in the signed part")
	}
	return nil
}

// verifyEnveloped verifies a signature over the whole document without the signatures in skip,
// which are itself and those made after it.
func (d *Document) verifyEnveloped(n *node, skip []*node) (*Verified, error) {
	s, err := readSignature(n)
	if err != nil {
		return nil, err
	}
	if r := s.covered; r.uri != "" || !r.enveloped || s.infoMethod.exclusive || r.form.exclusive {
		return nil, profile("signature is not an enveloped one over the whole document")
	}
	cert, err := s.certificate()
	if err != nil {
		return nil, err
	}
	v := &Verified{Signed: s.covered.form.canonicalize(d.root, skip...), Element: view(d.root, skip...)}
	return d.finish(s, v, cert)
}

// finish compares the digests, verifies the signature over SignedInfo, and then reads the properties
// it covers.
func (d *Document) finish(s *signature, v *Verified, cert *pki.Certificate) (*Verified, error) {
	if subtle.ConstantTimeCompare(s.algorithm.Hash().Sum(v.Signed), s.covered.digest) != 1 {
		return nil, ErrDigest
	}
	q, err := d.qualifying(s)
	if err != nil {
		return nil, err
	}
	info := s.infoMethod.canonicalize(s.info)
	if err := s.algorithm.Verify(cert.PublicKey, info, s.value); err != nil {
		if errors.Is(err, algid.ErrSignature) {
			return nil, ErrSignature
		}
		return nil, err
	}
	v.Certificate, v.Method, v.Weak = cert, s.algorithm, s.algorithm == algid.SHA1WithRSA
	if q != nil {
		if v.XAdES, err = q.verify(s, cert); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (d *Document) verifyElement(p Place) (*Verified, error) {
	parent, err := d.only(p.Parent)
	if err != nil {
		return nil, err
	}
	target, err := d.only(p.Element)
	if err != nil {
		return nil, err
	}
	return d.verifyByID(parent, target, false, (*signature).certificate)
}

// verifyByID verifies the only signature of the document, which must stand in parent and cover
// target by its id, in the canonical form of the profile: exclusive or inclusive.
func (d *Document) verifyByID(parent, target *node, exclusive bool, key func(*signature) (*pki.Certificate, error)) (*Verified, error) {
	all := d.allSignatures()
	switch {
	case len(all) == 0:
		return nil, ErrUnsigned
	case len(all) > 1:
		return nil, profile("document has %d signatures, one was expected", len(all))
	case all[0].parent != parent:
		return nil, profile("signature stands elsewhere than in %s", parent.local)
	case all[0].inside(target) || target.inside(all[0]):
		return nil, profile("signature and what it signs stand in one another")
	}
	s, err := readSignature(all[0])
	if err != nil {
		return nil, err
	}
	id, ok := strings.CutPrefix(s.covered.uri, "#")
	if !ok || id == "" || d.ids[id] != target {
		return nil, profile("signature refers to something else than %s", target.local)
	}
	if s.covered.enveloped || !s.infoMethod.exclusive || s.covered.form.exclusive != exclusive {
		return nil, profile("signature is not one over an element")
	}
	if err := errors.Join(noInstructions(target), d.noStrayProperties()); err != nil {
		return nil, err
	}
	cert, err := key(s)
	if err != nil {
		return nil, err
	}
	return d.finish(s, &Verified{Signed: s.covered.form.canonicalize(target), Element: view(target), ID: id}, cert)
}

func (d *Document) signersClaimed() []*pki.Certificate {
	var out []*pki.Certificate
	for _, n := range d.allSignatures() {
		s, err := readSignature(n)
		if err != nil {
			continue
		}
		c, err := s.certificate()
		if err != nil {
			c, err = s.keyIdentifier()
		}
		if err == nil && len(out) < maxSignatures {
			out = append(out, c)
		}
	}
	return out
}
