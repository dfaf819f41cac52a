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
	digestURI  string
	covered    *reference // what is signed
	properties *reference // signed properties of XAdES; nil in a plain signature
	valueNode  *node
	value      []byte
	keyInfo    *node
	object     *node // holds the properties; nil in a plain signature
}

func profile(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProfile, fmt.Sprintf(format, args...))
}

// readSignature takes a Signature element apart. Its names are those of XML Signature 1.0 §4. An
// Object is taken only together with a reference to signed properties, which are looked at later.
func readSignature(n *node) (*signature, error) {
	s := &signature{node: n}
	names := []string{"SignedInfo", "SignatureValue", "KeyInfo"}
	if list := n.elements(); len(list) == len(names)+1 {
		names, s.object = append(names, "Object"), list[len(names)]
	}
	parts, err := children(n, "Id", names...)
	if err != nil {
		return nil, err
	}
	s.info, s.valueNode, s.keyInfo = parts[0], parts[1], parts[2]
	if s.value, err = base64Of(s.valueNode, "Id"); err != nil {
		return nil, err
	}
	return s, s.readInfo()
}

// readInfo reads SignedInfo with its one Reference; with two when there are properties.
func (s *signature) readInfo() error {
	names := []string{"CanonicalizationMethod", "SignatureMethod", "Reference"}
	if s.object != nil {
		names = append(names, "Reference")
	}
	parts, err := children(s.info, "Id", names...)
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
	for _, n := range parts[2:] {
		if err := s.readReference(n); err != nil {
			return err
		}
	}
	if s.covered == nil || (s.object == nil) != (s.properties == nil) {
		return profile("references are not one to what is signed, and one to its properties if there are any")
	}
	for _, m := range methods {
		if m.uri == sigURI && m.digestURI == s.digestURI {
			s.algorithm = m.signature
		}
	}
	if s.algorithm == 0 {
		return profile("signature and digest algorithms are not allowed together")
	}
	return nil
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

// textOf reads an element that holds text and nothing else: no comment, which would split what is
// read from what is signed.
func textOf(n *node, attributes string) (string, error) {
	if err := onlyAttributes(n, attributes); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, c := range n.children {
		if c.kind != text {
			return "", profile("%s holds something beside text", n.local)
		}
		b.WriteString(c.text)
	}
	return b.String(), nil
}

// base64Of reads an element that holds base64 with any white space and nothing else.
func base64Of(n *node, attributes string) ([]byte, error) {
	s, err := textOf(n, attributes)
	if err != nil {
		return nil, err
	}
	clean := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s)
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
