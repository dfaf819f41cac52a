package algid

import (
	"crypto/sha1" // read in old files only
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"fmt"
	"hash"

	"senim/gost/gost94"
	"senim/gost/streebog"
)

// Hash is a hash function. The zero value is no function: New and Sum panic on it.
type Hash int

// The hash functions.
const (
	_           Hash = iota
	Streebog512      // СТ РК ГОСТ Р 34.11-2015, 64 bytes
	Streebog256      // the same, 32 bytes
	GOST34311        // ГОСТ 34.311-95 with the test S-box, 32 bytes
	SHA1
	SHA256
	SHA384
	SHA512
)

type hashForm struct {
	name string
	oid  asn1.ObjectIdentifier
	size int
	new  func() hash.Hash
}

var hashForms = [...]hashForm{
	Streebog512: {"Streebog-512", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 3, 3}, 64, streebog.New512},
	Streebog256: {"Streebog-256", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 3, 2}, 32, streebog.New256},
	GOST34311:   {"GOST34311", asn1.ObjectIdentifier{1, 2, 398, 3, 10, 1, 3, 1}, 32, gost94.New},
	SHA1:        {"SHA-1", asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, 20, sha1.New},
	SHA256:      {"SHA-256", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, 32, sha256.New},
	SHA384:      {"SHA-384", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, 48, sha512.New384},
	SHA512:      {"SHA-512", asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, 64, sha512.New},
}

func (h Hash) valid() bool { return h > 0 && int(h) < len(hashForms) }

// New returns a fresh hash.
func (h Hash) New() hash.Hash { return hashForms[h].new() }

// Size is the length of the digest in bytes; 0 for no function.
func (h Hash) Size() int {
	if !h.valid() {
		return 0
	}
	return hashForms[h].size
}

// OID is the identifier of the hash. The caller must not change it.
func (h Hash) OID() asn1.ObjectIdentifier { return hashForms[h].oid }

// Identifier is the DER AlgorithmIdentifier, with NULL parameters.
func (h Hash) Identifier() []byte { return identifier(h.OID(), []byte{5, 0}) }

// Sum hashes b.
func (h Hash) Sum(b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

// String returns the usual name, as Streebog-512 or SHA-256.
func (h Hash) String() string {
	if !h.valid() {
		return fmt.Sprintf("Hash(%d)", int(h))
	}
	return hashForms[h].name
}

// oidGTDigest is the GT arc's own identifier of ГОСТ 34.311-95.
var oidGTDigest = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 6801, 1, 2, 1}

// HashByOID finds a hash; false when the identifier is not in the table.
func HashByOID(oid asn1.ObjectIdentifier) (Hash, bool) {
	for h := Streebog512; h.valid(); h++ {
		if h.OID().Equal(oid) {
			return h, true
		}
	}
	if oid.Equal(oidGTDigest) {
		return GOST34311, true
	}
	return 0, false
}
