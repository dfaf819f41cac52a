package trustdir

import (
	"path"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// One folder holds our authority, the national TEST one and the production one with all their generations: each
// certificate finds the authority that issued it, and no other.
func TestThreeAuthoritiesAtOnce(t *testing.T) {
	ours := pkitest.New(t)
	dir := t.TempDir()
	put(t, dir, "ours-root.cer", ours.Root.Raw)
	put(t, dir, "ours.cer", ours.CA.Raw)
	national := map[string][]string{
		"ca/test": {"root_test_gost_2022.cer", "nca_gost2022_test.cer", "root_gost_test.crt", "nca_gost_test.crt", "root_rsa_test.crt", "nca_rsa_test.crt"},
		"ca/prod": {"root_gost_2022.pem", "nca_gost_2022.pem", "root_rsa_2020.cer", "nca_rsa_2022.cer", "root_gost_2020.cer", "ucgo_gost.cer",
			"root_gost.pem", "nca_gost.pem", "root_rsa.pem", "nca_rsa.pem"},
	}
	files := 2
	for from, names := range national {
		for _, name := range names {
			put(t, dir, path.Base(from)+"-"+name, pkitest.Fixture(t, from+"/"+name))
			files++
		}
	}
	trust, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(trust.Authorities) != files {
		t.Fatalf("%d authorities of %d files", len(trust.Authorities), files)
	}
	day := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	key, err := pfx.Decode(pkitest.Fixture(t, "p12/gost512-2026/ceo_valid.p12"), "Qwerty12")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		leaf, issuer *pki.Certificate
		at           time.Time
	}{
		"ours":                  {ours.Individual().Certificate, ours.CA, ours.Now},
		"national, TEST":        {key.Certificate, pkitest.FixtureCertificate(t, "ca/test/nca_gost2022_test.cer"), day},
		"national, GOST of now": {pkitest.FixtureCertificate(t, "ca/prod/nca_gost_2022.pem"), pkitest.FixtureCertificate(t, "ca/prod/root_gost_2022.pem"), day},
		"national, RSA of now":  {pkitest.FixtureCertificate(t, "ca/prod/nca_rsa_2022.cer"), pkitest.FixtureCertificate(t, "ca/prod/root_rsa_2020.cer"), day},
		"national, GOST 2004":   {pkitest.FixtureCertificate(t, "ca/prod/ucgo_gost.cer"), pkitest.FixtureCertificate(t, "ca/prod/root_gost_2020.cer"), day},
	} {
		chain, err := trust.Pool.Chain(c.leaf, c.at)
		if err != nil || len(chain) < 2 || string(chain[1].Raw) != string(c.issuer.Raw) {
			t.Errorf("%s: a chain of %d, %v", name, len(chain), err)
		}
	}
	if _, err := trust.Pool.Chain(pkitest.New(t).Head().Certificate, ours.Now); err == nil {
		t.Error("a certificate of a fourth authority is trusted")
	}
}

// TestAddTo: a pool gets the anchors as anchors and the others as a way only, beside what it trusts.
func TestAddTo(t *testing.T) {
	ours, other := pkitest.New(t), pkitest.New(t)
	whole, half := New(), New()
	for _, c := range []*pki.Certificate{ours.CA, ours.Root} {
		if err := whole.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := half.Add(other.CA); err != nil { // its root is not there
		t.Fatal(err)
	}
	pool := pki.NewPool()
	whole.AddTo(pool)
	half.AddTo(pool)
	if path, err := pool.Chain(ours.Individual().Certificate, ours.Now); err != nil || len(path) != 3 {
		t.Errorf("%d certificates, %v", len(path), err)
	}
	if _, err := pool.Chain(other.Individual().Certificate, other.Now); err == nil {
		t.Error("an authority without its root is trusted")
	}
	if whole.Pool.Has(other.CA) {
		t.Error("the folder's own pool got what another one holds")
	}
}
