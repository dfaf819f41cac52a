package ber

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"DER stays", "30 06 02 01 01 04 01 ff", "30 06 02 01 01 04 01 ff"},
		{"indefinite", "30 80 02 01 01 00 00", "30 03 02 01 01"},
		{"nested indefinite", "30 80 a0 80 04 01 aa 00 00 00 00", "30 05 a0 03 04 01 aa"},
		{"long length", "30 82 00 03 02 01 01", "30 03 02 01 01"},
		{"constructed string", "24 80 04 02 aa bb 04 01 cc 00 00", "04 03 aa bb cc"},
		{"constructed definite", "24 07 04 02 aa bb 04 01 cc", "04 03 aa bb cc"},
		{"nested string", "24 80 24 05 04 03 01 02 03 04 00 00 00", "04 03 01 02 03"},
		{"text of octets", "2c 03 04 01 41", "0c 01 41"},
		{"empty string", "24 80 00 00", "04 00"},
		{"implicit stays constructed", "a0 80 04 01 aa 04 01 bb 00 00", "a0 06 04 01 aa 04 01 bb"},
	} {
		got, err := Normalize(unhex(t, c.in))
		if err != nil || !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("%s: got %x, %v", c.name, got, err)
		}
	}
}

func TestNormalizeRefuses(t *testing.T) {
	deep := strings.Repeat("3080", maxDepth+1) + strings.Repeat("0000", maxDepth+1)
	strs := strings.Repeat("2480", maxStringDepth+1) + strings.Repeat("0000", maxStringDepth+1)
	for _, c := range []struct{ name, in string }{
		{"nothing", ""}, {"tag alone", "30"}, {"short", "30 05 02 01 01"}, {"trailing", "30 00 00"},
		{"no end", "30 80 02 01 01"}, {"half an end", "30 80 02 01 01 00"}, {"end inside definite", "30 02 00 00"},
		{"primitive indefinite", "04 80 00 00"}, {"high tag", "1f 81 01 00"}, {"huge length", "04 84 ff ff ff ff"},
		{"huge length, nine bytes", "04 89 01 00 00 00 00 00 00 00 00"}, {"deep", deep}, {"deep strings", strs},
		{"constructed bits", "23 03 03 01 00"}, {"string of numbers", "24 03 02 01 01"}, {"end alone", "00 00"},
	} {
		if got, err := Normalize(unhex(t, c.in)); err == nil {
			t.Errorf("%s: accepted as %x", c.name, got)
		}
	}
	many := append(unhex(t, "30 80"), bytes.Repeat([]byte{5, 0}, maxPieces)...)
	if _, err := Normalize(append(many, 0, 0)); err == nil {
		t.Error("too many elements accepted")
	}
}

func TestJoined(t *testing.T) {
	got, err := Joined(true, unhex(t, "04 01 aa 04 02 bb cc"))
	if err != nil || hex.EncodeToString(got) != "aabbcc" {
		t.Errorf("joined: %x, %v", got, err)
	}
	for _, bad := range []string{"04", "04 05 aa", "02 01 01", "24 80 00 00"} {
		if _, err := Joined(true, unhex(t, bad)); err == nil {
			t.Errorf("joined %s", bad)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"30800201010000", "24800402aabb0401cc0000", "a0800401aa0000", "30820003020101"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := Normalize(in)
		if err != nil {
			return
		}
		if len(out) > len(in)+2*maxDepth {
			t.Fatalf("grew from %d to %d", len(in), len(out))
		}
		again, err := Normalize(out)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("normalizing twice differs: %x, %x, %v", out, again, err)
		}
	})
}

// What is DER stays as it is when normalized, and only that.
func TestIsDER(t *testing.T) {
	for in, want := range map[string]bool{
		"30 06 02 01 01 04 01 ff": true, "30 00": true, "a0 03 04 01 aa": true, "": false,
		"30 80 02 01 01 00 00": false, "30 81 03 02 01 01": false, "30 82 00 03 02 01 01": false, "24 03 04 01 aa": false,
		"30 03 02 01 01 00": false, "30 04 02 01 01": false, "30 05 24 03 04 01 aa": false, "23 00": false, "30 02 00 00": false,
	} {
		if got := IsDER(unhex(t, in)); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
	deep := []byte{5, 0}
	for range maxDepth {
		deep = append([]byte{0x30, byte(len(deep))}, deep...)
	}
	if IsDER(deep) || !IsDER(deep[2:]) {
		t.Error("depth is not bounded")
	}
}

func FuzzIsDER(f *testing.F) {
	f.Add([]byte{0x30, 6, 2, 1, 1, 4, 1, 0xff})
	f.Add([]byte{0x30, 0x80, 2, 1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := Normalize(in)
		if IsDER(in) && (err != nil && len(in) < maxPieces || err == nil && !bytes.Equal(in, out)) {
			t.Errorf("%x is DER and normalized to %x, %v", in, out, err)
		}
		if err == nil && !IsDER(out) {
			t.Errorf("%x is not DER", out)
		}
	})
}
