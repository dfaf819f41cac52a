package ca

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/internal/profile"
	"senim/pfx"
	"senim/pki"
)

// real is a certificate the national authority gave, and what it differs in from what is right; every
// such oddity is one of crypto.md §9.
var real = []struct {
	profile, file string
	// criticality: EKU critical and keyUsage not, as employees with the right to sign have it.
	criticality bool
	// order: the extensions stand in our order too. The national authority has one for each role.
	order bool
}{
	{profile: "individual", file: "gost512-2026/individual_valid.p12", order: true},
	{profile: "sole-proprietor", file: "gost512-2026/individual_revoked.p12", order: true},
	{profile: "head", file: "gost512-2026/ceo_valid.p12"}, // the OCSP address twice
	{profile: "sign-right", file: "gost512-2026/employee_signright_valid.p12", criticality: true},
	{profile: "employee", file: "gost512-2026/employee_valid.p12"},
	{profile: "info-system", file: "gost512-2026/infosystem_valid.p12"},
	{profile: "treasury", file: "gost512-2026/treasury_client_valid.p12"},
	{profile: "individual-auth", file: "ncanode-java/key_individual_auth_revoked_2004.p12"},
	{profile: "individual-sign", file: "ncanode-java/key_individual_sign_revoked_2004.p12"},
	{profile: "head-sign", file: "ncanode-java/key_ceo_sign_revoked_2004.p12"},
}

// TestGolden: given the holder of a real certificate, we write the same name byte by byte, the same
// life, and the same extensions with the same bytes; only keys, addresses and serials are ours.
func TestGolden(t *testing.T) {
	dir := pkitest.Fixtures(t) + "/p12/"
	b := newBench(t, gostPlan(), rsaPlan())
	for _, tt := range real {
		t.Run(tt.profile, func(t *testing.T) {
			file, err := pfx.Decode(pkitest.Fixture(t, "p12/"+tt.file), "Qwerty12")
			if err != nil {
				t.Fatalf("%s%s: %v", dir, tt.file, err)
			}
			want := file.Certificate
			o := order(t, "golden-"+tt.profile)
			o.Profile, o.Subject = tt.profile, subjectOf(want)
			if _, rsa := b.profiles[tt.profile].Key(want.Key); rsa && strings.HasPrefix(tt.profile, "individual-") {
				o.CSR = request(t, rsaKey(t))
			}
			_, got := mustIssue(t, b, o)
			if !bytes.Equal(got.RawSubject, want.RawSubject) {
				t.Errorf("subject\n%x, want\n%x", got.RawSubject, want.RawSubject)
			}
			if a, b := got.NotAfter.Sub(got.NotBefore), want.NotAfter.Sub(want.NotBefore); a != b {
				t.Errorf("life %s, want %s", a, b)
			}
			if tt.order && !slices.Equal(oids(got), oids(want)) {
				t.Errorf("extensions in the order %v, want %v", oids(got), oids(want))
			}
			sameExtensions(t, got, want, tt.criticality)
		})
	}
}

func subjectOf(c *pki.Certificate) Subject {
	h := c.Holder()
	return Subject{CommonName: h.CommonName, Surname: h.Surname, Patronymic: h.Given, IIN: h.IIN, BIN: h.BIN, Organization: h.Organization, UID: h.UID,
		TreasuryRole: c.Subject.Get(pki.OIDDomain), TreasuryCode: c.Subject.Get(pki.OIDCategory), Email: h.Email}
}

func oids(c *pki.Certificate) (all []string) {
	for _, e := range c.Extensions {
		all = append(all, e.OID.String())
	}
	return all
}

func sameExtensions(t *testing.T, got, want *pki.Certificate, turned bool) {
	t.Helper()
	a, b := oids(got), oids(want)
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		t.Fatalf("extensions %v, want %v", a, b)
	}
	for _, w := range want.Extensions {
		g := got.Extensions[slices.IndexFunc(got.Extensions, func(e pki.Extension) bool { return e.OID.Equal(w.OID) })]
		id := w.OID.String()
		if critical := w.Critical != (turned && (id == "2.5.29.37" || id == "2.5.29.15")); g.Critical != critical {
			t.Errorf("%s: critical is %t", id, g.Critical)
		}
		switch id {
		case "2.5.29.14": // the key's
			if len(g.Value) != len(w.Value) {
				t.Errorf("%s is %x, want the form of %x", id, g.Value, w.Value)
			}
		case "2.5.29.35": // key id only
			if len(g.Value) != len(w.Value) || !bytes.Equal(g.Value[:4], w.Value[:4]) {
				t.Errorf("%s is %x, want the form of %x", id, g.Value, w.Value)
			}
		case "2.5.29.31", "2.5.29.46", "1.3.6.1.5.5.7.1.1": // our addresses; each once
		default:
			if !bytes.Equal(g.Value, w.Value) {
				t.Errorf("%s is %x, want %x", id, g.Value, w.Value)
			}
		}
	}
	for what, n := range map[string][2]int{
		"CRL": {len(got.CRL), len(want.CRL)}, "delta CRL": {len(got.DeltaCRL), len(want.DeltaCRL)},
		"OCSP": {len(got.OCSP), len(slices.Compact(slices.Clone(want.OCSP)))}, "issuer": {len(got.Issuers), len(want.Issuers)},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s addresses, want %d", n[0], what, n[1])
		}
	}
}

// everyRSA gives one certificate of each profile for RSA keys.
func everyRSA(t *testing.T, b *bench) map[string]*pki.Certificate {
	t.Helper()
	all := map[string]*pki.Certificate{}
	csr := request(t, pkitest.NewKey(t, algid.RSA)) // one key for all: nothing is reserved here
	key, err := b.keys.Key(t.Context(), "rsa")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range b.Profiles().Names() {
		p := b.Profiles()[name]
		if !strings.HasSuffix(name, "-auth") && !strings.HasSuffix(name, "-sign") {
			continue
		}
		o := order(t, "rsa-"+name)
		o.Profile, o.CSR = name, csr
		if p.Has(profile.BIN) {
			o.Subject = head()
		}
		if p.Has(profile.TreasuryCode) {
			o.Subject.TreasuryRole, o.Subject.TreasuryCode = "ROLE02", "KS1234"
		}
		d, err := b.examine(o)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := pki.CreateCertificate(rand.Reader, key, d.template)
		if err != nil {
			t.Fatal(err)
		}
		if all[name], err = pki.ParseCertificate(raw); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Other programs read every RSA profile: the standard library finds the same fields, and openssl,
// where there is one, shows it without a word of complaint.
func TestOthersRead(t *testing.T) {
	b := newBench(t, rsaPlan())
	issuer, err := x509.ParseCertificate(b.authorities["rsa"].cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	openssl, noOpenSSL := exec.LookPath("openssl")
	for name, c := range everyRSA(t, b) {
		x, err := x509.ParseCertificate(c.Raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := x.CheckSignatureFrom(issuer); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if x.SerialNumber.Cmp(c.Serial) != 0 || !bytes.Equal(x.RawSubject, c.RawSubject) || !x.NotAfter.Equal(c.NotAfter) || !slices.Equal(x.OCSPServer, c.OCSP) ||
			!slices.Equal(x.CRLDistributionPoints, c.CRL) || !slices.Equal(x.IssuingCertificateURL, c.Issuers) || !slices.Equal(x.EmailAddresses, c.Emails) ||
			!bytes.Equal(x.SubjectKeyId, c.SubjectKeyID) || !bytes.Equal(x.AuthorityKeyId, c.AuthorityKeyID) || int(x.KeyUsage) != int(c.KeyUsage) ||
			len(x.ExtKeyUsage)+len(x.UnknownExtKeyUsage) != len(c.ExtKeyUsage) || !x.PolicyIdentifiers[0].Equal(c.Policies[0]) || len(x.UnhandledCriticalExtensions) > 0 {
			t.Errorf("%s: the standard library reads another certificate", name)
		}
		if noOpenSSL != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), openssl, "x509", "-inform", "DER", "-noout", "-text")
		cmd.Stdin = bytes.NewReader(c.Raw)
		out, err := cmd.CombinedOutput()
		text := string(out)
		if err != nil || strings.Contains(strings.ToLower(text), "error") || !strings.Contains(text, "Explicit Text: http://pki.gov.kz/cps") ||
			!strings.Contains(text, "Public-Key: (2048 bit)") || strings.Contains(text, "<parse error>") {
			t.Errorf("%s: openssl: %v\n%s", name, err, text)
		}
	}
}
