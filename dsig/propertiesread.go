package dsig

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"senim/algid"
	"senim/pki"
)

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
		if t.Token.Imprint.Hash == algid.SHA1 {
			q.warn("the time-stamp is over a SHA-1 digest, which is weak")
		}
	}
	x.Warnings = q.warnings
	return x, nil
}

// warn says everything once.
func (q *qualifying) warn(words string) {
	if !slices.Contains(q.warnings, words) {
		q.warnings = append(q.warnings, words)
	}
}

const maxNames = 8

// notLookedAt warns of a property that is only carried along. Names come from outside: they may be
// long, and many.
func (q *qualifying) notLookedAt(n *node) {
	words := "property " + n.local + " was not looked at"
	switch {
	case len(n.local) > 60:
		words = "property with a long name was not looked at"
	case slices.Contains(q.warnings, words):
	case q.names == maxNames:
		words = "further properties were not looked at"
	default:
		q.names++
	}
	q.warn(words)
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
