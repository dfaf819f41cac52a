package participant

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
)

// newID makes a random id of 128 bits for a URL or a row: 22 characters, base64url.
func newID(random io.Reader) (string, error) { return randomText(random, 16) }

// newToken makes the secret of a link or a cookie: 256 bits, 43 characters, base64url. Only its
// [hashToken] is stored.
func newToken(random io.Reader) (string, error) { return randomText(random, 32) }

func randomText(random io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("read random: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// hashToken is what the store keeps of a token: a token has 256 bits of its own, so one SHA-256 is
// enough.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
