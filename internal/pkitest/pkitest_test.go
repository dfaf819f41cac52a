package pkitest_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// keyFiles are the public test keys: what the certificate in each says.
var keyFiles = map[string]struct {
	key             algid.Key
	roles           []pki.Role
	signing, signIn bool
}{
	"gost512-2026/individual_valid.p12":                           {algid.GOST512, []pki.Role{pki.RoleIndividual}, true, true},
	"gost512-2026/individual_revoked.p12":                         {algid.GOST512, []pki.Role{pki.RoleIndividual}, true, true},
	"gost512-2026/ceo_valid.p12":                                  {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleFirstHead}, true, true},
	"gost512-2026/ceo_revoked.p12":                                {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleFirstHead}, true, true},
	"gost512-2026/employee_signright_valid.p12":                   {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleSignRight}, true, true},
	"gost512-2026/employee_signright_revoked.p12":                 {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleSignRight}, true, true},
	"gost512-2026/employee_valid.p12":                             {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleEmployee}, true, true},
	"gost512-2026/employee_revoked.p12":                           {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleEmployee}, true, true},
	"gost512-2026/infosystem_valid.p12":                           {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleInfoSystem}, true, false},
	"gost512-2026/infosystem_revoked.p12":                         {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleInfoSystem}, true, false},
	"gost512-2026/treasury_client_valid.p12":                      {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleTreasury}, true, true},
	"gost512-2026/treasury_client_revoked.p12":                    {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleTreasury}, true, true},
	"expired/GOST512_first_director_valid.p12":                    {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleFirstHead}, true, true},
	"expired/GOST512_employee_with_signatory_authority_valid.p12": {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleSignRight}, true, true},
	"expired/GOSTKNCA_first_director_valid.p12":                   {algid.GOST2004, []pki.Role{pki.RoleLegal, pki.RoleFirstHead}, true, false},
	"expired/individual_2023_gost512.p12":                         {algid.GOST512, []pki.Role{pki.RoleIndividual}, true, true},
	"ncanode-java/key_individual_valid_2015.p12":                  {algid.GOST512, []pki.Role{pki.RoleIndividual}, true, true},
	"ncanode-java/key_ceo_revoked_2015.p12":                       {algid.GOST512, []pki.Role{pki.RoleLegal, pki.RoleFirstHead}, true, true},
	"ncanode-java/key_ceo_sign_revoked_2004.p12":                  {algid.GOST2004, []pki.Role{pki.RoleLegal, pki.RoleFirstHead}, true, false},
	"ncanode-java/key_individual_valid_sign_2004.p12":             {algid.RSA, []pki.Role{pki.RoleIndividual}, true, false},
	"ncanode-java/key_individual_sign_revoked_2004.p12":           {algid.RSA, []pki.Role{pki.RoleIndividual}, true, false},
	"ncanode-java/key_individual_auth_revoked_2004.p12":           {algid.RSA, []pki.Role{pki.RoleIndividual}, false, true},
}

// fixturePool trusts the three test roots.
func fixturePool(t *testing.T) *pki.Pool {
	t.Helper()
	p := pki.NewPool()
	for _, name := range []string{"root_test_gost_2022.cer", "root_gost_test.crt", "root_rsa_test.crt"} {
		p.AddRoot(pkitest.FixtureCertificate(t, "ca/test/"+name))
	}
	for _, name := range []string{"nca_gost2022_test.cer", "nca_gost_test.crt", "nca_rsa_test.crt"} {
		p.AddIntermediate(pkitest.FixtureCertificate(t, "ca/test/"+name))
	}
	return p
}

// Every key file of the national test authority: its certificate chains, says who it is and what
// for. Whether the key fits is the business of package pfx.
func TestFixtureKeyFiles(t *testing.T) {
	pool := fixturePool(t)
	files, err := filepath.Glob(filepath.Join(pkitest.Fixtures(t), "p12", "*", "*.p12"))
	if err != nil || len(files) != len(keyFiles) {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name := filepath.ToSlash(path[strings.LastIndex(path, "p12"+string(filepath.Separator))+4:])
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := pfx.Decode(data, "Qwerty12")
			if err != nil {
				f, err = pfx.Decode(data, "Aa123456")
			}
			if err != nil {
				t.Fatal(err)
			}
			c, want := f.Certificate, keyFiles[name]
			at := c.NotBefore.Add(time.Hour)
			if strings.HasPrefix(name, "gost512-2026") {
				at = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
			}
			if chain, err := pool.Chain(c, at); err != nil || len(chain) != 3 {
				t.Errorf("chain: %v", err)
			}
			h := c.Holder()
			if c.Key != want.key || !slices.Equal(h.Roles, want.roles) {
				t.Errorf("key %v, roles %v", c.Key, h.Roles)
			}
			if c.ForSigning() != want.signing || c.ForSignIn() != want.signIn {
				t.Errorf("signing %v, sign-in %v; usage %b %v %v", c.ForSigning(), c.ForSignIn(), c.KeyUsage, c.ExtKeyUsage, c.Policies)
			}
			if h.Country != "KZ" || h.Has(pki.RoleLegal) != (h.BIN != "") || (h.UID == "") != (h.IIN != "") {
				t.Errorf("holder %+v", h)
			}
			if got, err := c.Subject.Marshal(); err != nil || string(got) != string(c.RawSubject) {
				t.Errorf("subject written otherwise: %v", err)
			}
		})
	}
}

func TestLeavesAndKeyFile(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Head()
	file, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, "Qwerty12", pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	back, err := pfx.Decode(file, "Qwerty12")
	if err != nil || back.Certificate.SerialHex() != leaf.Certificate.SerialHex() {
		t.Fatalf("key file: %v", err)
	}
	l, err := pki.ParseRevocationList(a.List(a.Revoked(leaf.Certificate, pki.CertificateHold)))
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := l.Find(leaf.Certificate.Serial); !ok || e.Reason != pki.CertificateHold {
		t.Error("not in the list")
	}
}
