package pfx

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// builder adds some DER: the small words the writer is made of.
type builder = func(b *cryptobyte.Builder)

func rawBytes(der []byte) builder { return func(b *cryptobyte.Builder) { b.AddBytes(der) } }

func octets(v []byte) builder { return func(b *cryptobyte.Builder) { b.AddASN1OctetString(v) } }

func inTag0(inner builder) builder { return func(b *cryptobyte.Builder) { b.AddASN1(tag0, inner) } }

func sequenceOf(parts ...builder) builder {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, p := range parts {
				p(b)
			}
		})
	}
}

func sequence(parts ...builder) ([]byte, error) {
	var b cryptobyte.Builder
	sequenceOf(parts...)(&b)
	return b.Bytes()
}

// dataContent writes a ContentInfo of type data.
func dataContent(inner builder) builder {
	return sequenceOf(
		func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) },
		inTag0(func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.OCTET_STRING, inner) }),
	)
}

// encryptedContent writes a ContentInfo of type encryptedData, RFC 5652 §8.
func encryptedContent(algorithm, data []byte) builder {
	return sequenceOf(
		func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidEncryptedData) },
		inTag0(sequenceOf(
			func(b *cryptobyte.Builder) { b.AddASN1Int64(0) },
			sequenceOf(
				func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) },
				rawBytes(algorithm),
				func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.Tag(0).ContextSpecific(), rawBytes(data)) },
			),
		)),
	)
}

// bag writes a SafeBag; attributes is the inside of its SET, nil for none.
func bag(oid asn1.ObjectIdentifier, value, attributes []byte) builder {
	parts := []builder{
		func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) },
		inTag0(rawBytes(value)),
	}
	if attributes != nil {
		parts = append(parts, func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SET, rawBytes(attributes)) })
	}
	return sequenceOf(parts...)
}

// attribute writes one attribute with one value.
func attribute(oid asn1.ObjectIdentifier, value builder) ([]byte, error) {
	return sequence(
		func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) },
		func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SET, value) },
	)
}
