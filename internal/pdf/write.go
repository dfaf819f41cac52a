package pdf

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode/utf16"
)

// Append writes an object that is no stream.
func Append(b []byte, o Object) []byte {
	switch o := o.(type) {
	case bool:
		return strconv.AppendBool(b, o)
	case int:
		return strconv.AppendInt(b, int64(o), 10)
	case int64:
		return strconv.AppendInt(b, o, 10)
	case Real:
		return append(b, o...)
	case Name:
		return appendName(b, o)
	case *String:
		return appendString(b, o.Bytes)
	case Ref:
		return fmt.Appendf(b, "%d %d R", o.Num, o.Gen)
	case Array:
		b = append(b, '[')
		for i, e := range o {
			if i > 0 {
				b = append(b, ' ')
			}
			b = Append(b, e)
		}
		return append(b, ']')
	case *Dict:
		b = append(b, "<<"...)
		for i, k := range o.keys {
			b = append(appendName(append(b, ' '), k), ' ')
			b = Append(b, o.values[i])
		}
		return append(b, " >>"...)
	}
	return append(b, "null"...)
}

func appendName(b []byte, n Name) []byte {
	b = append(b, '/')
	for _, c := range []byte(n) {
		if c < 0x21 || c > 0x7e || c == '#' || isDelimiter(int(c)) {
			b = fmt.Appendf(b, "#%02X", c)
			continue
		}
		b = append(b, c)
	}
	return b
}

// appendString writes printable ASCII as (…) and the rest as <…>.
func appendString(b, s []byte) []byte {
	for _, c := range s {
		if c < 0x20 || c > 0x7e {
			return append(hex.AppendEncode(append(b, '<'), s), '>')
		}
	}
	b = append(b, '(')
	for _, c := range s {
		if c == '(' || c == ')' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, ')')
}

// Text is a text string: ASCII, or UTF-16 with its mark.
func Text(s string) *String {
	for _, r := range s {
		if r < 0x20 || r > 0x7e {
			out := []byte{0xfe, 0xff}
			for _, u := range utf16.Encode([]rune(s)) {
				out = append(out, byte(u>>8), byte(u))
			}
			return &String{Bytes: out, At: -1, End: -1}
		}
	}
	return &String{Bytes: []byte(s), At: -1, End: -1}
}

// Text reads a text string: UTF-16 or UTF-8 with their marks, else the letters that PDF's own
// encoding shares with Latin-1.
func (s *String) Text() string {
	switch {
	case bytes.HasPrefix(s.Bytes, []byte{0xfe, 0xff}):
		var units []uint16
		for b := s.Bytes[2:]; len(b) >= 2; b = b[2:] {
			units = append(units, uint16(b[0])<<8|uint16(b[1]))
		}
		return string(utf16.Decode(units))
	case bytes.HasPrefix(s.Bytes, []byte{0xef, 0xbb, 0xbf}):
		return string(bytes.ToValidUTF8(s.Bytes[3:], []byte("\uFFFD")))
	}
	runes := make([]rune, 0, len(s.Bytes))
	for _, c := range s.Bytes {
		runes = append(runes, rune(c))
	}
	return string(runes)
}

// Equal tells whether two objects of two revisions say the same. References are the same when they
// have one number: what that number stands for is not looked at. A dictionary with a key twice is
// equal to none.
func Equal(a *File, x Object, b *File, y Object) (bool, error) {
	switch x := x.(type) {
	case *String:
		y, ok := y.(*String)
		return ok && bytes.Equal(x.Bytes, y.Bytes), nil
	case Array:
		y, ok := y.(Array)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := Equal(a, x[i], b, y[i]); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	case *Dict:
		y, ok := y.(*Dict)
		if !ok {
			return false, nil
		}
		return equalDicts(a, x, b, y)
	case *Stream:
		y, ok := y.(*Stream)
		if !ok || x.Size != y.Size {
			return false, nil
		}
		if same, err := equalDicts(a, x.Dict, b, y.Dict); err != nil || !same {
			return false, err
		}
		return equalBytes(a, x, b, y)
	}
	switch y.(type) {
	case *String, Array, *Dict, *Stream:
		return false, nil
	}
	return x == y, nil
}

// equalDicts takes an absent key for null.
func equalDicts(a *File, x *Dict, b *File, y *Dict) (bool, error) {
	if x.Twice || y.Twice {
		return false, nil
	}
	for _, k := range x.keys {
		if same, err := Equal(a, x.Get(k), b, y.Get(k)); err != nil || !same {
			return false, err
		}
	}
	for _, k := range y.keys {
		if y.Get(k) != nil && x.Get(k) == nil {
			return false, nil
		}
	}
	return true, nil
}

func equalBytes(a *File, x *Stream, b *File, y *Stream) (bool, error) {
	if err := b.spend(2 * x.Size); err != nil {
		return false, err
	}
	for done := int64(0); done < x.Size; {
		n := int(min(chunkSize, x.Size-done))
		one, err := a.window(x.At+done, n)
		if err != nil {
			return false, err
		}
		one = bytes.Clone(one)
		two, err := b.window(y.At+done, n)
		if err != nil {
			return false, err
		}
		if len(one) != n || !bytes.Equal(one, two) {
			return false, nil
		}
		done += int64(n)
	}
	return true, nil
}
