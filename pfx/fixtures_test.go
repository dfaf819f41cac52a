package pfx

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/algid"
)

// fixtures finds the public test data of the national PKI, beside the project.
func fixtures(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "fixtures")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no ../shared/fixtures: public test data of the national PKI is not on this machine")
	}
	return dir
}

// passwordOf is the password the fixtures' README gives.
func passwordOf(path string) string {
	switch filepath.Base(path) {
	case "key_individual_valid_2015.p12", "key_ceo_revoked_2015.p12":
		return "Aa123456"
	}
	return "Qwerty12"
}

func keyFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(fixtures(t), "p12", "*", "*.p12"))
	if err != nil || len(files) != 22 {
		t.Fatalf("%d key files, %v; the README lists 22", len(files), err)
	}
	return files
}

func TestDecodeRealFiles(t *testing.T) {
	kinds := map[algid.Key]int{}
	for _, path := range keyFiles(t) {
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
			if len(f.Others) != 0 || !samePublicKey(f.Key, f.Certificate) {
				t.Errorf("others %d", len(f.Others))
			}
			if want := hex.EncodeToString(f.Certificate.SubjectKeyID); !strings.EqualFold(f.Alias, want) {
				t.Errorf("alias %q, SKI %s", f.Alias, want)
			}
			if _, err := Decode(data, "Qwerty13"); !errorIs(err, ErrPassword) {
				t.Errorf("wrong password: %v", err)
			}
		})
	}
	if kinds[algid.GOST512] != 17 || kinds[algid.GOST2004] != 2 || kinds[algid.RSA] != 3 {
		t.Errorf("kinds of keys: %v", kinds)
	}
}
