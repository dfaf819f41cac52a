// Package ident reads the numbers and addresses by which people and organisations are known: IIN,
// BIN, e-mail, phone. A string becomes an [IIN], a [BIN], an [Email] or a [Phone] once, at the
// edge, and is not checked again.
//
// [ParseIIN] and [ParseBIN] read the shape only, as certificates need it (vendors' test
// certificates carry numbers with a wrong check digit). Forms and gates call [Rules.AdmitIIN] and
// [Rules.AdmitBIN], which also want the check digit, except for the listed test identities.
package ident

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// IIN is the twelve digits of a person's number. Get one from [ParseIIN].
type IIN string

// BIN is the twelve digits of an organisation's number. Get one from [ParseBIN].
type BIN string

// ErrNumber says that text is not an IIN or BIN; its message never repeats the text.
var ErrNumber = errors.New("not a number of twelve digits with a right check digit")

// ParseIIN reads twelve ASCII digits, spaces around them trimmed. It checks neither the check digit
// nor that the number belongs to a person and not to an organisation.
func ParseIIN(s string) (IIN, error) {
	d, err := digits(s)
	return IIN(d), err
}

// ParseBIN is [ParseIIN] for organisations.
func ParseBIN(s string) (BIN, error) {
	d, err := digits(s)
	return BIN(d), err
}

func digits(s string) (string, error) {
	s = strings.Trim(s, " \t\r\n")
	if len(s) != 12 {
		return "", fmt.Errorf("read number: %w", ErrNumber)
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", fmt.Errorf("read number: %w", ErrNumber)
		}
	}
	return s, nil
}

// CheckDigit returns nil when the twelfth digit is right: the weighted sum modulo 11 with weights
// 1…11, or with 3…11,1,2 when the first gives 10. A number for which both give 10 is never assigned.
func CheckDigit(s string) error {
	if d, err := digits(s); err != nil || d != s {
		return fmt.Errorf("check digit: %w", ErrNumber)
	}
	r := 0
	for i := range 11 {
		r += int(s[i]-'0') * (i + 1)
	}
	if r %= 11; r == 10 {
		r = 0
		for i := range 11 {
			r += int(s[i]-'0') * ((i+2)%11 + 1)
		}
		r %= 11
	}
	if r == 10 || r != int(s[11]-'0') {
		return fmt.Errorf("check digit: %w", ErrNumber)
	}
	return nil
}

// Rules say which numbers forms and gates admit. The zero Rules admit only right check digits.
type Rules struct {
	// TestIdentities are exact numbers admitted whatever their check digit: the vendors' public
	// test numbers. Empty in production; pages show «ТЕСТ» for every one of them.
	TestIdentities []string
}

// AdmitIIN reads an IIN typed by a person: shape and check digit, or a listed test identity.
// A number whose fifth digit says "organisation" is not refused: old IINs are not all regular.
func (r Rules) AdmitIIN(s string) (IIN, error) {
	d, err := r.admit(s)
	return IIN(d), err
}

// AdmitBIN reads a BIN typed by a person: shape and check digit, or a listed test identity.
func (r Rules) AdmitBIN(s string) (BIN, error) {
	d, err := r.admit(s)
	return BIN(d), err
}

func (r Rules) admit(s string) (string, error) {
	d, err := digits(s)
	if err != nil {
		return "", err
	}
	if r.Test(d) {
		return d, nil
	}
	if err := CheckDigit(d); err != nil {
		return "", err
	}
	return d, nil
}

// Test reports whether a number is a listed test identity.
func (r Rules) Test(number string) bool { return slices.Contains(r.TestIdentities, number) }

// Born is the date of birth an IIN tells, ok false when it tells none (impossible date or century).
func (i IIN) Born() (day time.Time, ok bool) {
	if len(i) != 12 || i[6] < '1' || i[6] > '6' {
		return time.Time{}, false
	}
	n := func(at int) int { return int(i[at]-'0')*10 + int(i[at+1]-'0') }
	year := 1800 + 100*((int(i[6]-'0')-1)/2) + n(0)
	day = time.Date(year, time.Month(n(2)), n(4), 0, 0, 0, 0, time.UTC)
	return day, day.Year() == year && int(day.Month()) == n(2) && day.Day() == n(4)
}

// FormatIIN groups twelve digits for reading, as "123 456 789 011". Other text comes back as it is.
func FormatIIN(s string) string {
	if len(s) != 12 {
		return s
	}
	return s[:3] + " " + s[3:6] + " " + s[6:9] + " " + s[9:]
}
