// Package ber turns BER, as PKCS #12 files and CMS messages of national programs have it, into DER
// before any real parser looks at it, and says whether bytes are DER at all.
//
// [Check] is for what has to be DER from the beginning: certificates, lists, requests, answers.
// [Normalize] is for the rest: indefinite lengths become definite, lengths minimal, constructed
// strings are joined. It knows no schema, so an implicitly tagged constructed string ([0] of
// EncryptedContentInfo) stays constructed: [Joined] reads that. Elements of a SET are not sorted.
// Everything is bounded (security.md §3): depth 32, 100 000 elements, constructed strings nested
// at most 4 deep. Refused: trailing bytes, tags above 30, lengths above 2³¹, constructed BIT STRINGs.
package ber

import (
	"errors"
	"fmt"
)

// Bounds of security.md §3.
const (
	maxDepth       = 32
	maxPieces      = 100_000
	maxStringDepth = 4
)

var errTruncated = errors.New("data ends inside an element")

// Normalize gives the DER of exactly one BER element. The result is shorter than the input, or as
// long, but for two bytes at most where more than 64 KiB stood under an indefinite length.
func Normalize(in []byte) ([]byte, error) {
	out, rest, err := First(in)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, errors.New("normalizing BER: bytes after the end")
	}
	return out, nil
}

// IsDER reports whether in is exactly one element whose lengths are all definite and minimal and whose
// strings are in one piece: Normalize would give it back as it is. It counts no elements, only depth:
// it keeps nothing of what it walks over.
func IsDER(in []byte) bool {
	rest, ok := skipDER(in, 0)
	return ok && len(rest) == 0
}

func skipDER(in []byte, depth int) (rest []byte, ok bool) {
	h, body, err := readHeader(in)
	if err != nil || depth >= maxDepth || h.tag == 0 || h.indefinite || h.length > len(body) ||
		len(in)-len(body) != 2+lengthOctets(h.length) {
		return nil, false
	}
	inner, rest := body[:h.length], body[h.length:]
	if h.tag&0x20 == 0 {
		return rest, true
	}
	if number := h.tag & 0x1f; h.tag&0xc0 == 0 && (isString(number) || number == 3) {
		return nil, false
	}
	for len(inner) > 0 {
		if inner, ok = skipDER(inner, depth+1); !ok {
			return nil, false
		}
	}
	return rest, true
}

// First is Normalize of the first element only, and gives what follows it.
func First(in []byte) (der, rest []byte, err error) {
	r := reader{left: maxPieces}
	return r.element(nil, in, 0)
}

// Joined gives the content of a string whose tag was implicit: body as it is when the tag is
// primitive, else body read as a row of DER OCTET STRINGs and joined. body is a result of
// Normalize, so that they are not nested any more.
func Joined(constructed bool, body []byte) ([]byte, error) {
	if !constructed {
		return body, nil
	}
	var out []byte
	for len(body) > 0 {
		h, rest, err := readHeader(body)
		if err != nil {
			return nil, err
		}
		if h.tag != 0x04 || h.indefinite || h.length > len(rest) {
			return nil, errors.New("joining string: piece is not an OCTET STRING")
		}
		out = append(out, rest[:h.length]...)
		body = rest[h.length:]
	}
	return out, nil
}

// reader counts the elements seen.
type reader struct{ left int }

// header is a tag and length.
type header struct {
	tag        byte
	length     int // of the content; unset when indefinite
	indefinite bool
}

// readHeader takes the tag and length off in.
func readHeader(in []byte) (header, []byte, error) {
	if len(in) < 2 {
		return header{}, nil, errTruncated
	}
	h := header{tag: in[0]}
	if h.tag&0x1f == 0x1f {
		return header{}, nil, errors.New("tag number above 30")
	}
	l, in := in[1], in[2:]
	switch {
	case l < 0x80:
		h.length = int(l)
		return h, in, nil
	case l == 0x80:
		h.indefinite = true
		return h, in, nil
	}
	n := int(l & 0x7f)
	if n > len(in) {
		return header{}, nil, errTruncated
	}
	for _, b := range in[:n] {
		if h.length > 0x7fffff {
			return header{}, nil, errors.New("length above 2³¹")
		}
		h.length = h.length<<8 | int(b)
	}
	return h, in[n:], nil
}

// isString tells the universal types whose constructed form is pieces of the primitive one.
func isString(number byte) bool {
	switch number {
	case 4, 12, 18, 19, 20, 21, 22, 24, 25, 26, 27, 28, 30, 23:
		return true
	}
	return false
}

// element appends one normalized element of in to out.
func (r *reader) element(out, in []byte, depth int) (der, rest []byte, err error) {
	h, body, err := r.open(in, depth)
	if err != nil {
		return nil, nil, err
	}
	if h.tag&0x20 == 0 {
		out = appendHeader(out, h.tag, h.length)
		return append(out, body[:h.length]...), body[h.length:], nil
	}
	universal, number := h.tag&0xc0 == 0, h.tag&0x1f
	if universal && number == 3 {
		return nil, nil, errors.New("normalizing BER: constructed BIT STRING")
	}
	tag, read := h.tag, r.element
	if universal && isString(number) {
		tag = number
		read = func(out, in []byte, depth int) ([]byte, []byte, error) {
			return r.piece(out, in, number, depth, 1)
		}
	}
	content, rest, err := r.children(h, body, depth, read)
	if err != nil {
		return nil, nil, err
	}
	out = appendHeader(out, tag, len(content))
	return append(out, content...), rest, nil
}

// open reads a header and checks the bounds that hold for every element.
func (r *reader) open(in []byte, depth int) (header, []byte, error) {
	if depth >= maxDepth {
		return header{}, nil, fmt.Errorf("normalizing BER: deeper than %d", maxDepth)
	}
	if r.left--; r.left < 0 {
		return header{}, nil, fmt.Errorf("normalizing BER: more than %d elements", maxPieces)
	}
	h, body, err := readHeader(in)
	switch {
	case err != nil:
		return header{}, nil, err
	case h.tag == 0:
		return header{}, nil, errors.New("normalizing BER: end-of-contents without a beginning")
	case h.indefinite && h.tag&0x20 == 0:
		return header{}, nil, errors.New("normalizing BER: primitive element of indefinite length")
	case !h.indefinite && h.length > len(body):
		return header{}, nil, errTruncated
	}
	return h, body, nil
}

// children reads the elements inside a constructed one with read, which appends each to its first
// argument, and gives them joined.
func (r *reader) children(h header, body []byte, depth int, read func(out, in []byte, depth int) ([]byte, []byte, error)) (content, rest []byte, err error) {
	inner := body
	if !h.indefinite {
		inner, rest = body[:h.length], body[h.length:]
	}
	for {
		if h.indefinite && len(inner) >= 2 && inner[0] == 0 && inner[1] == 0 {
			return content, inner[2:], nil
		}
		if len(inner) == 0 {
			if h.indefinite {
				return nil, nil, errTruncated
			}
			return content, rest, nil
		}
		if content, inner, err = read(content, inner, depth+1); err != nil {
			return nil, nil, err
		}
	}
}

// piece appends the content of one piece of a constructed string of type number.
func (r *reader) piece(out, in []byte, number byte, depth, nested int) (joined, rest []byte, err error) {
	h, body, err := r.open(in, depth)
	if err != nil {
		return nil, nil, err
	}
	// X.690 §8.7.3, §8.23: pieces of an OCTET STRING, and of the character strings, are OCTET
	// STRINGs; many writers repeat the outer type.
	if n := h.tag &^ 0x20; n != 4 && n != number {
		return nil, nil, errors.New("normalizing BER: string made of something other than strings")
	}
	if h.tag&0x20 == 0 {
		return append(out, body[:h.length]...), body[h.length:], nil
	}
	if nested >= maxStringDepth {
		return nil, nil, fmt.Errorf("normalizing BER: strings nested deeper than %d", maxStringDepth)
	}
	content, rest, err := r.children(h, body, depth, func(out, in []byte, depth int) ([]byte, []byte, error) {
		return r.piece(out, in, number, depth, nested+1)
	})
	return append(out, content...), rest, err
}

// lengthOctets is how many octets follow the first of a minimal length.
func lengthOctets(length int) int {
	if length < 0x80 {
		return 0
	}
	n := 1
	for l := length >> 8; l > 0; l >>= 8 {
		n++
	}
	return n
}

// appendHeader writes a tag and a minimal length.
func appendHeader(out []byte, tag byte, length int) []byte {
	out = append(out, tag)
	n := lengthOctets(length)
	if n == 0 {
		return append(out, byte(length))
	}
	out = append(out, 0x80|byte(n))
	for n--; n >= 0; n-- {
		out = append(out, byte(length>>(8*n)))
	}
	return out
}
