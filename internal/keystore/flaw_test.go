package keystore

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"senim/internal/pkitest"
	"senim/pfx"
)

// TestFlaws: a file that no password opens is known by its form, and stands after the others; a file of any form that is read
// has none.
func TestFlaws(t *testing.T) {
	leaf := pkitest.New(t).Individual()
	whole, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, "Qwerty12", pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	jks := append(bytes.Clone(jksMagic), make([]byte, 4+4+20)...) // version 2, no entries, a digest
	jks[7] = 2
	// BER of what says no length: NetWare and old Java write so.
	open := append(append([]byte{0x30, 0x80}, whole[4:]...), 0, 0)
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content []byte
		want    Flaw
	}{
		"whole.p12": {whole, ""}, "whole.jks": {jks, ""}, "open.p12": {open, ""}, "trailing.p12": {append(bytes.Clone(whole), 0), ""},
		"empty.p12": {nil, FlawEmpty}, "half.p12": {whole[:len(whole)/2], FlawCut}, "last.p12": {whole[:len(whole)-1], FlawCut},
		"first.p12": {whole[:1], FlawCut}, "head.p12": {whole[:5], FlawCut}, "half.jks": {jks[:len(jks)-1], FlawCut}, "openhalf.p12": {open[:len(open)-3], FlawCut},
		"text.jks": {[]byte("hello"), FlawForeign}, "zero.p12": {make([]byte, 2048), FlawForeign}, "certificate.p12": {leaf.Certificate.Raw, FlawForeign},
		"huge.p12": {append([]byte{0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 1, 3}, 0), FlawCut}, "long.p12": {[]byte{0x30, 0xff, 1, 2, 3}, FlawForeign},
	} {
		if got := flawOf(c.content); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
		if err := os.WriteFile(filepath.Join(dir, name), c.content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flawed := false
	files := Scan([]string{dir})
	for _, f := range files {
		if flawed && f.Flaw == "" {
			t.Errorf("%s stands after one with a flaw", f.Name)
		}
		flawed = flawed || f.Flaw != ""
	}
	if len(files) < 14 {
		t.Errorf("%d files", len(files))
	}
}

// FuzzFlaw: whatever opens has no flaw, and nothing makes it fail.
func FuzzFlaw(f *testing.F) {
	f.Add([]byte{0x30, 0x84})
	f.Add([]byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2})
	f.Fuzz(func(t *testing.T, content []byte) {
		if flaw := flawOf(content); flaw != "" {
			if _, err := decode(content, "Qwerty12"); err == nil {
				t.Errorf("%s, and it opens", flaw)
			}
		}
	})
}
