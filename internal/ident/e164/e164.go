// Package e164 reads phone numbers. It stands apart from package ident because the numbering plans of the whole
// world, which it holds each number against, are read when a program starts: who asks no phone need not wait.
package e164

import (
	"fmt"

	"github.com/nyaruka/phonenumbers"

	"senim/internal/ident"
)

// Parse reads a phone number, in Kazakhstan's national form or with a country code; else [ident.ErrPhone], which
// never repeats the text.
func Parse(s string) (ident.Phone, error) {
	if len(s) > 40 {
		return "", fmt.Errorf("read phone: %w", ident.ErrPhone)
	}
	n, err := phonenumbers.Parse(s, "KZ")
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", fmt.Errorf("read phone: %w", ident.ErrPhone)
	}
	return ident.Phone(phonenumbers.Format(n, phonenumbers.E164)), nil
}
