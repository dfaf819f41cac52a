// Package algid is the one table of algorithms: identifiers ↔ hash, signature, key form.
//
// # Signing and verifying
//
// [SignatureFor] says which signature goes with a key; [Signature.Sign] and [Signature.Verify] make
// and check it, over a message or, with SignDigest and VerifyDigest, over its digest. GOST
// signatures are r‖s, each little-endian; RSA ones are PKCS #1 v1.5.
//
// # Keys
//
// [ParsePublicKey] and [ParsePrivateKey] read SubjectPublicKeyInfo and PKCS #8, the Marshal
// functions write them, [KeyID] names a key. Keys are *gost.PublicKey and *gost.PrivateKey or those
// of crypto/rsa.
//
// [PreparedKeys] makes those GOST keys faster that verify often.
//
// # Identifiers
//
// The formats above ask [HashByOID] and [SignatureByOID], or read a whole AlgorithmIdentifier with
// [ReadHash] and [ReadSignature]. The same one is always written: with NULL parameters. Reading, NULL
// and absent are equal.
//
// # What is refused
//
// Five kinds of signing key exist in Kazakhstan's PKI, and no others here: RSA and four of GOST.
// There is no DSA, ECDSA, Ed25519 or RSA-PSS, not even to verify. Refused are RSA moduli outside 2048–8192 bits
// and even exponents, points off their curve, key parameters other than the one registered set of
// each algorithm, trailing bytes, whatever is not DER to the leaves. SHA-1 signatures are verified, never made; the GT arc of 2009–2016
// is read and verified, never written.
//
// Keys for agreement (1.2.398.3.10.1.4.1, in encryption certificates) are read as points of their
// curve and do nothing. What the national PKI does with them is published nowhere we know: which
// key derivation and key wrap follow the Diffie–Hellman of RFC 7836, in which byte order, which mode
// and S-box of ГОСТ 28147-89 hide the data, and the identifiers CMS EnvelopedData then carries.
// Guessing would make messages nobody else opens; see doc/decision, "Key agreement is left out".
//
// Everything here is a value or immutable, [PreparedKeys] aside; all calls may be made from many
// goroutines.
package algid

import (
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"

	"senim/gost"
)

// ErrUnknown is the error under every "this identifier is not in the table".
var ErrUnknown = errors.New("algorithm not supported")

// Key is a kind of key: algorithm and parameters together. The zero value is no kind.
type Key int

// The kinds of key.
const (
	_        Key = iota
	RSA          // 1.2.840.113549.1.1.1
	GOST512      // СТ РК ГОСТ Р 34.10-2015, curve tc26-512-A: the main one since 2022
	GOST256      // the same, curve tc26-256-A: defined, not seen in certificates
	GOST2004     // СТ РК ГОСТ 34.310-2004, curve CryptoPro-A
	GT           // the old 6801 arc, read only

	GOST512Agreement // key agreement, curve tc26-512-A: encryption certificates, read only
	GOST256Agreement // the same on tc26-256-A
)

// String returns RSA, GOST512, GOST256, GOST2004, GT, GOST512-agreement or GOST256-agreement.
func (k Key) String() string {
	if f, ok := keyForms[k]; ok {
		return f.name
	}
	return fmt.Sprintf("Key(%d)", int(k))
}

// GTPublicKey is a public key in the GT form. It is a type of its own because the form of the key
// decides the byte order of the signature: s‖r big-endian for this one.
type GTPublicKey struct {
	Point *gost.PublicKey // on CryptoPro-A
}

// Equal reports whether other is the same GT key.
func (k *GTPublicKey) Equal(other crypto.PublicKey) bool {
	o, ok := other.(*GTPublicKey)
	return ok && k.Point.Equal(o.Point)
}

// AgreementPublicKey is the key of an encryption certificate, as procurement portals use. It is a
// type of its own so that nobody takes it for a key that signs: no signature verifies with it.
type AgreementPublicKey struct {
	Point *gost.PublicKey
}

// Equal reports whether other is the same key.
func (k *AgreementPublicKey) Equal(other crypto.PublicKey) bool {
	o, ok := other.(*AgreementPublicKey)
	return ok && k.Point.Equal(o.Point)
}

// keyForm is one row of the table of keys (SubjectPublicKeyInfo and PKCS #8).
type keyForm struct {
	name   string
	oid    asn1.ObjectIdentifier
	params []byte             // DER of the parameters as written; nil: not settled, any are read
	curve  func() *gost.Curve // nil for RSA
}

var keyForms = map[Key]keyForm{
	RSA: {"RSA", asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, []byte{5, 0}, nil},
	GOST512: {"GOST512", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 2, 2},
		gostParams(asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 2, 2, 1}, asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 3, 3}), gost.TC26_512A},
	GOST256: {"GOST256", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 2, 1},
		gostParams(asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 2, 1, 1}, asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 3, 2}), gost.TC26_256A},
	GOST2004: {"GOST2004", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 1, 1},
		gostParams(asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 1, 1, 1}, asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 3, 1, 1, 0}), gost.CryptoProA},
	GT: {"GT", asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 6801, 1, 5, 8}, []byte{5, 0}, gost.CryptoProA},

	GOST512Agreement: {"GOST512-agreement", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 4, 1, 2}, nil, gost.TC26_512A},
	GOST256Agreement: {"GOST256-agreement", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 4, 1, 1}, nil, gost.TC26_256A},
}

// KeyOf tells the kind of a public key; zero when it is none of ours.
func KeyOf(pub crypto.PublicKey) Key {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return RSA
	case *GTPublicKey:
		return GT
	case *AgreementPublicKey:
		switch k.Point.Curve() {
		case gost.TC26_512A():
			return GOST512Agreement
		case gost.TC26_256A():
			return GOST256Agreement
		}
	case *gost.PublicKey:
		switch k.Curve() {
		case gost.TC26_512A():
			return GOST512
		case gost.TC26_256A():
			return GOST256
		case gost.CryptoProA():
			return GOST2004
		}
	}
	return 0
}
