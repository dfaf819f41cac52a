package pki_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
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

// issuers tells who issued each fixture certificate, and what key it holds.
var issuers = map[string]struct {
	issuer string
	key    algid.Key
}{
	"ca/test/root_test_gost_2022.cer":               {"ca/test/root_test_gost_2022.cer", algid.GOST512},
	"ca/test/nca_gost2022_test.cer":                 {"ca/test/root_test_gost_2022.cer", algid.GOST512},
	"ca/test/root_gost_test.crt":                    {"ca/test/root_gost_test.crt", algid.GOST2004},
	"ca/test/nca_gost_test.crt":                     {"ca/test/root_gost_test.crt", algid.GOST2004},
	"ca/test/root_rsa_test.crt":                     {"ca/test/root_rsa_test.crt", algid.RSA},
	"ca/test/nca_rsa_test.crt":                      {"ca/test/root_rsa_test.crt", algid.RSA},
	"ca/prod/root_gost_2022.pem":                    {"ca/prod/root_gost_2022.pem", algid.GOST512},
	"ca/prod/nca_gost_2022.pem":                     {"ca/prod/root_gost_2022.pem", algid.GOST512},
	"ca/prod/root_rsa_2020.cer":                     {"ca/prod/root_rsa_2020.cer", algid.RSA},
	"ca/prod/nca_rsa_2022.cer":                      {"ca/prod/root_rsa_2020.cer", algid.RSA},
	"ca/prod/root_gost_2020.cer":                    {"ca/prod/root_gost_2020.cer", algid.GOST2004},
	"ca/prod/ucgo_gost.cer":                         {"ca/prod/root_gost_2020.cer", algid.GOST2004},
	"ca/prod/btsd_gost.cer":                         {"ca/prod/root_gost_2020.cer", algid.GOST2004},
	"ca/prod/root_gost.pem":                         {"ca/prod/root_gost.pem", algid.GOST2004},
	"ca/prod/nca_gost.pem":                          {"ca/prod/root_gost.pem", algid.GOST2004},
	"ca/prod/root_rsa.pem":                          {"ca/prod/root_rsa.pem", algid.RSA},
	"ca/prod/nca_rsa.pem":                           {"ca/prod/root_rsa.pem", algid.RSA},
	"certs/ceo_valid_sign_2004_gost.cer":            {"ca/test/nca_gost_test.crt", algid.GOST2004},
	"certs/individual_valid_sign_2004_rsa.cer":      {"ca/test/nca_rsa_test.crt", algid.RSA},
	"certs/individual_valid_sign_2004_rsa_auth.cer": {"ca/test/nca_rsa_test.crt", algid.RSA},
}

// TestFixtureCertificates reads every certificate there is, writes its names again, verifies it
// against its issuer, builds its chain and compares what crypto/x509 says.
func TestFixtureCertificates(t *testing.T) {
	pool := pki.NewPool()
	for name, f := range issuers {
		c := pkitest.FixtureCertificate(t, name)
		switch {
		case f.issuer == name:
			pool.AddRoot(c)
		case c.IsCA:
			pool.AddIntermediate(c)
		}
	}
	for name, f := range issuers {
		t.Run(name, func(t *testing.T) {
			c, issuer := pkitest.FixtureCertificate(t, name), pkitest.FixtureCertificate(t, f.issuer)
			if c.Key != f.key {
				t.Errorf("key %v", c.Key)
			}
			if err := c.CheckSignatureFrom(issuer); err != nil {
				t.Error(err)
			}
			chain, err := pool.Chain(c, c.NotAfter.Add(-time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(chain[0].Raw, c.Raw) || len(chain) > 1 && !bytes.Equal(chain[1].Raw, issuer.Raw) {
				t.Errorf("chain of %d by another way", len(chain))
			}
			var late *pki.ValidityError
			if _, err := pool.Chain(c, c.NotAfter.Add(time.Second)); !errors.As(err, &late) || late.NotYet {
				t.Errorf("after its end: %v", err)
			}
			if _, err := pool.Chain(c, c.NotBefore.Add(-time.Second)); !errors.As(err, &late) || !late.NotYet {
				t.Errorf("before its beginning: %v", err)
			}
			if _, err := pki.NewPool().Chain(c, c.NotBefore); !errors.Is(err, pki.ErrUntrusted) {
				t.Errorf("trusted by an empty pool: %v", err)
			}
			rewrites(t, c)
			compareWithX509(t, c)
		})
	}
	if n := countFiles(t, "ca/test") + countFiles(t, "ca/prod") + countFiles(t, "certs"); n != len(issuers) {
		t.Errorf("%d certificate files, %d in the table", n, len(issuers))
	}
}

func countFiles(t *testing.T, dir string) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(pkitest.Fixtures(t), dir))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// rewrites checks that what was parsed gives the same bytes again.
func rewrites(t *testing.T, c *pki.Certificate) {
	t.Helper()
	for _, n := range []struct {
		name pki.Name
		raw  []byte
	}{{c.Subject, c.RawSubject}, {c.Issuer, c.RawIssuer}} {
		if got, err := n.name.Marshal(); err != nil || !bytes.Equal(got, n.raw) {
			t.Errorf("name %v written %x, %v", n.name, got, err)
		}
	}
	if got, err := algid.MarshalPublicKey(c.PublicKey); err != nil || !bytes.Equal(got, c.RawSPKI) {
		t.Errorf("key written %x, %v", got, err)
	}
	if got := pki.Assemble(c.RawTBS, c.Signature, c.SignatureValue); !bytes.Equal(got, c.Raw) {
		t.Errorf("certificate written %x", got)
	}
}

// compareWithX509 checks every field both libraries know.
func compareWithX509(t *testing.T, c *pki.Certificate) {
	t.Helper()
	x, err := x509.ParseCertificate(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	equal := func(what string, ok bool) {
		if !ok {
			t.Errorf("%s differs from crypto/x509", what)
		}
	}
	equal("tbs", bytes.Equal(x.RawTBSCertificate, c.RawTBS))
	equal("issuer", bytes.Equal(x.RawIssuer, c.RawIssuer))
	equal("subject", bytes.Equal(x.RawSubject, c.RawSubject))
	equal("spki", bytes.Equal(x.RawSubjectPublicKeyInfo, c.RawSPKI))
	equal("signature", bytes.Equal(x.Signature, c.SignatureValue))
	equal("serial", x.SerialNumber.Cmp(c.Serial) == 0)
	equal("dates", x.NotBefore.Equal(c.NotBefore) && x.NotAfter.Equal(c.NotAfter))
	equal("key usage", x.KeyUsage == x509.KeyUsage(c.KeyUsage))
	equal("key ids", bytes.Equal(x.SubjectKeyId, c.SubjectKeyID) && bytes.Equal(x.AuthorityKeyId, c.AuthorityKeyID))
	equal("basic constraints", x.IsCA == c.IsCA && x.BasicConstraintsValid == c.BasicConstraintsValid)
	equal("path length", !x.BasicConstraintsValid || !x.IsCA || x.MaxPathLen == c.MaxPathLen)
	equal("urls", slices.Equal(x.OCSPServer, c.OCSP) && slices.Equal(x.IssuingCertificateURL, c.Issuers))
	equal("points", slices.Equal(x.CRLDistributionPoints, c.CRL))
	equal("emails", slices.Equal(x.EmailAddresses, c.Emails) && slices.Equal(x.DNSNames, c.DNSNames))
	equal("policies", len(x.PolicyIdentifiers) == len(c.Policies))
	for i := range min(len(x.PolicyIdentifiers), len(c.Policies)) {
		equal("policy", x.PolicyIdentifiers[i].Equal(c.Policies[i]))
	}
	equal("usages", len(x.ExtKeyUsage)+len(x.UnknownExtKeyUsage) == len(c.ExtKeyUsage))
	equal("unhandled", len(x.UnhandledCriticalExtensions) == len(c.Unhandled))
	if c.Key == algid.RSA {
		equal("public key", c.PublicKey.(interface{ Equal(x crypto.PublicKey) bool }).Equal(x.PublicKey))
	}
}

// The pinned fingerprints and key identifiers of crypto.md §6.
func TestFixtureFingerprints(t *testing.T) {
	for name, want := range map[string][2]string{
		"ca/prod/root_gost_2022.pem":      {"af77725f8328bb24f89d81da3acdf7cee4324248538b7ba2cd2a860517fb9dca", "13b00cfba9629f0a3eb6192a2156a24867d0f3bd"},
		"ca/prod/nca_gost_2022.pem":       {"32c7d233a42703a327f3025543a05b930e3f39a786c68dfa196baa86d5618524", "fe30be9fc890633f1fff5a3c0cb0c85f4c6d1708"},
		"ca/prod/root_rsa_2020.cer":       {"9ba06354b626641715182e4d07c9dbaa1777720fa795d03174ffc68876535dcd", "54b3b740d45b91707bed4a2be41b7b69f8f6ba50"},
		"ca/prod/nca_rsa_2022.cer":        {"84fb799a66140950818c056a5d9730acc2a7622cdd4ef0d47113b132fb892905", "dcae24d749b26480d2de37233c3ea4515db55ac7"},
		"ca/test/root_test_gost_2022.cer": {"b995e79e7c07429f8f79e185451e5599ce342ac720000f01b3854fdfa03031a6", ""},
		"ca/test/nca_gost2022_test.cer":   {"beeffc0bdb77cd798c35983eb0715f6ef0051cccb71d7cd05505e8a4fb2c6f4d", "fad24b1ba3a0c961fe1ca8503e6aa2bb450db8a3"},
		"ca/prod/root_gost_2020.cer":      {"", "9d5941018b516bf0f06a7afee88c4eed050fa003"},
	} {
		c := pkitest.FixtureCertificate(t, name)
		print := c.Fingerprint()
		if got := hex.EncodeToString(print[:]); want[0] != "" && got != want[0] {
			t.Errorf("%s: fingerprint %s", name, got)
		}
		if got := hex.EncodeToString(c.SubjectKeyID); want[1] != "" && got != want[1] {
			t.Errorf("%s: key id %s", name, got)
		}
		if !bytes.Equal(algid.KeyID(c.PublicKey), c.SubjectKeyID) {
			t.Errorf("%s: key id made %x, stored %x", name, algid.KeyID(c.PublicKey), c.SubjectKeyID)
		}
	}
}

func TestFixtureHolders(t *testing.T) {
	for name, want := range map[string]struct {
		subject         string
		iin, bin, given string
		roles           []pki.Role
		signing, signIn bool
	}{
		"certs/ceo_valid_sign_2004_gost.cer":            {"", "123456789011", "123456789021", "", []pki.Role{pki.RoleLegal, pki.RoleFirstHead}, true, false},
		"certs/individual_valid_sign_2004_rsa.cer":      {"", "123456789011", "", "ТЕСТОВИЧ", []pki.Role{pki.RoleIndividual}, true, false},
		"certs/individual_valid_sign_2004_rsa_auth.cer": {"", "123456789011", "", "ТЕСТОВИЧ", []pki.Role{pki.RoleIndividual}, false, true},
		"ca/test/nca_gost2022_test.cer":                 {"CN=ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (GOST) TEST 2022,C=KZ", "", "", "", nil, false, false},
	} {
		c := pkitest.FixtureCertificate(t, name)
		h := c.Holder()
		t.Logf("%s: %s", name, c.Subject)
		if want.subject != "" && c.Subject.String() != want.subject {
			t.Errorf("%s: subject %s", name, c.Subject)
		}
		if h.IIN != want.iin || h.BIN != want.bin || want.given != "" && h.Given != want.given || !slices.Equal(h.Roles, want.roles) {
			t.Errorf("%s: %+v", name, h)
		}
		if c.ForSigning() != want.signing || c.ForSignIn() != want.signIn {
			t.Errorf("%s: signing %v, sign-in %v", name, c.ForSigning(), c.ForSignIn())
		}
	}
}

func TestFixtureLists(t *testing.T) {
	for _, f := range []struct {
		name, issuer, this string
		entries            int
		number, base       int64
		noReason           int
	}{
		{"nca_gost2022_test_20250429.crl", "nca_gost2022_test.cer", "2025-04-29", 54, 14, 0, -1},
		{"nca_gost2022_d_test_20250429.crl", "nca_gost2022_test.cer", "2025-04-29", 0, 10, 14, 0},
		{"nca_gost2022_test_20231011.pem.crl", "nca_gost2022_test.cer", "2023-10-11", 40, 8, 0, 14},
		{"ncanode_nca_gost2022_test.crl", "nca_gost2022_test.cer", "2022-07-27", 6, 4, 0, -1},
		{"ncanode_nca_gost_test.crl", "nca_gost_test.crt", "2022-03-29", 31, 7, 0, -1},
		{"ncanode_nca_rsa_test.crl", "nca_rsa_test.crt", "2022-03-29", 126, 9, 0, -1},
	} {
		t.Run(f.name, func(t *testing.T) {
			blocks, err := pki.Decode(pkitest.Fixture(t, "crl/"+f.name))
			if err != nil {
				t.Fatal(err)
			}
			l, err := pki.ParseRevocationList(blocks[0].DER)
			if err != nil {
				t.Fatal(err)
			}
			issuer := pkitest.FixtureCertificate(t, "ca/test/"+f.issuer)
			if err := l.CheckSignatureFrom(issuer); err != nil {
				t.Error(err)
			}
			if l.Len() != f.entries || l.Number.Int64() != f.number || l.ThisUpdate.Format(time.DateOnly) != f.this ||
				l.NextUpdate.Sub(l.ThisUpdate) < 179*24*time.Hour || !bytes.Equal(l.AuthorityKeyID, issuer.SubjectKeyID) {
				t.Errorf("%d entries, number %v, %v – %v, key id %x", l.Len(), l.Number, l.ThisUpdate, l.NextUpdate, l.AuthorityKeyID)
			}
			if (l.BaseNumber != nil) != (f.base != 0) || f.base != 0 && l.BaseNumber.Int64() != f.base {
				t.Errorf("base %v", l.BaseNumber)
			}
			if got := pki.Assemble(l.RawTBS, l.Signature, l.SignatureValue); !bytes.Equal(got, l.Raw) {
				t.Error("list written otherwise")
			}
			noReason := findAll(t, l)
			if f.noReason >= 0 && noReason != f.noReason {
				t.Errorf("%d entries without a reason", noReason)
			}
			if _, ok := l.Find(big.NewInt(1)); ok {
				t.Error("serial 1 found")
			}
			compareListWithX509(t, l)
		})
	}
	if n := countFiles(t, "crl"); n != 6 {
		t.Errorf("%d lists", n)
	}
}

// findAll looks every entry up again and counts those without a reason.
func findAll(t *testing.T, l *pki.RevocationList) (noReason int) {
	t.Helper()
	for _, e := range l.Entries {
		if !e.HasReason {
			noReason++
		}
		if got, ok := l.Find(e.Serial); !ok || !got.RevokedAt.Equal(e.RevokedAt) || got.Reason != e.Reason {
			t.Errorf("%x: found %v", e.Serial, got)
		}
	}
	return noReason
}

func compareListWithX509(t *testing.T, l *pki.RevocationList) {
	t.Helper()
	x, err := x509.ParseRevocationList(l.Raw)
	if err != nil {
		t.Logf("crypto/x509 does not read it: %v", err)
		return
	}
	if len(x.RevokedCertificateEntries) != l.Len() || x.Number.Cmp(l.Number) != 0 || !x.ThisUpdate.Equal(l.ThisUpdate) || !x.NextUpdate.Equal(l.NextUpdate) {
		t.Error("head differs from crypto/x509")
	}
	for i, e := range l.Entries {
		o := x.RevokedCertificateEntries[i]
		if o.SerialNumber.Cmp(e.Serial) != 0 || !o.RevocationTime.Equal(e.RevokedAt) || o.ReasonCode != int(e.Reason) {
			t.Errorf("entry %d differs from crypto/x509", i)
		}
	}
}

// The revoked fixture certificates are in the lists; see fixtures/README.md.
func TestFixtureRevoked(t *testing.T) {
	blocks, err := pki.Decode(pkitest.Fixture(t, "crl/ncanode_nca_gost2022_test.crl"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := pki.ParseRevocationList(blocks[0].DER)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, e := range l.Entries {
		if e.Reason == pki.CertificateHold && e.RevokedAt.Format(time.DateTime) == "2022-07-27 10:25:30" {
			held++
		}
	}
	if held != 1 {
		t.Errorf("%d entries are the one of key_ceo_revoked_2015.p12", held)
	}
}

func TestFixtureRequest(t *testing.T) {
	blocks, err := pki.Decode(pkitest.Fixture(t, "kalkan-oracle/gost512_request.p10"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pki.ParseRequest(blocks[0].DER)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.CheckSignature(); err != nil {
		t.Error(err)
	}
	if r.Key != algid.GOST512 || len(r.Emails) != 1 || !strings.Contains(r.Emails[0], "@") || r.Storage == nil {
		t.Errorf("key %v, %d addresses, storage %v", r.Key, len(r.Emails), r.Storage)
	}
	if got, err := r.Subject.Marshal(); err != nil || !bytes.Equal(got, r.RawSubject) {
		t.Errorf("subject written %x, %v", got, err)
	}
	if !bytes.Equal(pki.Assemble(r.RawInfo, r.Signature, r.SignatureValue), r.Raw) {
		t.Error("request written otherwise")
	}
	if _, err := x509.ParseCertificateRequest(r.Raw); err != nil {
		t.Error(err)
	}
	changed := bytes.Clone(r.Raw)
	changed[len(changed)-1] ^= 1
	if r, err := pki.ParseRequest(changed); err == nil && r.CheckSignature() == nil {
		t.Error("changed request passes")
	}
}

// The lists of the national test authority, in Validate: one names a revoked head. About a leaf that
// is not named they cannot say good, for nothing at hand says that the authority is not revoked.
func TestFixtureValidate(t *testing.T) {
	file, err := pfx.Decode(pkitest.Fixture(t, "p12/ncanode-java/key_ceo_revoked_2015.p12"), "Aa123456")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		root, issuer, list string
		leaf               *pki.Certificate
		revoked            bool
	}{
		{"root_test_gost_2022.cer", "nca_gost2022_test.cer", "ncanode_nca_gost2022_test.crl", file.Certificate, true},
		{"root_rsa_test.crt", "nca_rsa_test.crt", "ncanode_nca_rsa_test.crl", pkitest.FixtureCertificate(t, "certs/individual_valid_sign_2004_rsa.cer"), false},
	} {
		pool := pki.NewPool()
		pool.AddRoot(pkitest.FixtureCertificate(t, "ca/test/"+c.root))
		pool.AddIntermediate(pkitest.FixtureCertificate(t, "ca/test/"+c.issuer))
		blocks, err := pki.Decode(pkitest.Fixture(t, "crl/"+c.list))
		if err != nil {
			t.Fatal(err)
		}
		l, err := pki.ParseRevocationList(blocks[0].DER)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pool.Validate(c.leaf, pki.Rules{At: l.ThisUpdate.AddDate(0, 0, 1), Revocation: true, Lists: []*pki.RevocationList{l}})
		var revoked *pki.RevokedError
		if errors.As(err, &revoked) != c.revoked || errors.Is(err, pki.ErrUndetermined) == c.revoked {
			t.Errorf("%s: %v", c.list, err)
		}
	}
}
