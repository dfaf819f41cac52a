package pki

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// understand reads the extensions we know into the fields of c and notes the critical ones we do
// not.
func (c *Certificate) understand() error {
	for _, e := range c.Extensions {
		known, err := c.understandOne(e)
		if err != nil {
			return fmt.Errorf("extension %v: %w", e.OID, err)
		}
		if e.Critical && !known {
			c.Unhandled = append(c.Unhandled, e.OID)
		}
	}
	return nil
}

func (c *Certificate) understandOne(e Extension) (known bool, err error) {
	switch {
	case e.OID.Equal(extKeyUsage):
		c.KeyUsage, err = readKeyUsage(e.Value)
	case e.OID.Equal(extExtKeyUsage):
		c.ExtKeyUsage, err = readOIDs(e.Value)
	case e.OID.Equal(extBasicConstraints):
		err = c.readBasicConstraints(e.Value)
	case e.OID.Equal(extSubjectKeyID):
		c.SubjectKeyID, err = readWhole(e.Value, cbasn1.OCTET_STRING)
	case e.OID.Equal(extAuthorityKeyID):
		c.AuthorityKeyID, err = readAuthorityKeyID(e.Value)
	case e.OID.Equal(extPolicies):
		c.Policies, err = readPolicies(e.Value)
	case e.OID.Equal(extSubjectAltName):
		c.Emails, c.DNSNames, err = readAltNames(e.Value)
	case e.OID.Equal(extCRLPoints):
		c.CRL, err = readPoints(e.Value)
	case e.OID.Equal(extFreshestCRL):
		c.DeltaCRL, err = readPoints(e.Value)
	case e.OID.Equal(extAuthorityInfo):
		err = c.readAuthorityInfo(e.Value)
	case e.OID.Equal(KeyStore):
		c.Storage, err = readKeyStore(e.Value)
	case e.OID.Equal(extOCSPNoCheck):
		c.NoCheck = true
	case e.OID.Equal(extNameConstraints):
		// Not implemented, so never passed over, critical or not (RFC 5280 4.2.1.10).
		c.Unhandled = append(c.Unhandled, e.OID)
		return true, nil
	default:
		return false, nil
	}
	return true, err
}

// readKeyUsage reads the named bits; the ninth is decipherOnly. At least one must be set (RFC 5280
// 4.2.1.3): none would read as "no restriction".
func readKeyUsage(der []byte) (KeyUsage, error) {
	in := cryptobyte.String(der)
	var bits asn1.BitString
	if !in.ReadASN1BitString(&bits) || !in.Empty() {
		return 0, errDER
	}
	var usage KeyUsage
	for i := range 9 {
		if bits.At(i) != 0 {
			usage |= 1 << i
		}
	}
	if usage == 0 {
		return 0, errors.New("no usage")
	}
	return usage, nil
}

func (c *Certificate) readBasicConstraints(der []byte) error {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil {
		return err
	}
	if !readFlag(&body, &c.IsCA) {
		return errDER
	}
	if body.PeekASN1Tag(cbasn1.INTEGER) {
		if !body.ReadASN1Integer(&c.MaxPathLen) || c.MaxPathLen < 0 {
			return errDER
		}
	}
	if !body.Empty() {
		return errDER
	}
	c.BasicConstraintsValid = true
	return nil
}

// readAuthorityKeyID returns the keyid alone.
func readAuthorityKeyID(der []byte) ([]byte, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil {
		return nil, err
	}
	var id cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&id, &present, context(0)) ||
		!body.SkipOptionalASN1(constructed(1)) || !body.SkipOptionalASN1(context(2)) || !body.Empty() {
		return nil, errDER
	}
	return id, nil
}

func readPolicies(der []byte) ([]asn1.ObjectIdentifier, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, errDER
	}
	var list []asn1.ObjectIdentifier
	for !body.Empty() {
		var item cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !body.ReadASN1(&item, cbasn1.SEQUENCE) || !item.ReadASN1ObjectIdentifier(&oid) ||
			!item.SkipOptionalASN1(cbasn1.SEQUENCE) || !item.Empty() || len(list) == maxNames {
			return nil, errDER
		}
		list = append(list, oid)
	}
	return list, nil
}

// readGeneralNames calls f with the tag and content of every GeneralName.
func readGeneralNames(in cryptobyte.String, f func(cbasn1.Tag, []byte) error) error {
	for n := 0; !in.Empty(); n++ {
		var content cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&content, &tag) || n == maxNames {
			return errDER
		}
		if err := f(tag, content); err != nil {
			return err
		}
	}
	return nil
}

// readAltNames returns the e-mail addresses and host names of a subjectAltName.
func readAltNames(der []byte) (emails, hosts []string, err error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, nil, errDER
	}
	err = readGeneralNames(body, func(tag cbasn1.Tag, content []byte) error {
		if (tag == context(1) || tag == context(2)) && !isASCII(content) {
			return errDER
		}
		switch tag {
		case context(1):
			emails = append(emails, string(content))
		case context(2):
			hosts = append(hosts, string(content))
		}
		return nil
	})
	return emails, hosts, err
}

// readPoints returns the URIs of CRL distribution points, as written: real ones hold line breaks.
func readPoints(der []byte) ([]string, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return nil, errDER
	}
	var list []string
	for !body.Empty() {
		var point, name, full cryptobyte.String
		var named, hasFull bool
		if !body.ReadASN1(&point, cbasn1.SEQUENCE) || !point.ReadOptionalASN1(&name, &named, constructed(0)) ||
			!point.SkipOptionalASN1(context(1)) || !point.SkipOptionalASN1(constructed(2)) || !point.Empty() {
			return nil, errDER
		}
		if !named || !name.ReadOptionalASN1(&full, &hasFull, constructed(0)) || !hasFull {
			continue
		}
		if err := readGeneralNames(full, func(tag cbasn1.Tag, content []byte) error {
			list = appendURI(list, tag, content)
			return nil
		}); err != nil {
			return nil, err
		}
		if !name.Empty() || len(list) > maxNames {
			return nil, errDER
		}
	}
	return list, nil
}

func appendURI(list []string, tag cbasn1.Tag, content []byte) []string {
	if tag == context(6) && isASCII(content) {
		return append(list, string(content))
	}
	return list
}

func (c *Certificate) readAuthorityInfo(der []byte) error {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil || body.Empty() {
		return errDER
	}
	for n := 0; !body.Empty(); n++ {
		var item, content cryptobyte.String
		var method asn1.ObjectIdentifier
		var tag cbasn1.Tag
		if !body.ReadASN1(&item, cbasn1.SEQUENCE) || !item.ReadASN1ObjectIdentifier(&method) ||
			!item.ReadAnyASN1(&content, &tag) || !item.Empty() || n == maxNames {
			return errDER
		}
		switch {
		case method.Equal(accessOCSP):
			c.OCSP = appendURI(c.OCSP, tag, content)
		case method.Equal(accessCAIssuers):
			c.Issuers = appendURI(c.Issuers, tag, content)
		}
	}
	return nil
}

// readKeyStore reads SEQUENCE { kind, info OPTIONAL }; info is a path on someone's disk and dropped.
func readKeyStore(der []byte) (asn1.ObjectIdentifier, error) {
	body, err := readWhole(der, cbasn1.SEQUENCE)
	if err != nil {
		return nil, err
	}
	var kind asn1.ObjectIdentifier
	if !body.ReadASN1ObjectIdentifier(&kind) || !body.SkipOptionalASN1(cbasn1.UTF8String) || !body.Empty() {
		return nil, errDER
	}
	return kind, nil
}
