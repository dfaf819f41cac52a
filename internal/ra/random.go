package ra

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
)

// newID is a random name and no secret, 32 hex digits.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// newToken is the secret of a link, 256 bits in 43 characters of base64url; it is kept as its hash.
func newToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}
