package ber

import (
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// maxInteger bounds an INTEGER, security.md §3: more than any key or serial needs.
const maxInteger = 8 << 10

// Check reports with nil that in is exactly one DER element within the bounds of security.md §3,
// down to every leaf a schema-less reader can reach: definite minimal lengths, depth 32, minimal
// INTEGERs of at most 8 KiB, identifiers with arcs of at most 64 bits, BOOLEANs and BIT STRINGs in
// their one form, text valid for its type. It looks into no OCTET STRING, knows nothing of implicit
// tags, and leaves the order of a SET and the form of times to the reader of the schema.
//
// Parsers call it before they read: what they skip is then as well-formed as what they take.
func Check(in []byte) error {
	rest, err := check(in, 0)
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes after the end")
	}
	if err != nil {
		return fmt.Errorf("checking DER: %w", err)
	}
	return nil
}

// check takes one element off in.
func check(in []byte, depth int) (rest []byte, err error) {
	if depth >= maxDepth {
		return nil, fmt.Errorf("deeper than %d", maxDepth)
	}
	tag, content, rest, err := cut(in)
	if err != nil {
		return nil, err
	}
	constructed := tag&0x20 != 0
	if number := tag & 0x1f; tag&0xc0 == 0 && constructed != (number == 16 || number == 17) { // SEQUENCE, SET
		return nil, fmt.Errorf("type %d in the wrong form", tag&0x1f)
	}
	if !constructed {
		if tag&0xc0 == 0 && !validPrimitive(tag, content) {
			return nil, fmt.Errorf("content not valid for type %d", tag)
		}
		return rest, nil
	}
	for len(content) > 0 {
		if content, err = check(content, depth+1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// cut splits one element with a definite minimal length off in.
func cut(in []byte) (tag byte, content, rest []byte, err error) {
	h, body, err := readHeader(in)
	switch {
	case err != nil:
		return 0, nil, nil, err
	case h.tag == 0:
		return 0, nil, nil, errors.New("end-of-contents")
	case h.indefinite:
		return 0, nil, nil, errors.New("indefinite length")
	case h.length > len(body):
		return 0, nil, nil, errTruncated
	case len(in)-len(body) != headerLen(h.length):
		return 0, nil, nil, errors.New("length not minimal")
	}
	return h.tag, body[:h.length], body[h.length:], nil
}

// headerLen is the length of a tag and a minimal length.
func headerLen(length int) int {
	if length < 0x80 {
		return 2
	}
	return 2 + (bits.Len(uint(length))+7)/8
}

func validPrimitive(tag byte, content []byte) bool {
	switch tag {
	case 1: // BOOLEAN
		return len(content) == 1 && (content[0] == 0 || content[0] == 0xff)
	case 2, 10: // INTEGER, ENUMERATED
		return validInteger(content)
	case 3: // BIT STRING
		return validBits(content)
	case 5: // NULL
		return len(content) == 0
	case 6: // OBJECT IDENTIFIER
		return validIdentifier(content)
	case 23, 24: // the readers of times know their forms
		return isASCII(content)
	}
	return ValidText(tag, content)
}

func validInteger(content []byte) bool {
	if len(content) == 0 || len(content) > maxInteger {
		return false
	}
	return len(content) == 1 || content[0] != 0 && content[0] != 0xff || (content[0]^content[1])&0x80 != 0
}

// validBits: the unused bits are zero (X.690 11.2.1).
func validBits(content []byte) bool {
	if len(content) == 0 || content[0] > 7 {
		return false
	}
	unused := content[0]
	return unused == 0 || len(content) > 1 && content[len(content)-1]&(1<<unused-1) == 0
}

// validIdentifier: arcs minimal and of at most 64 bits.
func validIdentifier(content []byte) bool {
	if len(content) == 0 || content[len(content)-1]&0x80 != 0 {
		return false
	}
	var arc uint64
	begins := true
	for _, b := range content {
		if begins && b == 0x80 || arc>>57 != 0 {
			return false
		}
		arc = arc<<7 | uint64(b&0x7f)
		if begins = b&0x80 == 0; begins {
			arc = 0
		}
	}
	return true
}

// ValidText reports whether content is text of a universal string type, by its tag number. Types
// that are no text are always valid. PrintableString also lets * & @ _ through: real certificates
// have them.
func ValidText(tag byte, content []byte) bool {
	switch tag {
	case 12:
		return utf8.Valid(content)
	case 18: // NumericString
		return every(content, func(c byte) bool { return c >= '0' && c <= '9' || c == ' ' })
	case 19:
		return every(content, printable)
	case 22, 26: // IA5String, VisibleString
		return isASCII(content)
	case 28: // UniversalString
		return len(content)%4 == 0
	case 30: // BMPString, which key files fill with UTF-16
		return len(content)%2 == 0
	}
	return true
}

func isASCII(b []byte) bool { return every(b, func(c byte) bool { return c < 0x80 }) }

func every(b []byte, allowed func(byte) bool) bool {
	for _, c := range b {
		if !allowed(c) {
			return false
		}
	}
	return true
}

func printable(c byte) bool {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
		return true
	}
	switch c {
	case ' ', '\'', '(', ')', '+', ',', '-', '.', '/', ':', '=', '?', '*', '&', '@', '_':
		return true
	}
	return false
}
