// Package gsm shapes texts for short messages: which alphabet, how many parts, and what is shortened
// when they do not fit. It sends nothing.
//
// It refuses control characters, and a text that only fits when more than a name is cut.
package gsm

import (
	"errors"
	"sort"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/linxGnu/gosmpp/data"
	"github.com/rivo/uniseg"
)

// Shaped is a text as it goes over the air.
type Shaped struct {
	// Coding is the data_coding of SMPP: 0 for the alphabet of GSM, 8 for UCS-2.
	Coding byte
	// Parts are the encoded pieces: seven-bit characters one to an octet, or UTF-16 in big-endian.
	Parts [][]byte
}

// Errors of [Shape] and [Fit]. They never repeat the text.
var (
	ErrTooLong = errors.New("the text needs more parts than allowed")
	ErrText    = errors.New("the text is empty or has control characters")
)

// MaxParts is the usual bound (rule I9).
const MaxParts = 2

// Units of one message, and of each part of a joined one, whose header takes six octets.
const (
	gsmAlone, gsmJoined = 160, 153
	ucsAlone, ucsJoined = 70, 67
)

// Shape encodes a text in at most limit parts: in the alphabet of GSM when every character is in
// it, else in UCS-2. A part never ends inside a character as people see it.
func Shape(text string, limit int) (Shaped, error) {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return Shaped{}, ErrText
	}
	if len(text) > 8*ucsJoined*max(limit, 1) {
		return Shaped{}, ErrTooLong
	}
	s, alone, joined, encode := Shaped{}, gsmAlone, gsmJoined, septets
	if len(data.ValidateGSM7String(text)) > 0 {
		s.Coding, alone, joined, encode = data.UCS2Coding, 2*ucsAlone, 2*ucsJoined, utf16be
	}
	whole := encode(text)
	if len(whole) <= alone {
		s.Parts = [][]byte{whole}
	} else {
		var part []byte
		for g := uniseg.NewGraphemes(text); g.Next(); {
			seen := encode(g.Str())
			if len(seen) > joined {
				return Shaped{}, ErrText // one "character" of a whole part: not a text for people
			}
			if len(part)+len(seen) > joined {
				s.Parts = append(s.Parts, part)
				part = nil
			}
			part = append(part, seen...)
		}
		s.Parts = append(s.Parts, part)
	}
	if len(s.Parts) > limit {
		return Shaped{}, ErrTooLong
	}
	return s, nil
}

// septets encodes what data.ValidateGSM7String let through; some characters take two.
func septets(s string) []byte {
	b, err := data.GSM7BIT.Encode(s)
	if err != nil {
		return nil
	}
	return b
}

func utf16be(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return b
}

// Fit writes a text that fits into limit parts, shortening the name of an organisation in it, with
// "…" at the cut, as little as needed: at a word where one is near. Nothing else is ever shortened,
// so a date stays whole; when no name fits, it is [ErrTooLong].
func Fit(write func(org string) string, org string, limit int) (string, error) {
	text := write(org)
	_, err := Shape(text, limit)
	if !errors.Is(err, ErrTooLong) {
		return text, err
	}
	ends := []int{0} // where each character of the name ends
	for g := uniseg.NewGraphemes(org); g.Next(); {
		_, to := g.Positions()
		ends = append(ends, to)
	}
	fits := func(n int) bool {
		_, err := Shape(write(org[:ends[n]]+"…"), limit)
		return err == nil
	}
	// "…" makes it UCS-2 whatever is cut, so a shorter name never takes more room. The first
	// number that does not fit, of those that ever could:
	n := sort.Search(min(len(ends)-1, limit*ucsAlone), func(n int) bool { return !fits(n) }) - 1
	if n < 1 {
		return "", ErrTooLong
	}
	return write(cutName(org, ends, n)), nil
}

// cutName keeps n characters of a name, or up to ten fewer when a word ends there.
func cutName(org string, ends []int, n int) string {
	kept := org[:ends[n]]
	if next := org[ends[n]:]; !strings.HasPrefix(next, " ") {
		if at := strings.LastIndexByte(kept, ' '); at > ends[max(n-10, 0)] {
			kept = kept[:at]
		}
	}
	return strings.TrimRightFunc(kept, unicode.IsSpace) + "…"
}
