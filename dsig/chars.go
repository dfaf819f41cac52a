package dsig

import (
	"fmt"
	"unicode/utf8"
)

// SyntaxError says where a document breaks the rules of XML 1.0, of namespaces, or ours.
type SyntaxError struct {
	Line, Column int    // from 1; the column counts characters
	Reason       string // the rule, in English
	Unclosed     bool   // the document ended inside an element
}

// Error gives the place and the reason.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("parsing XML: line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// isChar is Char of XML 1.0 §2.2.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || 0x20 <= r && r <= 0xd7ff || 0xe000 <= r && r <= 0xfffd || 0x10000 <= r && r <= 0x10ffff
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// isNameStart is NameStartChar of XML 1.0 §2.3 without the colon, as namespaces want.
func isNameStart(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', r == '_':
		return true
	case r < 0xc0:
		return false
	}
	for _, c := range nameStart {
		if c[0] <= r && r <= c[1] {
			return true
		}
	}
	return false
}

// nameStart are the ranges of NameStartChar above ASCII.
var nameStart = [...][2]rune{
	{0xc0, 0xd6}, {0xd8, 0xf6}, {0xf8, 0x2ff}, {0x370, 0x37d}, {0x37f, 0x1fff}, {0x200c, 0x200d}, {0x2070, 0x218f},
	{0x2c00, 0x2fef}, {0x3001, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xfffd}, {0x10000, 0xeffff},
}

// isNamePart is NameChar of XML 1.0 §2.3 without the colon.
func isNamePart(r rune) bool {
	return isNameStart(r) || r == '-' || r == '.' || '0' <= r && r <= '9' || r == 0xb7 || 0x300 <= r && r <= 0x36f || 0x203f <= r && r <= 0x2040
}

// badChar gives the offset of the first byte that is not UTF-8 or not a character of XML, -1 for none.
func badChar(src []byte) int {
	for i := 0; i < len(src); {
		if b := src[i]; b >= 0x20 && b < 0x80 {
			i++
			continue
		}
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n <= 1 || !isChar(r) {
			return i
		}
		i += n
	}
	return -1
}
