package pkitest

import (
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/internal/ber"
)

// Graft returns der with one of its elements replaced, and the lengths around it made right, so that
// a fuzzer gets past the outermost header. Elements are counted from 0 in the order they begin, those
// inside a string that holds DER too; past the last, der comes back as it was.
func Graft(der []byte, which int, element []byte) []byte {
	return graft(der, &which, element)
}

func graft(der []byte, left *int, element []byte) []byte {
	var out []byte
	for in := cryptobyte.String(der); !in.Empty(); {
		var whole, content cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1Element(&whole, &tag) {
			return der
		}
		if *left--; *left == -1 {
			out = append(out, element...)
			continue
		}
		if *left < -1 || !whole.ReadAnyASN1(&content, &tag) {
			out = append(out, whole...)
			continue
		}
		var b cryptobyte.Builder
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(graftInside(tag, content, left, element)) })
		out = append(out, b.BytesOrPanic()...)
	}
	return out
}

// graftInside goes into what is constructed and into strings that hold DER.
func graftInside(tag cbasn1.Tag, content []byte, left *int, element []byte) []byte {
	switch {
	case tag&0x20 != 0, tag == cbasn1.OCTET_STRING && ber.Check(content) == nil:
		return graft(content, left, element)
	case tag == cbasn1.BIT_STRING && len(content) > 1 && ber.Check(content[1:]) == nil:
		return append([]byte{content[0]}, graft(content[1:], left, element)...)
	}
	return content
}
