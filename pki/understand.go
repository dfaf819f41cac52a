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
		if e.Critical && (!known || neverCritical(e.OID)) {
			c.Unhandled = append(c.Unhandled, e.OID)
		}
	}
	return nil
}

// neverCritical tells the extensions RFC 5280 says must not be critical: 4.2.1.1, 4.2.1.2, 4.2.2.1.
func neverCritical(oid asn1.ObjectIdentifier) bool {
	return oid.Equal(extAuthorityKeyID) || oid.Equal(extSubjectKeyID) || oid.Equal(extAuthorityInfo)
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
		c.altNames, err = readAltNames(e.Value)
		c.Emails, c.DNSNames = texts(c.altNames, nameEmail), texts(c.altNames, nameHost)
	case e.OID.Equal(extCRLPoints):
		c.CRL, c.points, err = readPoints(e.Value)
	case e.OID.Equal(extFreshestCRL):
		c.DeltaCRL, _, err = readPoints(e.Value)
	case e.OID.Equal(extAuthorityInfo):
		err = c.readAuthorityInfo(e.Value)
	case e.OID.Equal(KeyStore):
		c.Storage, err = readKeyStore(e.Value)
	case e.OID.Equal(extOCSPNoCheck):
		c.NoCheck = true
	case e.OID.Equal(extNameConstraints):
		c.constraints, err = readNameConstraints(e.Value)
	case e.OID.Equal(extPolicyMappings):
		c.policy.mappings, err = readMappings(e.Value)
	case e.OID.Equal(extPolicyConstraints):
		err = c.policy.readPolicyConstraints(e.Value)
	case e.OID.Equal(extInhibitAnyPolicy):
		err = c.policy.readInhibitAny(e.Value)
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
