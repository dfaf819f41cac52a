package algid

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/gost"
	"senim/internal/ber"
)

// ParsePrivateKey reads an unencrypted DER PKCS #8 key: *[gost.PrivateKey] or *[rsa.PrivateKey].
// The attributes NCA never writes ([0], RFC 5958) are skipped.
func ParsePrivateKey(pkcs8 []byte) (crypto.Signer, error) {
	kind, content, err := splitPKCS8(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("parse private key: %w", err)
	}
	key, err := readPrivateKey(kind, content)
	if err != nil {
		return nil, fmt.Errorf("parse %v private key: %w", kind, err)
	}
	return key, nil
}

func splitPKCS8(pkcs8 []byte) (Key, []byte, error) {
	if len(pkcs8) > maxKeyDER {
		return 0, nil, fmt.Errorf("%d bytes are too many", len(pkcs8))
	}
	if err := ber.Check(pkcs8); err != nil {
		return 0, nil, err
	}
	in := cryptobyte.String(pkcs8)
	var body, content cryptobyte.String
	var version int
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() ||
		!body.ReadASN1Integer(&version) || version < 0 || version > 1 {
		return 0, nil, errDER
	}
	oid, params, err := ReadIdentifier(&body)
	if err != nil {
		return 0, nil, err
	}
	if !body.ReadASN1(&content, cbasn1.OCTET_STRING) ||
		!body.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!body.SkipOptionalASN1(cbasn1.Tag(1).ContextSpecific()) || !body.Empty() {
		return 0, nil, errDER
	}
	kind, err := keyKind(oid, params)
	return kind, content, err
}

func readPrivateKey(kind Key, content []byte) (crypto.Signer, error) {
	switch kind {
	case RSA:
		key, err := x509.ParsePKCS1PrivateKey(content)
		if err != nil {
			return nil, err
		}
		return key, checkRSA(&key.PublicKey)
	case GOST512, GOST256, GOST2004:
		curve := keyForms[kind].curve()
		d, err := readScalar(content, curve.Size())
		if err != nil {
			return nil, err
		}
		key, err := gost.NewPrivateKey(curve, d)
		if err != nil {
			return nil, err
		}
		return key, nil
	case GT, GOST512Agreement, GOST256Agreement:
	}
	return nil, ErrUnknown
}

// readScalar reads either inner form of a GOST key and returns size bytes little-endian: an OCTET
// STRING is little-endian already, an INTEGER is big-endian with a leading zero when needed.
func readScalar(content []byte, size int) ([]byte, error) {
	if err := ber.Check(content); err != nil {
		return nil, err
	}
	in := cryptobyte.String(content)
	var d cryptobyte.String
	if in.PeekASN1Tag(cbasn1.OCTET_STRING) {
		if !in.ReadASN1(&d, cbasn1.OCTET_STRING) || !in.Empty() || len(d) != size {
			return nil, errDER
		}
		return d, nil
	}
	if !in.ReadASN1(&d, cbasn1.INTEGER) || !in.Empty() || len(d) == 0 || d[0]&0x80 != 0 || len(d) > size+1 {
		return nil, errDER
	}
	if len(d) == size+1 {
		if d[0] != 0 {
			return nil, errDER
		}
		d = d[1:]
	}
	le := make([]byte, size)
	copy(le, d)
	slices.Reverse(le[:len(d)])
	return le, nil
}

// MarshalPrivateKey writes DER PKCS #8: version 0, no attributes; GOST512 and GOST256 as OCTET
// STRING little-endian, GOST2004 as INTEGER. The result is a secret: wipe it after use.
func MarshalPrivateKey(key crypto.Signer) ([]byte, error) {
	kind := KeyOf(key.Public())
	var content []byte
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if err := checkRSA(&k.PublicKey); err != nil {
			return nil, fmt.Errorf("marshal private key: %w", err)
		}
		content = x509.MarshalPKCS1PrivateKey(k)
	case *gost.PrivateKey:
		content = writeScalar(kind, k.Bytes())
	default:
		return nil, fmt.Errorf("marshal private key of type %T: %w", key, ErrUnknown)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddBytes(identifier(keyForms[kind].oid, keyForms[kind].params))
		b.AddASN1OctetString(content)
	})
	return b.Bytes()
}

func writeScalar(kind Key, le []byte) []byte {
	var b cryptobyte.Builder
	if kind != GOST2004 {
		b.AddASN1OctetString(le)
		return b.BytesOrPanic()
	}
	be := slices.Clone(le)
	slices.Reverse(be)
	for len(be) > 1 && be[0] == 0 && be[1]&0x80 == 0 {
		be = be[1:]
	}
	b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) {
		if be[0]&0x80 != 0 {
			b.AddUint8(0)
		}
		b.AddBytes(be)
	})
	return b.BytesOrPanic()
}
