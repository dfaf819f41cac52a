package cades

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
)

// maxIndex bounds each of the three lists of a hash index.
const maxIndex = 1024

var errIndexShape = errors.New("hash index is not well-formed")

// hashIndex is ATSHashIndexV3, EN 319 122-1 §5.5.2: what an archive time-stamp covers besides the
// signature itself.
type hashIndex struct {
	raw          []byte
	hash         algid.Hash
	certificates [][]byte
	revocation   [][]byte
	attributes   [][]byte
}

// parseIndex reads the value of the attribute. An algorithm left out is SHA-256, as some write it.
func parseIndex(der []byte) (*hashIndex, error) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, errIndexShape
	}
	x := &hashIndex{raw: der, hash: algid.SHA256}
	var lists [4]cryptobyte.String
	n := 0
	for ; !body.Empty(); n++ {
		if n == len(lists) || !body.ReadASN1Element(&lists[n], cbasn1.SEQUENCE) {
			return nil, errIndexShape
		}
	}
	rest := lists[:n]
	if n == len(lists) {
		var err error
		if x.hash, err = algid.ReadHash(&rest[0]); err != nil {
			return nil, err
		}
		rest = rest[1:]
	}
	if len(rest) != 3 {
		return nil, errIndexShape
	}
	for i, out := range []*[][]byte{&x.certificates, &x.revocation, &x.attributes} {
		var err error
		if *out, err = readDigests(rest[i], x.hash.Size()); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func readDigests(in cryptobyte.String, size int) ([][]byte, error) {
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) {
		return nil, errIndexShape
	}
	var out [][]byte
	for !list.Empty() {
		var digest []byte
		if !list.ReadASN1Bytes(&digest, cbasn1.OCTET_STRING) || len(digest) != size {
			return nil, errIndexShape
		}
		if out = append(out, digest); len(out) > maxIndex {
			return nil, fmt.Errorf("hash index of more than %d values", maxIndex)
		}
	}
	return out, nil
}

// marshal writes the index, with its algorithm always.
func (x *hashIndex) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(x.hash.Identifier())
		for _, list := range [][][]byte{x.certificates, x.revocation, x.attributes} {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, digest := range list {
					b.AddASN1OctetString(digest)
				}
			})
		}
	})
	return b.Bytes()
}

// typed puts the DER of an attribute's type before one of its values: what the index has hashes of.
func typed(oid asn1.ObjectIdentifier, value []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(oid)
	b.AddBytes(value)
	return b.Bytes()
}
