package algid

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var null = []byte{5, 0}

// identifier writes an AlgorithmIdentifier.
func identifier(oid asn1.ObjectIdentifier, params []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddBytes(params)
	})
	return b.BytesOrPanic()
}

// gostParams are the parameters of a GOST key: the curve and the hash.
func gostParams(curve, hash asn1.ObjectIdentifier) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(curve)
		b.AddASN1ObjectIdentifier(hash)
	})
	return b.BytesOrPanic()
}

// ReadIdentifier takes one AlgorithmIdentifier off in and returns the identifier and the DER of its
// parameters, nil when absent.
func ReadIdentifier(in *cryptobyte.String) (asn1.ObjectIdentifier, []byte, error) {
	var body, params cryptobyte.String
	var oid asn1.ObjectIdentifier
	var tag cbasn1.Tag
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil, fmt.Errorf("algorithm identifier: %w", errDER)
	}
	if body.Empty() {
		return oid, nil, nil
	}
	if !body.ReadAnyASN1Element(&params, &tag) || !body.Empty() {
		return nil, nil, fmt.Errorf("algorithm identifier %v: %w", oid, errDER)
	}
	return oid, params, nil
}

// ReadHash takes the AlgorithmIdentifier of a hash off in; NULL and absent parameters are equal.
func ReadHash(in *cryptobyte.String) (Hash, error) {
	oid, params, err := ReadIdentifier(in)
	if err != nil {
		return 0, err
	}
	h, ok := HashByOID(oid)
	if !ok || !noParams(params) {
		return 0, fmt.Errorf("hash %v: %w", oid, ErrUnknown)
	}
	return h, nil
}

// ReadSignature takes the AlgorithmIdentifier of a signature off in; NULL and absent parameters are
// equal.
func ReadSignature(in *cryptobyte.String) (Signature, error) {
	oid, params, err := ReadIdentifier(in)
	if err != nil {
		return 0, err
	}
	s, ok := SignatureByOID(oid)
	if !ok || !noParams(params) {
		return 0, fmt.Errorf("signature %v: %w", oid, ErrUnknown)
	}
	return s, nil
}

func noParams(params []byte) bool { return len(params) == 0 || bytes.Equal(params, null) }
