package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
)

// challengeHead is the first line of every challenge. Nothing but a sign-in by challenge may sign
// a text that begins with it, and documents that begin with it are refused everywhere.
const challengeHead = "senim-challenge 1"

// Challenge is a short text a person signs to prove that a key is in his hands, now, for us and
// for one purpose. It never travels back: the answer is a detached signature, checked against the
// bytes we kept.
type Challenge struct {
	// Origin is the configured origin of our site, never a header's.
	Origin string
	// Purpose is what the signature is for, as "sign-in" or "revoke".
	Purpose string
	// Nonce is 32 random bytes in base64url, 43 characters.
	Nonce string
	// Digest, when not empty, names what is confirmed, in hexadecimal.
	Digest string
	// Issued and Expires are in whole seconds; the challenge is good up to and including Expires.
	Issued, Expires time.Time
}

// newChallenge makes a challenge with a fresh nonce.
func newChallenge(origin, purpose, digest string, now time.Time, ttl time.Duration) Challenge {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand)
	at := now.UTC().Truncate(time.Second)
	return Challenge{Origin: origin, Purpose: purpose, Nonce: base64.RawURLEncoding.EncodeToString(b), Digest: digest, Issued: at, Expires: at.Add(ttl)}
}

// Text gives the exact bytes to be signed: UTF-8, one fact per line, every line ends with LF.
func (c Challenge) Text() string {
	var b strings.Builder
	b.WriteString(challengeHead + "\n")
	b.WriteString("origin: " + c.Origin + "\n")
	b.WriteString("purpose: " + c.Purpose + "\n")
	b.WriteString("nonce: " + c.Nonce + "\n")
	if c.Digest != "" {
		b.WriteString("digest: " + c.Digest + "\n")
	}
	b.WriteString("issued: " + c.Issued.UTC().Format(time.RFC3339) + "\n")
	b.WriteString("expires: " + c.Expires.UTC().Format(time.RFC3339) + "\n")
	return b.String()
}

// In gives an XML document that carries the challenge's nonce as the last element inside its root: a signature over it
// was made after the challenge was opened.
func (c Challenge) In(document string) string {
	end := strings.LastIndex(document, "</")
	if end < 0 {
		return document
	}
	return document[:end] + "<challenge>" + c.Nonce + "</challenge>" + document[end:]
}

// About reports that the challenge was opened for this document and no other.
func (c Challenge) About(document string) bool {
	return c.Nonce != "" && c.Digest != "" && c.Digest == digestOf(document)
}

func digestOf(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// IsChallenge reports whether content begins as a challenge does. Whoever takes signed documents
// refuses such content: with a combined key the same signature would otherwise serve for both.
func IsChallenge(content []byte) bool {
	return strings.HasPrefix(string(content), "senim-challenge")
}

// expired reports whether the challenge is over at now: five minutes and not a second more.
func (c Challenge) expired(now time.Time) bool {
	return now.Truncate(time.Second).After(c.Expires)
}
