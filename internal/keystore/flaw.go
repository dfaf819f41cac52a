package keystore

import "bytes"

// Flaw is what is wrong with a file that has the name of a key file, as its form tells without a password; "" is nothing.
type Flaw string

// The flaws.
const (
	FlawEmpty   Flaw = "empty"
	FlawCut     Flaw = "cut"     // its end is not there
	FlawForeign Flaw = "foreign" // neither PKCS #12 nor a Java key store
)

// pkcs12 is how the inside of a PKCS #12 file begins: version 3 (RFC 7292 §4).
var pkcs12 = []byte{0x02, 0x01, 0x03}

func flawOf(content []byte) Flaw {
	switch {
	case len(content) == 0:
		return FlawEmpty
	case isJKS(content):
		if _, whole := keysOfJKS(content); !whole {
			return FlawCut
		}
		return ""
	case content[0] != 0x30:
		return FlawForeign
	}
	head, size, known := derHead(content)
	switch inside := content[min(head, len(content)):]; {
	case head > len(content), bytes.HasPrefix(pkcs12, inside): // not even as much
		return FlawCut
	case !bytes.HasPrefix(inside, pkcs12):
		return FlawForeign
	case known && size > uint64(len(inside)), !known && !bytes.HasSuffix(content, []byte{0, 0}):
		return FlawCut
	}
	return ""
}

// derHead reads tag and length of an element: how many bytes they take, and how many follow, when that is said (BER may leave
// it out).
func derHead(content []byte) (head int, size uint64, known bool) {
	if len(content) < 2 {
		return 2, 0, true
	}
	n := int(content[1] & 0x7f)
	switch {
	case content[1] < 0x80:
		return 2, uint64(n), true
	case n == 0:
		return 2, 0, false
	case n > 8: // of nothing that fits a computer
		return 2, 1 << 63, true
	}
	for _, b := range content[2:min(2+n, len(content))] {
		size = size<<8 | uint64(b)
	}
	return 2 + n, size, true
}
