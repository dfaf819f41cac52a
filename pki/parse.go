package pki

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// ParseCertificate reads one DER certificate; nothing may follow it. It keeps der: do not change it
// afterwards. A key or signature algorithm outside the table does not fail here but leaves Key,
// PublicKey and Signature zero, so nothing verifies with it.
func ParseCertificate(der []byte) (*Certificate, error) {
	c, err := parseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return c, nil
}

func parseCertificate(der []byte) (*Certificate, error) {
	tbs, outer, value, err := readSigned(der, maxCertificate)
	if err != nil {
		return nil, err
	}
	c := &Certificate{Raw: der, RawTBS: tbs, SignatureValue: value, MaxPathLen: -1}
	body, err := inside(tbs, cbasn1.SEQUENCE)
	if err != nil {
		return nil, err
	}
	version, err := readVersion(&body)
	if err != nil {
		return nil, err
	}
	if c.Serial, err = readSerial(&body); err != nil {
		return nil, err
	}
	if c.Signature, err = readAlgorithms(&body, outer); err != nil {
		return nil, err
	}
	if err := c.readNames(&body); err != nil {
		return nil, err
	}
	if err := c.readKey(&body); err != nil {
		return nil, err
	}
	if version >= 1 && (!body.SkipOptionalASN1(context(1)) || !body.SkipOptionalASN1(context(2))) {
		return nil, errDER
	}
	if version == 2 {
		if c.Extensions, err = readExtensions(&body, constructed(3)); err != nil {
			return nil, err
		}
	}
	if !body.Empty() {
		return nil, errDER
	}
	return c, c.understand()
}

// readVersion takes the version: 0 when absent; a written 0 is not DER.
func readVersion(in *cryptobyte.String) (int, error) {
	var wrapped cryptobyte.String
	var present bool
	var version int
	if !in.ReadOptionalASN1(&wrapped, &present, constructed(0)) {
		return 0, errDER
	}
	if !present {
		return 0, nil
	}
	if !wrapped.ReadASN1Integer(&version) || !wrapped.Empty() || version < 1 || version > 2 {
		return 0, errors.New("version not known")
	}
	return version, nil
}

// readAlgorithms compares the inner identifier with the outer one: same algorithm, NULL and absent
// equal. An algorithm outside the table gives zero.
func readAlgorithms(in *cryptobyte.String, outer cryptobyte.String) (algid.Signature, error) {
	innerOID, _, err := algid.ReadIdentifier(ptr(*in))
	if err != nil {
		return 0, err
	}
	inner, innerErr := algid.ReadSignature(in)
	outerOID, _, err := algid.ReadIdentifier(ptr(outer))
	if err != nil {
		return 0, err
	}
	if !innerOID.Equal(outerOID) {
		return 0, errors.New("inner and outer signature algorithms differ")
	}
	if _, err := algid.ReadSignature(&outer); err != nil || innerErr != nil {
		return 0, nil //nolint:nilerr // outside the table: nothing will verify
	}
	return inner, nil
}

func ptr(s cryptobyte.String) *cryptobyte.String { return &s }

func (c *Certificate) readNames(in *cryptobyte.String) error {
	var ok bool
	var err error
	var validity cryptobyte.String
	if c.RawIssuer, ok = readSequence(in); !ok {
		return errDER
	}
	if c.Issuer, err = ParseName(c.RawIssuer); err != nil {
		return err
	}
	if !in.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return errDER
	}
	if c.NotBefore, err = readTime(&validity); err != nil {
		return err
	}
	if c.NotAfter, err = readTime(&validity); err != nil {
		return err
	}
	if !validity.Empty() {
		return errDER
	}
	if c.RawSubject, ok = readSequence(in); !ok {
		return errDER
	}
	c.Subject, err = ParseName(c.RawSubject)
	return err
}

func (c *Certificate) readKey(in *cryptobyte.String) error {
	var ok bool
	if c.RawSPKI, ok = readSequence(in); !ok {
		return errDER
	}
	var err error
	c.PublicKey, c.Key, err = readPublicKey(c.RawSPKI)
	return err
}

// readPublicKey lets keys of other algorithms through as nil.
func readPublicKey(spki []byte) (pub any, kind algid.Key, err error) {
	pub, kind, err = algid.ParsePublicKey(spki)
	if errors.Is(err, algid.ErrUnknown) {
		return nil, 0, nil
	}
	return pub, kind, err
}

// readExtensions takes the SEQUENCE of extensions inside an optional explicit tag. No extension may
// come twice.
func readExtensions(in *cryptobyte.String, tag cbasn1.Tag) ([]Extension, error) {
	var wrapped cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&wrapped, &present, tag) {
		return nil, errDER
	}
	if !present {
		return nil, nil
	}
	list, err := readExtensionList(&wrapped)
	if err == nil && !wrapped.Empty() {
		err = errDER
	}
	return list, err
}

func readExtensionList(in *cryptobyte.String) ([]Extension, error) {
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || body.Empty() {
		return nil, errDER
	}
	var list []Extension
	for !body.Empty() {
		var item, value cryptobyte.String
		var e Extension
		if !body.ReadASN1(&item, cbasn1.SEQUENCE) || !item.ReadASN1ObjectIdentifier(&e.OID) ||
			!readFlag(&item, &e.Critical) ||
			!item.ReadASN1(&value, cbasn1.OCTET_STRING) || !item.Empty() {
			return nil, errDER
		}
		if _, twice := findExtension(list, e.OID); twice {
			return nil, fmt.Errorf("extension %v twice", e.OID)
		}
		e.Value = value
		if list = append(list, e); len(list) > maxExtensions {
			return nil, errors.New("too many extensions")
		}
	}
	return list, nil
}

func findExtension(list []Extension, oid asn1.ObjectIdentifier) (Extension, bool) {
	for _, e := range list {
		if e.OID.Equal(oid) {
			return e, true
		}
	}
	return Extension{}, false
}
