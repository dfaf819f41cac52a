package cms

import (
	"bytes"
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// assemble writes the whole message. Hash algorithms stand sorted and once each; certificates and
// signers in the order given, because programs in use put the newest signer first.
func (p *parts) assemble() ([]byte, error) {
	hashes := slices.Clone(p.hashes)
	slices.SortFunc(hashes, bytes.Compare)
	hashes = slices.CompactFunc(hashes, bytes.Equal)
	out, err := sequence(func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(int64(p.version))
				addAll(b, cbasn1.SET, hashes)
				b.AddBytes(p.encap)
				if len(p.certificates) > 0 {
					addAll(b, tag0, p.certificates)
				}
				if len(p.crls) > 0 {
					addAll(b, tag1, p.crls)
				}
				addAll(b, cbasn1.SET, p.signers)
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("writing CMS: %w", err)
	}
	return out, nil
}

func addAll(b *cryptobyte.Builder, tag cbasn1.Tag, list [][]byte) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddBytes(e)
		}
	})
}

func sequence(inner func(*cryptobyte.Builder)) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, inner)
	return b.Bytes()
}

// setOf writes a SET OF sorted as DER wants, X.690 §11.6.
func setOf(list [][]byte) ([]byte, error) {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, bytes.Compare)
	var b cryptobyte.Builder
	addAll(&b, cbasn1.SET, sorted)
	return b.Bytes()
}

// attribute writes an attribute with one value.
func attribute(oid asn1.ObjectIdentifier, value func(*cryptobyte.Builder)) ([]byte, error) {
	return sequence(func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(cbasn1.SET, value)
	})
}

// encapsulated writes EncapsulatedContentInfo.
func encapsulated(contentType asn1.ObjectIdentifier, content []byte, detached bool) ([]byte, error) {
	return sequence(func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(contentType)
		if !detached {
			b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
		}
	})
}
