package algid

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // a key identifier, RFC 5280 4.2.1.2, not a protection
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/gost"
	"senim/internal/ber"
)

// gtHeader stands before x‖y in a GT public key.
var gtHeader = []byte{6, 2, 0, 0, 0x3a, 0xaa, 0, 0, 0x45, 0x43, 0x31, 0, 0, 2, 0, 0}

// maxKeyDER bounds SubjectPublicKeyInfo and PKCS #8 (RSA-8192 needs about 5 KB).
const maxKeyDER = 16 << 10

var errDER = errors.New("not well-formed DER")

// ParsePublicKey reads a DER SubjectPublicKeyInfo. The key is a *[gost.PublicKey], *[rsa.PublicKey],
// *[GTPublicKey] or *[AgreementPublicKey]; points are checked to be on the curve and in the subgroup.
func ParsePublicKey(spki []byte) (crypto.PublicKey, Key, error) {
	kind, content, err := splitSPKI(spki)
	if err != nil {
		return nil, 0, fmt.Errorf("parse public key: %w", err)
	}
	pub, err := readPublicKey(kind, content)
	if err != nil {
		return nil, 0, fmt.Errorf("parse %v public key: %w", kind, err)
	}
	return pub, kind, nil
}

// splitSPKI returns the kind of key and the content of the BIT STRING.
func splitSPKI(spki []byte) (Key, []byte, error) {
	if len(spki) > maxKeyDER {
		return 0, nil, fmt.Errorf("%d bytes are too many", len(spki))
	}
	if err := ber.Check(spki); err != nil {
		return 0, nil, err
	}
	in := cryptobyte.String(spki)
	var body cryptobyte.String
	var bits []byte
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() {
		return 0, nil, errDER
	}
	oid, params, err := ReadIdentifier(&body)
	if err != nil {
		return 0, nil, err
	}
	if !body.ReadASN1BitStringAsBytes(&bits) || !body.Empty() {
		return 0, nil, errDER
	}
	kind, err := keyKind(oid, params)
	return kind, bits, err
}

// keyKind finds the row of the table. GOST parameters must be the registered set; for RSA and GT
// absent equals NULL; those of agreement keys are not settled.
func keyKind(oid asn1.ObjectIdentifier, params []byte) (Key, error) {
	for k := RSA; k <= GOST256Agreement; k++ {
		form := keyForms[k]
		if !form.oid.Equal(oid) {
			continue
		}
		absent := len(params) == 0 && (k == RSA || k == GT)
		if form.params != nil && !absent && !bytes.Equal(params, form.params) {
			return 0, fmt.Errorf("%v with other parameters: %w", k, ErrUnknown)
		}
		return k, nil
	}
	return 0, fmt.Errorf("key %v: %w", oid, ErrUnknown)
}

func readPublicKey(kind Key, content []byte) (crypto.PublicKey, error) {
	switch kind {
	case RSA:
		key, err := x509.ParsePKCS1PublicKey(content)
		if err != nil {
			return nil, err
		}
		return key, checkRSA(key)
	case GT:
		xy, ok := bytes.CutPrefix(content, gtHeader)
		if !ok {
			return nil, errDER
		}
		point, err := gost.NewPublicKey(gost.CryptoProA(), xy)
		if err != nil {
			return nil, err
		}
		return &GTPublicKey{Point: point}, nil
	case GOST512, GOST256, GOST2004:
		in := cryptobyte.String(content)
		var xy cryptobyte.String
		if !in.ReadASN1(&xy, cbasn1.OCTET_STRING) || !in.Empty() {
			return nil, errDER
		}
		key, err := gost.NewPublicKey(keyForms[kind].curve(), xy)
		if err != nil {
			return nil, err
		}
		return key, nil
	case GOST512Agreement, GOST256Agreement:
		point, err := readAgreementPoint(keyForms[kind].curve(), content)
		if err != nil {
			return nil, err
		}
		return &AgreementPublicKey{Point: point}, nil
	}
	return nil, ErrUnknown
}

// readAgreementPoint reads the form signing keys have. That is all that is known of these keys, so
// another form is no damage but something [ErrUnknown].
func readAgreementPoint(curve *gost.Curve, content []byte) (*gost.PublicKey, error) {
	in := cryptobyte.String(content)
	var xy cryptobyte.String
	if !in.ReadASN1(&xy, cbasn1.OCTET_STRING) || !in.Empty() || len(xy) != 2*curve.Size() {
		return nil, ErrUnknown
	}
	return gost.NewPublicKey(curve, xy)
}

// checkRSA keeps the modulus within 2048–8192 bits and the exponent odd, above 1, below 2³².
func checkRSA(key *rsa.PublicKey) error {
	if n := key.N.BitLen(); n < 2048 || n > 8192 {
		return fmt.Errorf("modulus of %d bits", n)
	}
	if key.E < 3 || key.E&1 == 0 || uint64(key.E) >= 1<<32 {
		return fmt.Errorf("exponent %d", key.E)
	}
	return nil
}

// MarshalPublicKey writes the DER SubjectPublicKeyInfo of a *[gost.PublicKey] or *[rsa.PublicKey].
func MarshalPublicKey(pub crypto.PublicKey) ([]byte, error) {
	kind := KeyOf(pub)
	var content []byte
	switch k := pub.(type) {
	case *gost.PublicKey:
		var b cryptobyte.Builder
		b.AddASN1OctetString(k.Bytes())
		content = b.BytesOrPanic()
	case *rsa.PublicKey:
		if err := checkRSA(k); err != nil {
			return nil, fmt.Errorf("marshal public key: %w", err)
		}
		content = x509.MarshalPKCS1PublicKey(k)
	}
	if kind == 0 || content == nil {
		return nil, fmt.Errorf("marshal public key of type %T: %w", pub, ErrUnknown)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(identifier(keyForms[kind].oid, keyForms[kind].params))
		b.AddASN1BitString(content)
	})
	return b.Bytes()
}

// KeyID is the subject key identifier of a key: SHA-1 over the content of the BIT STRING, with the
// inner OCTET STRING header (RFC 5280 4.2.1.2 method 1). Nil for a key that cannot be written.
func KeyID(pub crypto.PublicKey) []byte {
	spki, err := MarshalPublicKey(pub)
	if err != nil {
		return nil
	}
	content, err := PublicKeyBits(spki)
	if err != nil {
		return nil
	}
	sum := sha1.Sum(content)
	return sum[:]
}

// PublicKeyBits is the content of the BIT STRING of a SubjectPublicKeyInfo: what key identifiers
// and OCSP key hashes are made over.
func PublicKeyBits(spki []byte) ([]byte, error) {
	_, bits, err := splitSPKI(spki)
	if err != nil {
		return nil, fmt.Errorf("public key bits: %w", err)
	}
	return bits, nil
}
