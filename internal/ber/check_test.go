package ber

import (
	"bytes"
	"encoding/asn1"
	"strings"
	"testing"
)

// element writes a tag, a minimal length and the content.
func element(tag byte, content []byte) []byte {
	return append(appendHeader(nil, tag, len(content)), content...)
}

// nested is n SEQUENCEs, one in another.
func nested(n int) []byte {
	var out []byte
	for range n {
		out = element(0x30, out)
	}
	return out
}

// arc is an OBJECT IDENTIFIER with one arc of n bits.
func arc(n int) []byte {
	content := []byte{0x2a}
	septets := (n + 6) / 7
	for i := range septets {
		b := byte(0x7f)
		if i == 0 {
			b = 1<<((n-1)%7+1) - 1
		}
		if i < septets-1 {
			b |= 0x80
		}
		content = append(content, b)
	}
	return element(6, content)
}

// Every bound and every rule of form, with the last that passes and the first that does not.
func TestSec3Check(t *testing.T) {
	for _, c := range []struct {
		name      string
		good, bad []byte
	}{
		{"depth 32", nested(32), nested(33)},
		{"depth of explicit tags", bytes.Replace(nested(32), []byte{0x30, 0}, []byte{0xa0, 0}, 1), element(0xa0, nested(32))},
		{"length below 128", element(4, make([]byte, 127)), append(unhex(t, "04817f"), make([]byte, 127)...)},
		{"length of 128", element(4, make([]byte, 128)), append(unhex(t, "04820080"), make([]byte, 128)...)},
		{"length of 256", element(4, make([]byte, 256)), append(unhex(t, "0483000100"), make([]byte, 256)...)},
		{"definite", unhex(t, "3000"), unhex(t, "30800000")},
		{"whole", unhex(t, "040100"), unhex(t, "040200")},
		{"nothing behind", unhex(t, "0500"), unhex(t, "050000")},
		{"tag numbers", unhex(t, "9e00"), unhex(t, "9f1f00")},
		{"INTEGER of 8 KiB", element(2, bytes.Repeat([]byte{1}, 8<<10)), element(2, bytes.Repeat([]byte{1}, 8<<10+1))},
		{"INTEGER minimal", unhex(t, "02020080"), unhex(t, "0202007f")},
		{"negative INTEGER minimal", unhex(t, "0202ff7f"), unhex(t, "0202ff80")},
		{"INTEGER of no octets", unhex(t, "020100"), unhex(t, "0200")},
		{"ENUMERATED", unhex(t, "0a0101"), unhex(t, "0a020001")},
		{"BOOLEAN", unhex(t, "0101ff"), unhex(t, "010101")},
		{"BOOLEAN of one octet", unhex(t, "010100"), unhex(t, "01020000")},
		{"NULL", unhex(t, "0500"), unhex(t, "050100")},
		{"arc of 64 bits", arc(64), arc(65)},
		{"arc minimal", unhex(t, "06022a03"), unhex(t, "06032a8003")},
		{"arc finished", unhex(t, "06022a03"), unhex(t, "06022a83")},
		{"arcs at all", unhex(t, "06012a"), unhex(t, "0600")},
		{"unused bits", unhex(t, "03020780"), unhex(t, "03020880")},
		{"unused bits zero", unhex(t, "03020780"), unhex(t, "03020781")},
		{"unused bits of nothing", unhex(t, "030100"), unhex(t, "030101")},
		{"BIT STRING of no octets", unhex(t, "030100"), unhex(t, "0300")},
		{"UTF8String", unhex(t, "0c02d096"), unhex(t, "0c01d0")},
		{"UTF8String, no surrogates", unhex(t, "0c03efbfbd"), unhex(t, "0c03eda080")},
		{"PrintableString", element(19, []byte("IIN123 '()+,-./:=?*&@_")), element(19, []byte("a;b"))},
		{"PrintableString, ASCII", element(19, []byte("KZ")), element(19, []byte("ҚЗ"))},
		{"NumericString", element(18, []byte("12 34")), element(18, []byte("12a"))},
		{"IA5String", element(22, []byte("a@b;")), element(22, []byte{0x80})},
		{"VisibleString", element(26, []byte("a")), element(26, []byte{0xc0})},
		{"BMPString", unhex(t, "1e020416"), unhex(t, "1e0104")},
		{"UniversalString", unhex(t, "1c0400000416"), unhex(t, "1c020416")},
		{"times in ASCII", element(23, []byte("260901100000Z")), element(23, []byte("2609011000\xd00Z"))},
		{"OCTET STRING primitive", unhex(t, "040100"), unhex(t, "2403040100")},
		{"UTF8String primitive", unhex(t, "0c0141"), unhex(t, "2c030c0141")},
		{"SEQUENCE constructed", unhex(t, "3000"), unhex(t, "1000")},
		{"SET constructed", unhex(t, "3100"), unhex(t, "1100")},
		{"no end-of-contents", unhex(t, "30020500"), unhex(t, "30020000")},
		{"inside", unhex(t, "30053003020101"), unhex(t, "3006300402020001")},
	} {
		if err := Check(c.good); err != nil {
			t.Errorf("%s: refused: %v", c.name, err)
		}
		if err := Check(c.bad); err == nil {
			t.Errorf("%s: crossed, and accepted", c.name)
		}
	}
	if err := Check(nil); err == nil {
		t.Error("nothing is accepted")
	}
}

// What stands in an OCTET STRING or under an implicit tag is nobody's business here.
func TestCheckLooksNoDeeper(t *testing.T) {
	for _, in := range []string{"04020101", "80020201", "0403308000"} {
		if err := Check(unhex(t, in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// The bounds of BER, security.md §3: the last that passes, the first that does not.
func TestSec3Normalize(t *testing.T) {
	ber := func(n int, tag string) string {
		return strings.Repeat(tag+"80", n) + strings.Repeat("0000", n)
	}
	pieces := func(n int) []byte {
		return append(append([]byte{0x30, 0x80}, bytes.Repeat([]byte{5, 0}, n-1)...), 0, 0)
	}
	strs := func(n int) []byte {
		in := strings.Repeat("2480", n) + "0401aa" + strings.Repeat("0000", n)
		return unhex(t, in)
	}
	for _, c := range []struct {
		name      string
		good, bad []byte
	}{
		{"depth 32", unhex(t, ber(32, "30")), unhex(t, ber(33, "30"))},
		{"100 000 pieces", pieces(maxPieces), pieces(maxPieces + 1)},
		{"strings nested 4 deep", strs(maxStringDepth), strs(maxStringDepth + 1)},
	} {
		out, err := Normalize(c.good)
		if err != nil || len(out) > len(c.good)+2 {
			t.Errorf("%s: %d bytes of %d, %v", c.name, len(out), len(c.good), err)
		}
		if _, err := Normalize(c.bad); err == nil {
			t.Errorf("%s: crossed, and accepted", c.name)
		}
	}
}

// What Check lets through is its own normal form, and a standard reader can walk it.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"3000", "300506032a0304", "30080c0241420201800500", "a003020100", "03020780", "300406022a03", "180f32303236303930313130303030305a"} {
		f.Add(unhex(f, s))
	}
	f.Add(nested(32))
	f.Add(arc(64))
	f.Fuzz(func(t *testing.T, in []byte) {
		if Check(in) != nil {
			return
		}
		if out, err := Normalize(in); err == nil && !bytes.Equal(out, in) {
			t.Fatalf("%x is normalized to %x", in, out)
		}
		var raw asn1.RawValue
		if rest, err := asn1.Unmarshal(in, &raw); err != nil || len(rest) > 0 {
			t.Fatalf("encoding/asn1: %v, %d bytes left of %x", err, len(rest), in)
		}
	})
}

// What Joined takes is a row of OCTET STRINGs, and their contents are all there is.
func FuzzJoined(f *testing.F) {
	f.Add(unhex(f, "0401aa0402bbcc"))
	f.Add(unhex(f, "04820001aa"))
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := Joined(true, body)
		if err != nil {
			return
		}
		if len(out) > len(body) {
			t.Fatalf("%x joined to %x", body, out)
		}
		var again []byte
		for _, b := range out {
			again = append(again, 4, 1, b)
		}
		if back, err := Joined(true, again); err != nil || !bytes.Equal(back, out) {
			t.Fatalf("%x in pieces of one joined to %x, %v", out, back, err)
		}
	})
}
