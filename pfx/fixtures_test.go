package pfx

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/ber"
	"senim/internal/pkitest"
)

// passwordOf is the password the fixtures' README gives.
func passwordOf(path string) string {
	switch filepath.Base(path) {
	case "key_individual_valid_2015.p12", "key_ceo_revoked_2015.p12":
		return "Aa123456"
	}
	return "Qwerty12"
}

func TestDecodeRealFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(pkitest.Fixtures(t), "p12", "*", "*.p12"))
	if err != nil || len(files) != 22 {
		t.Fatalf("%d key files, %v; the README lists 22", len(files), err)
	}
	kinds := map[algid.Key]int{}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Decode(data, passwordOf(path))
			if err != nil {
				t.Fatal(err)
			}
			kinds[f.Certificate.Key]++
			if want := hex.EncodeToString(f.Certificate.SubjectKeyID); f.Alias != want || len(f.Others) != 0 {
				t.Errorf("alias %q, SKI %s, others %d", f.Alias, want, len(f.Others))
			}
			if _, err := Decode(data, strings.ToLower(passwordOf(path))); !errors.Is(err, ErrPassword) {
				t.Errorf("wrong password: %v", err)
			}
			ours, err := Encode(random, *f, "Qwerty12", NCA)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := Decode(ours, "Qwerty12"); err != nil || !samePublicKey(back.Key, f.Certificate) || back.Alias != f.Alias {
				t.Errorf("written again: %v", err)
			}
		})
	}
	if kinds[algid.GOST512] != 17 || kinds[algid.GOST2004] != 2 || kinds[algid.RSA] != 3 {
		t.Errorf("kinds of keys: %v", kinds)
	}
}

// The MAC of crypto.md §16: made of the key derived from the salt, over the contents as they stand.
func TestFixtureMAC(t *testing.T) {
	file := pkitest.Fixture(t, "p12/gost512-2026/individual_valid.p12")
	want, err := hex.DecodeString("4919c30d66020387ff780370acc3b104658054e7")
	if err != nil {
		t.Fatal(err)
	}
	der, err := ber.Normalize(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(der, append([]byte{4, 20}, want...)) {
		t.Fatal("the file has another MAC")
	}
	in := cryptobyte.String(der)
	var outer, content cryptobyte.String
	var version int
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1Integer(&version) || !outer.ReadASN1(&content, cbasn1.SEQUENCE) {
		t.Fatal("no PFX")
	}
	safe, err := readData(content)
	if err != nil {
		t.Fatal(err)
	}
	got := newSecret("Qwerty12").mac(sha1.New, unhex(t, "4077acd03d41567e9a6d659fbc2dc17c696e5e5e"), 1024, safe)
	if !bytes.Equal(got, want) {
		t.Errorf("MAC %x", got)
	}
}
