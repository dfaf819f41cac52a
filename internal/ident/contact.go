package ident

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// Email is one address without a display name, domain in lower case. Get one from [ParseEmail].
type Email string

// Phone is a phone number in E.164 form, as "+77011234567". Get one from [ParsePhone].
type Phone string

// Errors of [ParseEmail] and [ParsePhone]; their messages never repeat the text.
var (
	ErrEmail = errors.New("not an e-mail address")
	ErrPhone = errors.New("not a phone number")
)

// ParseEmail reads one e-mail address: at most 254 bytes, no display name, no control characters, a
// domain with a dot.
func ParseEmail(s string) (Email, error) {
	s = strings.TrimSpace(s)
	if len(s) > 254 || !utf8.ValidString(s) || strings.ContainsAny(s, " \t\r\n<>\"(),;:\\[]") {
		return "", fmt.Errorf("read e-mail: %w", ErrEmail)
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return "", fmt.Errorf("read e-mail: %w", ErrEmail)
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if len(local) > 64 || !strings.Contains(strings.Trim(domain, "."), ".") || strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") {
		return "", fmt.Errorf("read e-mail: %w", ErrEmail)
	}
	return Email(local + "@" + domain), nil
}

// ParsePhone reads a phone number, in Kazakhstan's national form or with a country code.
func ParsePhone(s string) (Phone, error) {
	if len(s) > 40 {
		return "", fmt.Errorf("read phone: %w", ErrPhone)
	}
	n, err := phonenumbers.Parse(s, "KZ")
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", fmt.Errorf("read phone: %w", ErrPhone)
	}
	return Phone(phonenumbers.Format(n, phonenumbers.E164)), nil
}

// MaskEmail shows enough of an address for its owner to know it: "b***@example.kz". It does not tell
// how long the hidden part is.
func MaskEmail(e Email) string {
	at := strings.LastIndexByte(string(e), '@')
	if at < 1 {
		return "***"
	}
	_, n := utf8.DecodeRuneInString(string(e))
	return string(e[:n]) + "***" + string(e[at:])
}

// MaskPhone shows the last two digits: "+7*** *** ** 67".
func MaskPhone(p Phone) string {
	if len(p) < 4 {
		return "***"
	}
	return string(p[:2]) + "*** *** ** " + string(p[len(p)-2:])
}

// MaskNumber shows the last four digits of an IIN or BIN: "********9011".
func MaskNumber(s string) string {
	if len(s) != 12 {
		return "********"
	}
	return "********" + s[8:]
}
