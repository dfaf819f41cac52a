package dsig

// typeSignedProperties is the Type of the reference to signed properties, EN 319 132-1 §4.4.2.
const typeSignedProperties = "http://uri.etsi.org/01903#SignedProperties"

// reference is a Reference taken apart.
type reference struct {
	uri       string
	enveloped bool   // the first transform is enveloped-signature
	form      method // the other one
	digest    []byte
}

// readReference reads a Reference and says by its Type what it is for. All references of a signature
// use one digest.
func (s *signature) readReference(n *node) error {
	parts, err := children(n, "Id URI Type", "Transforms", "DigestMethod", "DigestValue")
	if err != nil {
		return err
	}
	digestURI, err := algorithm(parts[1])
	if err != nil {
		return err
	}
	if s.digestURI != "" && s.digestURI != digestURI {
		return profile("references have different digests")
	}
	s.digestURI = digestURI
	r := &reference{}
	var ok bool
	if r.uri, ok = attributeOf(n, "URI"); !ok {
		return profile("reference has no URI")
	}
	if r.digest, err = base64Of(parts[2], ""); err != nil {
		return err
	}
	if err := r.readTransforms(parts[0]); err != nil {
		return err
	}
	kind, typed := attributeOf(n, "Type")
	switch {
	case !typed && s.covered == nil:
		s.covered = r
	case kind == typeSignedProperties && s.properties == nil && !r.enveloped:
		s.properties = r
	default:
		return profile("reference of an unknown type, or two of one type")
	}
	return nil
}

// readTransforms reads the white list: a canonical form, with enveloped-signature before it or alone.
func (r *reference) readTransforms(n *node) error {
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
		r.enveloped, list = true, list[1:]
	}
	if len(list) != 1 {
		return profile("transforms are not allowed")
	}
	r.form, err = readMethod(list[0])
	return err
}
