package cms

import (
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// Attributes of RFC 5652 §11, RFC 5035 and RFC 5126.
var (
	oidContentType          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidTimestamp            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
)

const maxAttributes = 64

// readSigner reads a SignerInfo, RFC 5652 §5.3.
func readSigner(raw []byte) (*Signer, error) {
	s := &Signer{raw: raw}
	in := cryptobyte.String(raw)
	var info, attrs, unsigned cryptobyte.String
	var version int
	var hasSigned, hasUnsigned bool
	var err error
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() || !info.ReadASN1Integer(&version) ||
		!s.readID(&info) {
		return nil, errShape
	}
	if s.Hash, err = algid.ReadHash(&info); err != nil {
		return nil, err
	}
	if !info.ReadOptionalASN1(&attrs, &hasSigned, tag0) {
		return nil, errShape
	}
	if s.SignatureOID, _, err = algid.ReadIdentifier(&info); err != nil {
		return nil, err
	}
	if !info.ReadASN1Bytes(&s.SignatureValue, cbasn1.OCTET_STRING) ||
		!info.ReadOptionalASN1(&unsigned, &hasUnsigned, tag1) || !info.Empty() {
		return nil, errShape
	}
	if hasSigned {
		s.HasSignedAttributes = true
		if err := s.readSigned(attrs); err != nil {
			return nil, err
		}
		s.SigningCertificate = len(s.ess) > 0
	}
	return s, s.readUnsigned(unsigned)
}

// readID reads SignerIdentifier.
func (s *Signer) readID(info *cryptobyte.String) bool {
	if info.PeekASN1Tag(tag0Primitive) {
		return info.ReadASN1Bytes(&s.SubjectKeyID, tag0Primitive)
	}
	var id, issuer cryptobyte.String
	s.Serial = new(big.Int)
	if !info.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1Element(&issuer, cbasn1.SEQUENCE) ||
		!id.ReadASN1Integer(s.Serial) || !id.Empty() {
		return false
	}
	s.Issuer = issuer
	return true
}

// readSigned reads the signed attributes and keeps the bytes that are signed: DER of a SET
// (RFC 5652 §5.4). An attribute twice, or one that must have one value with another number of
// them, is refused.
func (s *Signer) readSigned(set cryptobyte.String) error {
	list, err := elements(set, maxAttributes)
	if err != nil {
		return err
	}
	if s.Attributes, err = readAttributes(list); err != nil {
		return err
	}
	s.SignedAttributes, err = setOf(list)
	if err != nil {
		return err
	}
	for i, a := range s.Attributes {
		if slices.ContainsFunc(s.Attributes[:i], func(b Attribute) bool { return a.OID.Equal(b.OID) }) {
			return errors.New("signed attribute is repeated")
		}
		if err := s.readAttribute(a); err != nil {
			return err
		}
	}
	return nil
}

// readAttributes splits attributes into identifier and values.
func readAttributes(list [][]byte) ([]Attribute, error) {
	var out []Attribute
	for _, raw := range list {
		in := cryptobyte.String(raw)
		var body, values cryptobyte.String
		var a Attribute
		var err error
		if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() ||
			!body.ReadASN1ObjectIdentifier(&a.OID) || !body.ReadASN1(&values, cbasn1.SET) || !body.Empty() {
			return nil, errShape
		}
		if a.Values, err = elements(values, maxAttributes); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// readAttribute takes what we know out of one signed attribute, which must have one value.
func (s *Signer) readAttribute(a Attribute) error {
	read := s.readerOf(a.OID)
	if read == nil {
		return nil
	}
	if len(a.Values) == 1 {
		value := cryptobyte.String(a.Values[0])
		if read(&value) && value.Empty() {
			return nil
		}
	}
	return errors.New("signed attribute cannot be read: " + a.OID.String())
}

// readerOf tells how to read the value of an attribute; nil for those we do not know.
func (s *Signer) readerOf(oid asn1.ObjectIdentifier) func(*cryptobyte.String) bool {
	switch {
	case oid.Equal(oidContentType):
		return func(v *cryptobyte.String) bool { return v.ReadASN1ObjectIdentifier(&s.ContentType) }
	case oid.Equal(oidMessageDigest):
		return func(v *cryptobyte.String) bool { return v.ReadASN1Bytes(&s.MessageDigest, cbasn1.OCTET_STRING) }
	case oid.Equal(oidSigningTime):
		return func(v *cryptobyte.String) bool { return readTime(v, &s.SigningTime) }
	case oid.Equal(oidSigningCertificate):
		return func(v *cryptobyte.String) bool { return s.readESS(v, false) }
	case oid.Equal(oidSigningCertificateV2):
		return func(v *cryptobyte.String) bool { return s.readESS(v, true) }
	}
	return nil
}

// readTime reads Time, RFC 5652 §11.3.
func readTime(in *cryptobyte.String, t *time.Time) bool {
	if in.PeekASN1Tag(cbasn1.UTCTime) {
		return in.ReadASN1UTCTime(t)
	}
	return in.ReadASN1GeneralizedTime(t)
}

// readUnsigned reads the unsigned attributes. Nothing proves them; the tokens inside prove themselves.
func (s *Signer) readUnsigned(set cryptobyte.String) error {
	list, err := elements(set, maxAttributes)
	if err != nil {
		return err
	}
	if s.Unsigned, err = readAttributes(list); err != nil {
		return err
	}
	for _, a := range s.Unsigned {
		if a.OID.Equal(oidTimestamp) {
			s.Timestamps = append(s.Timestamps, a.Values...)
		}
	}
	return nil
}
