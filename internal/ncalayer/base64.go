package ncalayer

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// javaError is a text of Java's, which pages compare: neither its capital nor its words are ours.
type javaError string

func (e javaError) Error() string { return string(e) }

// DecodeBase64 reads base64 with any white space in it and with or without padding. Its errors
// are the texts of Java's decoder, which pages have seen for years.
func DecodeBase64(s string) ([]byte, error) {
	clean := strings.Map(func(c rune) rune {
		switch c {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return c
	}, s)
	body := strings.TrimRight(clean, "=")
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == '=' {
			return nil, javaError(fmt.Sprintf("Input byte array has incorrect ending byte at %d", i+1))
		}
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' {
			continue
		}
		// Java prints the byte as a signed number.
		return nil, javaError(fmt.Sprintf("Illegal base64 character %x", int8(c)))
	}
	padding := len(clean) - len(body)
	if len(body)%4 == 1 || padding > 2 || padding > 0 && len(clean)%4 != 0 {
		return nil, javaError("Input byte array has wrong 4-byte ending unit")
	}
	out, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return nil, javaError("Input byte array has wrong 4-byte ending unit")
	}
	return out, nil
}
