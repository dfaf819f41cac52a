package courier

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strings"

	"senim/internal/ident"
)

// Tokens write and read the token in the envelope sender of a letter: the letter's identifier and a
// MAC, so that a report about a letter of ours is told from one that somebody invented.
type Tokens struct{ key []byte }

// NewTokens takes the key of the MAC, 32 bytes or more.
func NewTokens(key []byte) (*Tokens, error) {
	if len(key) < 32 {
		return nil, errors.New("new tokens: the key is shorter than 32 bytes")
	}
	return &Tokens{append([]byte{}, key...)}, nil
}

// ErrToken says that an address has no token of ours.
var ErrToken = errors.New("no token of ours in the address")

const (
	macSize   = 10 // 80 bits: guessing one takes more letters than a mail server lets through
	maxBinary = 20 // a letter's identifier is at most 40 hex digits
)

// base32 survives mail servers that change the case of addresses.
var alphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (t *Tokens) mac(label string, data []byte) []byte {
	m := hmac.New(sha256.New, t.key)
	m.Write([]byte(label + "\x00"))
	m.Write(data)
	return m.Sum(nil)[:macSize]
}

// envelope puts the token of a letter into an address: bounce@d becomes bounce+TOKEN@d.
func (t *Tokens) envelope(address, id string) (string, error) {
	token, err := t.write("bounce", id)
	if err != nil {
		return "", err
	}
	local, domain, _ := strings.Cut(address, "@")
	whole := local + "+" + token + "@" + domain
	if _, err := ident.ParseEmail(whole); err != nil {
		return "", errors.New("write token: no room for it in the address")
	}
	return whole, nil
}

// Unsubscribe is the token of a link that ends the reminders of a letter's reader.
func (t *Tokens) Unsubscribe(id string) (string, error) { return t.write("unsubscribe", id) }

// Unsubscribed gives the identifier of the letter with such a link; [ErrToken] when it is not ours.
func (t *Tokens) Unsubscribed(token string) (string, error) { return t.read("unsubscribe", token) }

func (t *Tokens) write(label, id string) (string, error) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) == 0 || len(raw) > maxBinary {
		return "", errors.New("write token: the letter's identifier is not 40 hex digits or fewer")
	}
	return alphabet.EncodeToString(append(raw, t.mac(label, raw)...)), nil
}

func (t *Tokens) read(label, token string) (string, error) {
	raw, err := alphabet.DecodeString(strings.ToLower(token))
	if err != nil || len(raw) <= macSize || len(raw) > maxBinary+macSize {
		return "", ErrToken
	}
	id, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	if !hmac.Equal(mac, t.mac(label, id)) {
		return "", ErrToken
	}
	return hex.EncodeToString(id), nil
}

// Letter gives the identifier of the letter whose envelope had this sender; [ErrToken] when the
// token is absent or forged.
func (t *Tokens) Letter(address string) (string, error) {
	e, err := ident.ParseEmail(address)
	if err != nil {
		return "", ErrToken
	}
	local, _, _ := strings.Cut(string(e), "@")
	at := strings.LastIndexByte(local, '+')
	if at < 0 {
		return "", ErrToken
	}
	return t.read("bounce", local[at+1:])
}
