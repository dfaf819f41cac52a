package dsig

import (
	"bytes"
	"crypto/subtle"
	"strings"
	"time"

	"senim/algid"
	"senim/pki"
)

// qualifying is QualifyingProperties of one signature: found at its place, its signed half covered.
type qualifying struct {
	node     *node
	signed   *node // SignedProperties
	unsigned *node // UnsignedProperties; nil when absent
	warnings []string
}

// qualifying finds the properties of a signature and compares their digest; nil for a plain signature.
// They must be the only thing in the only Object of this very signature and say so in Target, and
// the reference must lead to them and to nothing else.
func (d *Document) qualifying(s *signature) (*qualifying, error) {
	if s.object == nil {
		return nil, nil
	}
	q, err := propertiesOf(s)
	if err != nil {
		return nil, err
	}
	own, _ := attributeOf(s.node, "Id")
	target, _ := attributeOf(q.node, "Target")
	if own == "" || target != "#"+own {
		return nil, profile("properties are of another signature")
	}
	id, ok := strings.CutPrefix(s.properties.uri, "#")
	if !ok || id == "" || d.ids[id] != q.signed {
		return nil, profile("reference leads to something else than the signed properties of this signature")
	}
	if err := noInstructions(q.signed); err != nil {
		return nil, err
	}
	digest := s.algorithm.Hash().Sum(s.properties.form.canonicalize(q.signed))
	if subtle.ConstantTimeCompare(digest, s.properties.digest) != 1 {
		return nil, ErrDigest
	}
	return q, nil
}

// propertiesOf takes Object apart: QualifyingProperties with SignedProperties and, at most,
// UnsignedProperties after it.
func propertiesOf(s *signature) (*qualifying, error) {
	if err := onlyAttributes(s.object, "Id"); err != nil {
		return nil, err
	}
	list, err := elementsOnly(s.object)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || !list[0].is(spaceXAdES, "QualifyingProperties") {
		return nil, profile("object of the signature holds something else than its properties")
	}
	q := &qualifying{node: list[0]}
	if err := onlyAttributes(q.node, "Id Target"); err != nil {
		return nil, err
	}
	if list, err = elementsOnly(q.node); err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > 2 || !list[0].is(spaceXAdES, "SignedProperties") {
		return nil, profile("no signed properties at their place")
	}
	q.signed = list[0]
	if len(list) == 2 {
		if q.unsigned = list[1]; !q.unsigned.is(spaceXAdES, "UnsignedProperties") {
			return nil, profile("%s stands where unsigned properties may", q.unsigned.local)
		}
	}
	return q, nil
}

// noStrayProperties refuses qualifying properties that belong to no signature: nobody signed them,
// and another reader might take them for those of a signature.
func (d *Document) noStrayProperties() error {
	if !d.root.walk(func(n *node) bool {
		if n.kind != element || n.local != "QualifyingProperties" || !strings.HasPrefix(n.space, "http://uri.etsi.org/01903/") {
			return true
		}
		return n.parent != nil && n.parent.is(spaceDS, "Object") && n.parent.parent != nil && n.parent.parent.is(spaceDS, "Signature")
	}) {
		return profile("qualifying properties stand outside a signature")
	}
	return nil
}

// verify reads the properties of a signature that holds, and checks what they say against the
// certificate it was verified with.
func (q *qualifying) verify(s *signature, cert *pki.Certificate) (*XAdES, error) {
	x := &XAdES{Level: LevelBES}
	if err := q.readSigned(x, cert); err != nil {
		return nil, err
	}
	if q.unsigned != nil {
		if err := q.readUnsigned(x, s); err != nil {
			return nil, err
		}
	}
	if len(x.Timestamps) > 0 {
		x.Level = LevelT
	}
	for _, t := range x.Timestamps {
		if x.SigningTime.After(t.Token.Time) {
			q.warn("the signer claims a later time than the time-stamp")
		}
	}
	x.Warnings = q.warnings
	return x, nil
}

func (q *qualifying) warn(words string) { q.warnings = append(q.warnings, words) }

// notLookedAt warns of a property that is only carried along. Names come from outside and may be long.
func (q *qualifying) notLookedAt(n *node) {
	name := n.local
	if len(name) > 60 {
		name = "with a long name"
	}
	q.warn("property " + name + " was not looked at")
}

// readSigned reads SignedProperties: SignedSignatureProperties and, at most, properties of the data
// objects after them.
func (q *qualifying) readSigned(x *XAdES, cert *pki.Certificate) error {
	if err := onlyAttributes(q.signed, "Id"); err != nil {
		return err
	}
	list, err := elementsOnly(q.signed)
	if err != nil {
		return err
	}
	if len(list) == 0 || len(list) > 2 || !list[0].is(spaceXAdES, "SignedSignatureProperties") ||
		len(list) == 2 && !list[1].is(spaceXAdES, "SignedDataObjectProperties") {
		return profile("signed properties are not of the known parts")
	}
	if len(list) == 2 {
		if err := q.readDataObjects(list[1]); err != nil {
			return err
		}
	}
	return q.readSignedSignature(list[0], x, cert)
}

func (q *qualifying) readSignedSignature(n *node, x *XAdES, cert *pki.Certificate) error {
	if err := onlyAttributes(n, "Id"); err != nil {
		return err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return err
	}
	var moment, named *node
	for _, c := range list {
		switch {
		case c.is(spaceXAdES, "SigningTime") && moment == nil:
			moment = c
		case c.is(spaceXAdES, "SigningCertificateV2") && named == nil:
			named = c
		case c.is(spaceXAdES, "SigningTime"), c.is(spaceXAdES, "SigningCertificateV2"), c.is(spaceXAdES, "SigningCertificate"):
			return profile("%s stands twice, or is of the old form", c.local)
		default:
			q.notLookedAt(c)
		}
	}
	if named == nil {
		return profile("signed properties do not name the certificate")
	}
	if moment == nil {
		q.warn("the signer claims no time")
	} else if err := q.readSigningTime(moment, x); err != nil {
		return err
	}
	return q.readSigningCertificate(named, cert)
}

// readSigningTime reads a moment of XML Schema. One without a zone, or unreadable, claims nothing.
func (q *qualifying) readSigningTime(n *node, x *XAdES) error {
	s, err := textOf(n, "")
	if err != nil {
		return err
	}
	t, err := time.Parse(time.RFC3339, strings.Trim(s, " \t\r\n"))
	if err != nil {
		q.warn("the claimed time cannot be read")
		return nil
	}
	x.SigningTime = t.UTC()
	return nil
}

// readSigningCertificate compares the first certificate named with the one used; the others are
// those of authorities.
func (q *qualifying) readSigningCertificate(n *node, cert *pki.Certificate) error {
	if err := onlyAttributes(n, ""); err != nil {
		return err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return err
	}
	if len(list) == 0 || len(list) > maxNamed || !list[0].is(spaceXAdES, "Cert") {
		return profile("signing certificate is not named as it must be")
	}
	if len(list) > 1 {
		q.warn("certificates named beside that of the signer were not looked at")
	}
	if err := onlyAttributes(list[0], "URI"); err != nil {
		return err
	}
	parts, err := elementsOnly(list[0])
	if err != nil {
		return err
	}
	if len(parts) == 0 || len(parts) > 2 || !parts[0].is(spaceXAdES, "CertDigest") ||
		len(parts) == 2 && !parts[1].is(spaceXAdES, "IssuerSerialV2") {
		return profile("signing certificate is not named as it must be")
	}
	if err := q.readCertDigest(parts[0], cert); err != nil {
		return err
	}
	if len(parts) == 1 {
		return nil
	}
	der, err := base64Of(parts[1], "")
	if err != nil {
		return err
	}
	if s, ok := readIssuerSerial(der); !ok || !s.names(cert) {
		return ErrSigningCertificate
	}
	return nil
}

func (q *qualifying) readCertDigest(n *node, cert *pki.Certificate) error {
	parts, err := children(n, "", "DigestMethod", "DigestValue")
	if err != nil {
		return err
	}
	uri, err := algorithm(parts[0])
	if err != nil {
		return err
	}
	value, err := base64Of(parts[1], "")
	if err != nil {
		return err
	}
	for _, m := range digests {
		if m.uri != uri {
			continue
		}
		if m.hash == algid.SHA1 {
			q.warn("the certificate is named by SHA-1, which is weak")
		}
		if !bytes.Equal(m.hash.Sum(cert.Raw), value) {
			return ErrSigningCertificate
		}
		return nil
	}
	return profile("digest of the signing certificate is not of a known algorithm")
}

// readDataObjects takes a DataObjectFormat, which says how to show what is signed; nobody here acts
// on it. Anything else is warned of.
func (q *qualifying) readDataObjects(n *node) error {
	if err := onlyAttributes(n, "Id"); err != nil {
		return err
	}
	list, err := elementsOnly(n)
	if err != nil {
		return err
	}
	for _, c := range list {
		if !c.is(spaceXAdES, "DataObjectFormat") {
			q.notLookedAt(c)
		}
	}
	return nil
}
