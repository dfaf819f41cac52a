package dsig

import (
	"encoding/base64"
	"fmt"
	"strings"

	"senim/algid"
	"senim/pki"
)

// signature is a Signature element taken apart, strictly: exactly the children and attributes of
// the profile, in their order, no comments, nothing else.
type signature struct {
	node       *node
	info       *node
	infoMethod method
	algorithm  algid.Signature
	uri        string
	enveloped  bool   // the first transform is enveloped-signature
	form       method // the other one
	digest     []byte
	value      []byte
	keyInfo    *node
}

func profile(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProfile, fmt.Sprintf(format, args...))
}

// readSignature takes a Signature element apart. Its names are those of XML Signature 1.0 §4.
func readSignature(n *node) (*signature, error) {
	s := &signature{node: n}
	parts, err := children(n, "Id", "SignedInfo", "SignatureValue", "KeyInfo")
	if err != nil {
		return nil, err
	}
	s.info, s.keyInfo = parts[0], parts[2]
	if s.value, err = base64Of(parts[1], "Id"); err != nil {
		return nil, err
	}
	return s, s.readInfo()
}

// readInfo reads SignedInfo with its one Reference.
func (s *signature) readInfo() error {
	parts, err := children(s.info, "Id", "CanonicalizationMethod", "SignatureMethod", "Reference")
	if err != nil {
		return err
	}
	if s.infoMethod, err = readMethod(parts[0]); err != nil {
		return err
	}
	sigURI, err := algorithm(parts[1])
	if err != nil {
		return err
	}
	ref, err := children(parts[2], "Id URI", "Transforms", "DigestMethod", "DigestValue")
	if err != nil {
		return err
	}
	digestURI, err := algorithm(ref[1])
	if err != nil {
		return err
	}
	for _, m := range methods {
		if m.uri == sigURI && m.digestURI == digestURI {
			s.algorithm = m.signature
		}
	}
	if s.algorithm == 0 {
		return profile("signature and digest algorithms are not allowed together")
	}
	var ok bool
	if s.uri, ok = attributeOf(parts[2], "URI"); !ok {
		return profile("reference has no URI")
	}
	if s.digest, err = base64Of(ref[2], ""); err != nil {
		return err
	}
	return s.readTransforms(ref[0])
}

// readTransforms reads the white list: a canonical form, with enveloped-signature before it or alone.
func (s *signature) readTransforms(n *node) error {
	if err := onlyAttributes(n, ""); err != nil {
		return err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return err
	}
	for _, t := range list {
		if !t.is(spaceDS, "Transform") {
			return profile("%s stands among transforms", t.local)
		}
	}
	if len(list) == 2 {
		uri, err := algorithm(list[0])
		if err != nil {
			return err
		}
		if uri != uriEnveloped {
			return profile("first transform is not allowed")
		}
		s.enveloped, list = true, list[1:]
	}
	if len(list) != 1 {
		return profile("transforms are not allowed")
	}
	s.form, err = readMethod(list[0])
	return err
}

// children gives exactly the ds: children of the names given, in that order; attributes lists the
// attributes n may have.
func children(n *node, attributes string, names ...string) ([]*node, error) {
	if err := onlyAttributes(n, attributes); err != nil {
		return nil, err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return nil, err
	}
	if len(list) != len(names) {
		return nil, profile("%s has %d children, not %s", n.local, len(list), strings.Join(names, ", "))
	}
	for i, name := range names {
		if c := list[i]; !c.is(spaceDS, name) {
			return nil, profile("%s stands in %s where %s must", c.local, n.local, name)
		}
	}
	return list, nil
}

// elementsOnly gives the children of an element that may hold nothing but elements and white space.
func elementsOnly(n *node) ([]*node, error) {
	for _, c := range n.children {
		if c.kind == comment || c.kind == instruction || c.kind == text && strings.Trim(c.text, " \t\r\n") != "" {
			return nil, profile("%s holds something beside elements", n.local)
		}
	}
	return n.elements(), nil
}

// onlyAttributes refuses attributes that are not in the list (space-separated, no namespace).
func onlyAttributes(n *node, allowed string) error {
	for _, a := range n.attrs {
		if a.space != "" || !strings.Contains(" "+allowed+" ", " "+a.local+" ") {
			return profile("attribute %s of %s", a.local, n.local)
		}
	}
	return nil
}

func attributeOf(n *node, local string) (string, bool) {
	for _, a := range n.attrs {
		if a.space == "" && a.local == local {
			return a.value, true
		}
	}
	return "", false
}

// algorithm reads an empty element with its Algorithm.
func algorithm(n *node) (string, error) {
	uri, inner, err := algorithmWith(n)
	if err == nil && len(inner) != 0 {
		err = profile("%s has parameters", n.local)
	}
	return uri, err
}

// algorithmWith reads an element with its Algorithm and gives the elements inside.
func algorithmWith(n *node) (uri string, inner []*node, err error) {
	if err := onlyAttributes(n, "Algorithm"); err != nil {
		return "", nil, err
	}
	if inner, err = elementsOnly(n); err != nil {
		return "", nil, err
	}
	uri, ok := attributeOf(n, "Algorithm")
	if !ok {
		return "", nil, profile("%s names no algorithm", n.local)
	}
	return uri, inner, nil
}

// base64Of reads an element that holds base64 with any white space and nothing else: no comment,
// which would split what is read from what is signed.
func base64Of(n *node, attributes string) ([]byte, error) {
	if err := onlyAttributes(n, attributes); err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, c := range n.children {
		if c.kind != text {
			return nil, profile("%s holds something beside base64", n.local)
		}
		b.WriteString(c.text)
	}
	clean := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(b.String())
	out, err := base64.StdEncoding.Strict().DecodeString(clean)
	if err != nil || len(out) == 0 {
		return nil, profile("%s is not base64", n.local)
	}
	return out, nil
}

// certificate reads KeyInfo/X509Data/X509Certificate, one of each.
func (s *signature) certificate() (*pki.Certificate, error) {
	data, err := children(s.keyInfo, "Id", "X509Data")
	if err != nil {
		return nil, err
	}
	cert, err := children(data[0], "", "X509Certificate")
	if err != nil {
		return nil, err
	}
	return readCertificate(cert[0], "")
}

// readCertificate reads an element that holds a certificate.
func readCertificate(n *node, attributes string) (*pki.Certificate, error) {
	der, err := base64Of(n, attributes)
	if err != nil {
		return nil, err
	}
	return pki.ParseCertificate(der)
}
