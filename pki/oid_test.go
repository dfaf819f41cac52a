package pki_test

import (
	"encoding/asn1"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"senim/pki"
)

func TestParseOID(t *testing.T) {
	for s, want := range map[string]asn1.ObjectIdentifier{
		"1.2.398.3.3.2.1": pki.PolicyLegalSign, "2.5.29.32.0": pki.AnyPolicy, "0.0": {0, 0}, "0.39": {0, 39}, "1.39.0": {1, 39, 0},
		"2.999": {2, 999}, "2.2147483567": {2, 1<<31 - 1 - 80}, "1.2.2147483647": {1, 2, 1<<31 - 1}, "1.2" + strings.Repeat(".3", 18): append(asn1.ObjectIdentifier{1, 2}, slicesOf(3, 18)...),
	} {
		if got, err := pki.ParseOID(s); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "1", "1.", ".1.2", "1..2", "1.2.398.3.3.2.1abc", "1. 2.3", " 1.2", "1.2 ", "1.+2", "1.-2", "9.99.1", "3.1", "0.40", "1.40", "1.02.3", "01.2", "1.2.0x3", "1.2.3e1",
		"1.2.2147483648", "2.2147483568", "1.2.99999999999999999999", "1.2.٣", "one.two", "1,2", "1.2" + strings.Repeat(".3", 19)} {
		if got, err := pki.ParseOID(s); err == nil || got != nil {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

func slicesOf(arc, n int) (all asn1.ObjectIdentifier) {
	for range n {
		all = append(all, arc)
	}
	return all
}

// What is read is written again to the byte, as text and as DER.
func FuzzParseOID(f *testing.F) {
	for _, s := range []string{"1.2.398.3.3.2.1", "2.999", "2.2147483567", "0.0", "1.40", "1.+2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := pki.ParseOID(s)
		if err != nil {
			return
		}
		if id.String() != s {
			t.Errorf("%q is written %q", s, id)
		}
		var b cryptobyte.Builder
		b.AddASN1ObjectIdentifier(id)
		der, err := b.Bytes()
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		var back asn1.ObjectIdentifier
		if in := cryptobyte.String(der); !in.ReadASN1ObjectIdentifier(&back) || !in.Empty() || !back.Equal(id) {
			t.Errorf("%q: %x is read as %v", s, der, back)
		}
	})
}
