// Package jwt signs, reads and verifies JSON Web Tokens (RFC 7519) with the keys of the national PKI.
//
// Whoever has a key calls [Sign] with claims, which [ClaimsFor] can write; whoever gets a token calls
// [Parse], then [Token.Verify] with the public key of the certificate it expects, and [Token.ValidAt]
// with the time. A token carries no certificate, so that the reader must know whose it should be: take
// the key from a certificate whose chain, dates and revocation were checked, never from the token.
//
// # Algorithms
//
//	GG2015  GOST512 keys; GOST15, another library's name for it, is read and never written
//	GG2004  GOST2004 keys
//	RS256   RSA keys (RFC 7518 §3.3)
//
// The algorithm must be that of the key given to Verify, so that a token cannot choose how it is
// looked at. There is no "none", no HMAC, and no name for GOST256.
//
// # What is refused
//
// Tokens above 64 KiB; more or fewer parts than three; base64url that is padded, holds line ends or
// encodes otherwise than we would; JSON that is not one object, names a member twice at any depth, is
// nested deeper than 16 or is not UTF-8; crit and other header members that change how a token is
// read; a type other than JWT; registered claims of a wrong type.
//
// Tokens are immutable and may be shared by goroutines. Nothing here reads a clock.
package jwt

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"senim/algid"
)

// MaxSize bounds a token, in bytes.
const MaxSize = 64 << 10

// Errors that callers tell apart; compare with errors.Is. Other errors say what is wrong with the
// form of a token.
var (
	// ErrKey: the algorithm of the token is not that of the key.
	ErrKey = errors.New("algorithm of the token is not of this key")
	// ErrSignature: the token is not by this key.
	ErrSignature = errors.New("signature of the token does not verify")
	// ErrExpired: exp is not after the time given.
	ErrExpired = errors.New("token has expired")
	// ErrNotYet: nbf or iat is after the time given.
	ErrNotYet = errors.New("token is not valid yet")
)

// Token is a token taken apart. Nothing in it is proved before [Token.Verify].
type Token struct {
	Algorithm string // as written
	Header    []byte // JSON, as it was signed
	Payload   []byte // JSON, as it was signed
	Claims    Claims // the registered ones; others are in Payload

	signed    string // what the signature is over
	method    algid.Signature
	signature []byte
}

// Claims are the registered claims, RFC 7519 §4.1. Absent ones are zero. Times are UTC, read with the
// fraction of a second a token may have (§2, NumericDate).
type Claims struct {
	Issuer    string    // iss: who made the token
	Subject   string    // sub: whom it speaks of
	Audience  []string  // whom the token is for: a reader should find itself here
	ID        string    // jti: the token's own name, for who takes each once
	Expires   time.Time // exp: at that moment it is too late
	NotBefore time.Time // nbf: at that moment it begins
	IssuedAt  time.Time // iat
}

// names is the table of algorithms; the first row of a signature is the one that is written.
var names = [...]struct {
	name   string
	method algid.Signature
}{
	{"GG2015", algid.GOST512Sig},
	{"GOST15", algid.GOST512Sig},
	{"GG2004", algid.GOST2004Sig},
	{"RS256", algid.SHA256WithRSA},
}

var encoding = base64.RawURLEncoding.Strict()

// Verify reports with nil that the token was signed by the key of pub. Whose key that is, is for the
// caller to know.
func (t *Token) Verify(pub crypto.PublicKey) error {
	if algid.KeyOf(pub) != t.method.Key() {
		return fmt.Errorf("verify token with %s: %w", t.Algorithm, ErrKey)
	}
	err := t.method.Verify(pub, []byte(t.signed), t.signature)
	switch {
	case errors.Is(err, algid.ErrSignature):
		return ErrSignature
	case err != nil:
		return fmt.Errorf("verify token: %w", err)
	}
	return nil
}

// ValidAt reports with nil that the dates of the token allow the moment given, without leeway: exp is
// after it, nbf and iat are not. Dates that are absent forbid nothing.
func (t *Token) ValidAt(now time.Time) error {
	c := t.Claims
	switch {
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return fmt.Errorf("%w at %s", ErrExpired, c.Expires.Format(time.RFC3339))
	case now.Before(c.NotBefore):
		return fmt.Errorf("%w: from %s on", ErrNotYet, c.NotBefore.Format(time.RFC3339))
	case now.Before(c.IssuedAt):
		return fmt.Errorf("%w: issued at %s", ErrNotYet, c.IssuedAt.Format(time.RFC3339))
	}
	return nil
}
