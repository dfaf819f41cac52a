package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"
)

// Session is what we remember of one browser on one site. Before sign-in it is a pre-session: it
// has no certificate and carries challenges and half-typed forms only.
type Session struct {
	// ID is the value of the cookie. The store keeps when it was made and its SHA-256, never the id.
	ID string
	// Site names the site the session belongs to; a session of one site is nothing on another.
	Site string
	// IIN and BIN are of the certificate used to sign in; BIN is empty for a personal key. Both
	// empty: nobody has signed in.
	IIN, BIN string
	// Serial (40 hexadecimal digits) and Fingerprint (SHA-256, hexadecimal) name that certificate.
	Serial, Fingerprint string
	// Name is the holder's common name as the certificate writes it, for the page's header.
	Name string
	// Values are small facts of the site: account id, half-typed forms. Never secrets.
	Values map[string]string
	// Created and Seen bound its life: absolute from Created, idle from Seen.
	Created, Seen time.Time
}

// SignedIn reports whether a certificate stands behind the session.
func (s Session) SignedIn() bool { return s.Fingerprint != "" }

// Filter selects sessions to end. Empty members are not looked at; all empty selects nothing.
type Filter struct{ Site, IIN, BIN, Serial, Fingerprint string }

// Lengths of a session id: when it was made, in milliseconds (hexadecimal), and 32 random bytes (base64url).
const (
	madeLength = 12
	idLength   = madeLength + 43
)

// newID makes a session id. What is random in it is the secret; when it was made lets the store keep
// together what begins together, which costs it a fraction of the pages.
func newID(now time.Time) string {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand)
	return fmt.Sprintf("%0*x", madeLength, uint64(now.UnixMilli())&(1<<48-1)) + base64.RawURLEncoding.EncodeToString(b)
}

// hashID is the name under which the store keeps a session; "" for what is no session id.
func hashID(id string) string {
	if len(id) != idLength {
		return ""
	}
	sum := sha256.Sum256([]byte("senim session\x00" + id))
	return id[:madeLength] + hex.EncodeToString(sum[:])
}
