package pfx

import (
	"errors"
	"strings"
)

// Errors of CheckPassword, one per broken rule.
var (
	ErrPasswordLength  = errors.New("password must have 6 to 32 characters")
	ErrPasswordCharset = errors.New("password has a character that is not allowed")
	ErrPasswordClasses = errors.New("password needs a small letter, a capital letter and a digit")
	ErrPasswordDefault = errors.New("password is a well-known default")
	ErrPasswordSame    = errors.New("password is the old one") // of ChangePassword
)

// passwordChars is the character set of the official client.
const passwordChars = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.?#$^+=!*()@%&_-"

// CheckPassword tells whether a password is good for a new key file: the rule of the official
// client (6 to 32 of its character set, a letter and a digit) with ours on top (both letter
// cases, none of the default PINs of carriers). That it is not the old password is for the
// caller ([ChangePassword]) to check. It is not a rule for opening files.
func CheckPassword(p string) error {
	switch p {
	case "12345678", "1234567890":
		return ErrPasswordDefault
	}
	var lower, upper, digit bool
	n := 0
	for _, r := range p {
		n++
		if !strings.ContainsRune(passwordChars, r) {
			return ErrPasswordCharset
		}
		lower = lower || 'a' <= r && r <= 'z'
		upper = upper || 'A' <= r && r <= 'Z'
		digit = digit || '0' <= r && r <= '9'
	}
	if n < 6 || n > 32 {
		return ErrPasswordLength
	}
	if !lower || !upper || !digit {
		return ErrPasswordClasses
	}
	return nil
}
