package ident

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Email is one address without a display name, domain in lower case. Get one from [ParseEmail].
type Email string

// Phone is a phone number in E.164 form, as "+77011234567". Get one from package e164.
type Phone string

// Errors of [ParseEmail] and of package e164; their messages never repeat the text.
var (
	ErrEmail = errors.New("not an e-mail address")
	ErrPhone = errors.New("not a phone number")
)

// ParseEmail reads one e-mail address: the dot-atom form of RFC 5322 §3.4.1 (no quotes, comments or
// display name), at most 254 bytes of ASCII, a domain of two labels or more (RFC 5321 §4.5.3.1).
func ParseEmail(s string) (Email, error) {
	s = strings.TrimSpace(s)
	local, domain, ok := strings.Cut(s, "@")
	domain = strings.ToLower(domain)
	if !ok || len(s) > 254 || len(local) > 64 || !dotted(local, atom) || !dotted(domain, host) || !strings.Contains(domain, ".") {
		return "", fmt.Errorf("read e-mail: %w", ErrEmail)
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return "", fmt.Errorf("read e-mail: %w", ErrEmail)
		}
	}
	return Email(local + "@" + domain), nil
}

// dotted reports that s is one or more non-empty parts of good bytes, separated by dots.
func dotted(s string, good func(c byte) bool) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for i := range len(part) {
			if !good(part[i]) {
				return false
			}
		}
	}
	return true
}

func atom(c byte) bool { return host(c) || c < 0x80 && strings.IndexByte("!#$%&'*+/=?^_`{|}~", c) >= 0 }

func host(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
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

// MaskPhone shows the operator and the last two digits, "+7 701 ••• •• 67"; of a phone of another
// country only its beginning and end.
func MaskPhone(p Phone) string {
	if len(p) < 4 {
		return "•••"
	}
	if strings.HasPrefix(string(p), "+7") && len(p) == 12 {
		return "+7 " + string(p[2:5]) + " ••• •• " + string(p[10:])
	}
	return string(p[:3]) + " ••• •• " + string(p[len(p)-2:])
}

// MaskNumber shows the last four digits of an IIN or BIN: "********9011".
func MaskNumber(s string) string {
	if len(s) != 12 {
		return "********"
	}
	return "********" + s[8:]
}
