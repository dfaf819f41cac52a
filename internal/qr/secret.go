package qr

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

func random() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// secret is 256 bits that nobody without the key can compute from the text.
func secret(key []byte, kind, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("senim qr " + kind + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// hash is the name under which the store finds a secret.
func hash(kind, text string) string {
	sum := sha256.Sum256([]byte("senim qr " + kind + "\x00" + text))
	return hex.EncodeToString(sum[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Seal puts a mark on what a page offers to have signed, so that the browser of the session can bring it
// back and nobody else can, nor anything else.
func (d *Desk) Seal(sid, text string) string {
	return secret(d.c.Key, "offer", d.c.Site+"\x00"+sid+"\x00"+text) + "." + base64.RawURLEncoding.EncodeToString([]byte(text))
}

// Unseal reads what [Desk.Seal] wrote for the same session.
func (d *Desk) Unseal(sid, sealed string) (text string, ok bool) {
	mark, body, _ := strings.Cut(sealed, ".")
	b, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || !same(mark, secret(d.c.Key, "offer", d.c.Site+"\x00"+sid+"\x00"+string(b))) {
		return "", false
	}
	return string(b), true
}
