package algid

import (
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"

	"senim/gost"
)

// ErrSignature says that a signature is wrong for this key and message.
var ErrSignature = errors.New("signature does not verify")

// Signature is a signature algorithm: a key kind and a hash. The zero value is no algorithm.
type Signature int

// The signature algorithms.
const (
	_             Signature = iota
	GOST512Sig              // GOST512 key, Streebog-512
	GOST256Sig              // GOST256 key, Streebog-256
	GOST2004Sig             // GOST2004 key, ГОСТ 34.311-95
	GTSig                   // GT arc, verified only
	SHA256WithRSA           // what RSA keys sign with
	SHA384WithRSA
	SHA512WithRSA
	SHA1WithRSA // verified in old files only
)

type signatureForm struct {
	name string
	oid  asn1.ObjectIdentifier
	key  Key
	hash Hash
}

var signatureForms = [...]signatureForm{
	GOST512Sig:    {"GOST512", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 2, 3, 2}, GOST512, Streebog512},
	GOST256Sig:    {"GOST256", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 2, 3, 1}, GOST256, Streebog256},
	GOST2004Sig:   {"GOST2004", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 1, 1, 2}, GOST2004, GOST34311},
	GTSig:         {"GT", asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 6801, 1, 2, 2}, GT, GOST34311},
	SHA256WithRSA: {"SHA256-RSA", asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, RSA, SHA256},
	SHA384WithRSA: {"SHA384-RSA", asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, RSA, SHA384},
	SHA512WithRSA: {"SHA512-RSA", asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, RSA, SHA512},
	SHA1WithRSA:   {"SHA1-RSA", asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, RSA, SHA1},
}

// rsaHashes are the names PKCS #1 v1.5 puts before the digest.
var rsaHashes = map[Hash]crypto.Hash{SHA1: crypto.SHA1, SHA256: crypto.SHA256, SHA384: crypto.SHA384, SHA512: crypto.SHA512}

func (s Signature) valid() bool { return s > 0 && int(s) < len(signatureForms) }

// OID is the identifier of the algorithm. The caller must not change it.
func (s Signature) OID() asn1.ObjectIdentifier { return signatureForms[s].oid }

// Identifier is the DER AlgorithmIdentifier, with NULL parameters.
func (s Signature) Identifier() []byte { return identifier(s.OID(), []byte{5, 0}) }

// Hash is the hash the message goes through.
func (s Signature) Hash() Hash { return signatureForms[s].hash }

// Key is the kind of key that makes this signature.
func (s Signature) Key() Key { return signatureForms[s].key }

// String returns a short name, as GOST512 or SHA256-RSA.
func (s Signature) String() string {
	if !s.valid() {
		return fmt.Sprintf("Signature(%d)", int(s))
	}
	return signatureForms[s].name
}

// SignatureByOID finds an algorithm; false when the identifier is not in the table.
func SignatureByOID(oid asn1.ObjectIdentifier) (Signature, bool) {
	for s := GOST512Sig; s.valid(); s++ {
		if s.OID().Equal(oid) {
			return s, true
		}
	}
	return 0, false
}

// SignatureFor is the algorithm we sign with under this public key: SHA-256 for RSA.
func SignatureFor(pub crypto.PublicKey) (Signature, error) {
	switch KeyOf(pub) {
	case GOST512:
		return GOST512Sig, nil
	case GOST256:
		return GOST256Sig, nil
	case GOST2004:
		return GOST2004Sig, nil
	case RSA:
		return SHA256WithRSA, nil
	case GT, GOST512Agreement, GOST256Agreement:
	}
	return 0, fmt.Errorf("signature for a key of type %T: %w", pub, ErrUnknown)
}

// Sign hashes the message and signs it. See [Signature.SignDigest].
func (s Signature) Sign(rand io.Reader, key crypto.Signer, message []byte) ([]byte, error) {
	if !s.valid() {
		return nil, fmt.Errorf("sign: %w", ErrUnknown)
	}
	return s.SignDigest(rand, key, s.Hash().Sum(message))
}

// SignDigest signs a digest made with s.Hash(). The key's kind must be s.Key(). GOST signatures are
// r‖s, each little-endian; RSA ones are PKCS #1 v1.5.
func (s Signature) SignDigest(rand io.Reader, key crypto.Signer, digest []byte) ([]byte, error) {
	if !s.valid() || s == GTSig || s == SHA1WithRSA {
		return nil, fmt.Errorf("sign with %v: %w", s, ErrUnknown)
	}
	if k := KeyOf(key.Public()); k != s.Key() {
		return nil, fmt.Errorf("sign with %v: the key is %v", s, k)
	}
	if len(digest) != s.Hash().Size() {
		return nil, fmt.Errorf("sign with %v: digest of %d bytes", s, len(digest))
	}
	sig, err := key.Sign(rand, digest, rsaHashes[s.Hash()])
	if err != nil {
		return nil, fmt.Errorf("sign with %v: %w", s, err)
	}
	return sig, nil
}

// Verify hashes the message and verifies the signature over it. See [Signature.VerifyDigest].
func (s Signature) Verify(pub crypto.PublicKey, message, sig []byte) error {
	if !s.valid() {
		return fmt.Errorf("verify: %w", ErrUnknown)
	}
	return s.VerifyDigest(pub, s.Hash().Sum(message), sig)
}

// VerifyDigest verifies a signature over a digest made with s.Hash(). Nil means good; a wrong
// signature is [ErrSignature].
func (s Signature) VerifyDigest(pub crypto.PublicKey, digest, sig []byte) error {
	if !s.valid() {
		return fmt.Errorf("verify: %w", ErrUnknown)
	}
	if len(digest) != s.Hash().Size() {
		return fmt.Errorf("verify %v: digest of %d bytes", s, len(digest))
	}
	good := false
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if s.Key() != RSA {
			return fmt.Errorf("verify %v: the key is RSA", s)
		}
		good = rsa.VerifyPKCS1v15(k, rsaHashes[s.Hash()], digest, sig) == nil
	case *gost.PublicKey:
		// The old CAs signed under the GT identifier with a key of the 1.2.398 form; then the order is r‖s.
		if s.Key() != KeyOf(k) && (s != GTSig || KeyOf(k) != GOST2004) {
			return fmt.Errorf("verify %v: the key is %v", s, KeyOf(k))
		}
		good = k.Verify(digest, sig)
	case *GTPublicKey:
		if s != GTSig {
			return fmt.Errorf("verify %v: the key is GT", s)
		}
		turned := slices.Clone(sig)
		slices.Reverse(turned) // s‖r big-endian is r‖s little-endian read backwards
		good = k.Point.Verify(digest, turned)
	default:
		return fmt.Errorf("verify with a key of type %T: %w", pub, ErrUnknown)
	}
	if !good {
		return fmt.Errorf("%v: %w", s, ErrSignature)
	}
	return nil
}
