package dsig

import (
	"errors"
	"fmt"

	"senim/tsp"
)

// readUnsigned reads UnsignedProperties and checks every time-stamp over the signature. All else
// there is unsigned and may have been put in by anybody: it is carried along with a warning.
func (q *qualifying) readUnsigned(x *XAdES, s *signature) error {
	list, err := q.unsignedSignature()
	if err != nil {
		return err
	}
	for _, c := range list {
		if !c.is(spaceXAdES, "SignatureTimeStamp") {
			q.notLookedAt(c)
			continue
		}
		tokens, err := readTimestamp(c, s)
		if err != nil {
			return err
		}
		if x.Timestamps = append(x.Timestamps, tokens...); len(x.Timestamps) > maxTimestamps {
			return profile("more than %d time-stamps", maxTimestamps)
		}
	}
	return nil
}

// unsignedSignature gives the properties in UnsignedSignatureProperties.
func (q *qualifying) unsignedSignature() ([]*node, error) {
	if err := onlyAttributes(q.unsigned, "Id"); err != nil {
		return nil, err
	}
	parts, err := elementsOnly(q.unsigned)
	if err != nil {
		return nil, err
	}
	if n := len(parts); n > 0 && parts[n-1].is(spaceXAdES, "UnsignedDataObjectProperties") {
		q.notLookedAt(parts[n-1])
		parts = parts[:n-1]
	}
	switch {
	case len(parts) == 0:
		return nil, nil
	case len(parts) > 1 || !parts[0].is(spaceXAdES, "UnsignedSignatureProperties"):
		return nil, profile("unsigned properties are not of the known parts")
	}
	if err := onlyAttributes(parts[0], "Id"); err != nil {
		return nil, err
	}
	return elementsOnly(parts[0])
}

// readTimestamp reads SignatureTimeStamp, EN 319 132-1 §5.3: a canonical form, inclusive when none is
// named, and tokens over SignatureValue in it.
func readTimestamp(n *node, s *signature) ([]Timestamp, error) {
	if err := onlyAttributes(n, "Id"); err != nil {
		return nil, err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return nil, err
	}
	form := method{}
	if len(list) > 0 && list[0].is(spaceDS, "CanonicalizationMethod") {
		if form, err = readMethod(list[0]); err != nil {
			return nil, err
		}
		list = list[1:]
	}
	if len(list) == 0 || len(list) > maxTimestamps {
		return nil, profile("time-stamp holds no token, or too many")
	}
	covered := form.canonicalize(s.valueNode)
	var out []Timestamp
	for _, c := range list {
		if !c.is(spaceXAdES, "EncapsulatedTimeStamp") {
			return nil, profile("%s stands where a time-stamp token must", c.local)
		}
		if e, ok := attributeOf(c, "Encoding"); ok && e != encodingDER && e != encodingBER {
			return nil, profile("encoding of the time-stamp token is not known")
		}
		der, err := base64Of(c, "Id Encoding")
		if err != nil {
			return nil, err
		}
		t, err := checkToken(der, covered)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// checkToken checks a token and that it is over the bytes given.
func checkToken(der, covered []byte) (t Timestamp, err error) {
	if t.Token, err = tsp.ParseToken(der); err != nil {
		return t, err
	}
	if err := t.Token.Covers(covered); err != nil {
		return t, err
	}
	t.Authority, err = t.Token.Verify()
	return t, err
}

// newest finds the signature a time-stamp goes to: the only one, or the last of those under the root,
// since a change of an earlier one would break those made after it.
func (d *Document) newest() (*signature, *qualifying, error) {
	all := d.allSignatures()
	switch {
	case len(all) == 0:
		return nil, nil, ErrUnsigned
	case len(all) > 1 && len(all) != len(d.rootSignatures()):
		return nil, nil, profile("a signature stands elsewhere than under the root")
	}
	s, err := readSignature(all[len(all)-1])
	if err != nil {
		return nil, nil, err
	}
	q, err := d.qualifying(s)
	if err == nil && q == nil {
		err = profile("signature is a plain one: only XAdES takes a time-stamp")
	}
	return s, q, err
}

func (d *Document) timestampInput() ([]byte, error) {
	s, _, err := d.newest()
	if err != nil {
		return nil, err
	}
	return method{}.canonicalize(s.valueNode), nil
}

func addTimestamp(xml, token []byte) ([]byte, error) {
	d, err := parse(xml, Bounds{})
	if err != nil {
		return nil, err
	}
	out, err := d.addTimestamp(token)
	if err != nil {
		return nil, fmt.Errorf("adding a time-stamp: %w", err)
	}
	return out, nil
}

func (d *Document) addTimestamp(token []byte) ([]byte, error) {
	s, q, err := d.newest()
	if err != nil {
		return nil, err
	}
	t, err := checkToken(token, method{}.canonicalize(s.valueNode))
	if err != nil {
		return nil, err
	}
	ds, ok := prefixOf(q.node, spaceDS)
	if !ok {
		return nil, errors.New("no prefix for the names of XML Signature is in force")
	}
	name := func(local string) string { return qualified(q.node.prefix, local) }
	stamp := "<" + name("SignatureTimeStamp") + "><" + qualified(ds, "CanonicalizationMethod") + ` Algorithm="` + uriInclusive + `"/><` +
		name("EncapsulatedTimeStamp") + ">" + layout{}.text(t.Token.Raw()) + "</" + name("EncapsulatedTimeStamp") + "></" + name("SignatureTimeStamp") + ">"
	list := "<" + name("UnsignedSignatureProperties") + ">" + stamp + "</" + name("UnsignedSignatureProperties") + ">"
	if q.unsigned == nil {
		half := "<" + name("UnsignedProperties") + ">" + list + "</" + name("UnsignedProperties") + ">"
		return d.edited(edit{q.signed.end, q.signed.end, half}), nil
	}
	if _, err := q.unsignedSignature(); err != nil {
		return nil, err
	}
	parts := q.unsigned.elements()
	switch {
	case len(parts) > 0 && parts[0].local == "UnsignedSignatureProperties":
		return d.edited(lastChild(parts[0], stamp)), nil
	case q.unsigned.selfClosed:
		return d.edited(lastChild(q.unsigned, list)), nil
	}
	return d.edited(edit{q.unsigned.openEnd, q.unsigned.openEnd, list}), nil
}
