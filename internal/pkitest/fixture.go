package pkitest

import (
	"os"
	"path/filepath"
	"testing"

	"senim/pki"
)

// Fixtures is the folder of public test data of the national PKI, which lies beside the repository;
// the test is skipped when it is not there.
func Fixtures(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("pkitest: no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	fixtures := filepath.Join(filepath.Dir(dir), "shared", "fixtures")
	if _, e := os.Stat(fixtures); err != nil || e != nil {
		t.Skip("no ../shared/fixtures: public test data of the national PKI is not on this machine")
	}
	return fixtures
}

// Fixture reads one file of it, as ca/test/nca_gost_test.crt.
func Fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Fixtures(t), filepath.FromSlash(name)))
	if err != nil {
		t.Fatalf("pkitest: %v", err)
	}
	return data
}

// FixtureCertificate reads one certificate of it, DER or PEM.
func FixtureCertificate(t testing.TB, name string) *pki.Certificate {
	t.Helper()
	blocks, err := pki.Decode(Fixture(t, name))
	if err != nil {
		t.Fatalf("pkitest: %s: %v", name, err)
	}
	c, err := pki.ParseCertificate(blocks[0].DER)
	if err != nil {
		t.Fatalf("pkitest: %s: %v", name, err)
	}
	return c
}
