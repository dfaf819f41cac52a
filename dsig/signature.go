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
	transforms []string
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
	uri, err := algorithm(parts[0])
	if err != nil {
		return err
	}
	var ok bool
	if s.infoMethod, ok = canonicalization(uri); !ok {
		return profile("canonicalization method is not allowed")
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
	if s.uri, ok = attributeOf(parts[2], "URI"); !ok {
		return profile("reference has no URI")
	}
	if s.digest, err = base64Of(ref[2], ""); err != nil {
		return err
	}
	return s.readTransforms(ref[0])
}

func (s *signature) readTransforms(n *node) error {
	if err := onlyAttributes(n, ""); err != nil {
		return err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return err
	}
	for _, t := range list {
		if !t.is(spaceDS, "Transform") || len(s.transforms) == 2 {
			return profile("transforms are not allowed")
		}
		uri, err := algorithm(t)
		if err != nil {
			return err
		}
		s.transforms = append(s.transforms, uri)
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
	for i, c := range list {
		if !c.is(spaceDS, names[i]) {
			return nil, profile("%s stands in %s where %s must", c.local, n.local, names[i])
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
	if err := onlyAttributes(n, "Algorithm"); err != nil {
		return "", err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return "", err
	}
	uri, ok := attributeOf(n, "Algorithm")
	if !ok || len(list) != 0 {
		return "", profile("%s must be an algorithm without parameters", n.local)
	}
	return uri, nil
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
