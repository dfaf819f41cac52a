package pki_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

var kinds = []algid.Key{algid.GOST512, algid.GOST256, algid.GOST2004, algid.RSA}

// full is a template with every extension we write.
func full(key any, now time.Time) *pki.Template {
	return &pki.Template{
		Serial:    new(big.Int).SetBytes(bytes.Repeat([]byte{0x11}, 20)),
		Subject:   pki.SubjectName(pkitest.Member(pki.RoleFirstHead)),
		NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
		PublicKey:   key,
		KeyUsage:    pki.DigitalSignature | pki.NonRepudiation | pki.KeyAgreement,
		ExtKeyUsage: []asn1.ObjectIdentifier{pki.EmailProtection, pki.RoleLegal.OID(), pki.RoleFirstHead.OID()},
		Policies:    []pki.Policy{{OID: pki.PolicyNCA, CPS: "http://pki.gov.kz/cps"}, {OID: pki.PolicyTSA}},
		IsCA:        true, MaxPathLen: 3,
		AuthorityKeyID: []byte("01234567890123456789"),
		CRL:            []string{"http://crl.example.kz/a.crl"}, DeltaCRL: []string{"http://crl.example.kz/d.crl"},
		OCSP: []string{"http://ocsp.example.kz"}, Issuers: []string{"http://pki.example.kz/ca.cer"},
		Emails: []string{"t@example.kz"}, DNSNames: []string{"www.example.kz"},
		Storage: pki.StorageKaztoken, NoCheck: true,
	}
}

func TestTemplateRoundTrip(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	for _, kind := range kinds {
		t.Run(kind.String(), func(t *testing.T) {
			key := pkitest.NewKey(t, kind)
			tpl := full(key.Public(), now)
			der, err := pki.CreateCertificate(rand.Reader, key, tpl)
			if err != nil {
				t.Fatal(err)
			}
			c, err := pki.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckSignatureFrom(c); err != nil {
				t.Error(err)
			}
			compareWithX509(t, c)
			rewrites(t, c)
			wantHolder := pkitest.Member(pki.RoleFirstHead)
			wantHolder.Country, wantHolder.Email = "KZ", "t@example.kz"
			if diff := cmp.Diff(wantHolder, c.Holder()); diff != "" {
				t.Error(diff)
			}
			if c.Storage.String() != pki.StorageKaztoken.String() || !c.NoCheck || c.MaxPathLen != 3 || !slices.Equal(c.DeltaCRL, tpl.DeltaCRL) ||
				!bytes.Equal(c.SubjectKeyID, algid.KeyID(key.Public())) || len(c.Policies) != 2 {
				t.Errorf("%+v", c)
			}
			tpl.Signature = c.Signature
			first, err := tpl.TBS()
			if err != nil || !bytes.Equal(first, c.RawTBS) {
				t.Errorf("the same template gives other bytes: %v", err)
			}
		})
	}
}

// The extensions are the bytes the national authority writes (crypto.md §9).
func TestNationalBytes(t *testing.T) {
	a := pkitest.New(t)
	c := a.Individual().Certificate
	want := map[string]string{
		"2.5.29.15": "030203c8", "1.2.398.3.3.5": "300a06082a830e0303050101",
		"2.5.29.37": "301406082b0601050507030406082a830e0303040101",
		"2.5.29.14": "0414" + hex.EncodeToString(c.SubjectKeyID), "2.5.29.35": "30168014" + hex.EncodeToString(a.CA.SubjectKeyID),
	}
	for _, e := range c.Extensions {
		if w, ok := want[e.OID.String()]; ok && hex.EncodeToString(e.Value) != w {
			t.Errorf("%v is %x", e.OID, e.Value)
		}
		if critical := e.OID.String() == "2.5.29.15"; e.Critical != critical {
			t.Errorf("%v critical: %v", e.OID, e.Critical)
		}
	}
	for usage, w := range map[pki.KeyUsage]string{
		pki.CertSign | pki.CRLSign: "03020106", pki.DigitalSignature | pki.NonRepudiation: "030206c0",
		pki.DigitalSignature | pki.KeyEncipherment: "030205a0", pki.DigitalSignature: "03020780", pki.DecipherOnly: "0303070080",
	} {
		leaf := a.Issue(pkitest.Spec{Change: func(t *pki.Template) { t.KeyUsage = usage }})
		for _, e := range leaf.Certificate.Extensions {
			if e.OID.String() == "2.5.29.15" && hex.EncodeToString(e.Value) != w {
				t.Errorf("usage %b is %x, want %s", usage, e.Value, w)
			}
		}
		if leaf.Certificate.KeyUsage != usage {
			t.Errorf("usage %b read as %b", usage, leaf.Certificate.KeyUsage)
		}
	}
}

func TestTemplatesRefused(t *testing.T) {
	now := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)
	key := pkitest.NewKey(t, algid.GOST512)
	for name, change := range map[string]func(*pki.Template){
		"no serial":        func(t *pki.Template) { t.Serial = nil },
		"zero serial":      func(t *pki.Template) { t.Serial = new(big.Int) },
		"21 octets":        func(t *pki.Template) { t.Serial = new(big.Int).Lsh(big.NewInt(1), 159) },
		"no key":           func(t *pki.Template) { t.PublicKey = nil },
		"dates turned":     func(t *pki.Template) { t.NotBefore, t.NotAfter = t.NotAfter, t.NotBefore },
		"no dates":         func(t *pki.Template) { t.NotBefore, t.NotAfter = time.Time{}, time.Time{} },
		"cyrillic address": func(t *pki.Template) { t.Emails = []string{"т@example.kz"} },
		"cyrillic country": func(t *pki.Template) { t.Subject = pki.Name{pki.NewAttribute(pki.OIDCountry, "КЗ")} },
		"extension twice": func(t *pki.Template) {
			t.Extra = []pki.Extension{{OID: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: []byte{5, 0}}}
		},
		"half of AKI": func(t *pki.Template) { t.AuthoritySerial = big.NewInt(1) },
	} {
		tpl := full(key.Public(), now)
		change(tpl)
		if _, err := pki.CreateCertificate(rand.Reader, key, tpl); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// The AKI of CA certificates holds key id, issuer and serial (crypto.md §6).
func TestAuthorityIssuer(t *testing.T) {
	a := pkitest.New(t)
	leaf := a.Issue(pkitest.Spec{Change: func(t *pki.Template) {
		t.AuthorityIssuer, t.AuthoritySerial = a.Root.RawSubject, a.CA.Serial
	}})
	if !bytes.Equal(leaf.Certificate.AuthorityKeyID, a.CA.SubjectKeyID) {
		t.Errorf("%x", leaf.Certificate.AuthorityKeyID)
	}
	if _, err := x509.ParseCertificate(leaf.Certificate.Raw); err != nil {
		t.Error(err)
	}
}

func TestTimesWritten(t *testing.T) {
	key := pkitest.NewKey(t, algid.GOST512)
	tpl := full(key.Public(), time.Date(2049, 12, 31, 23, 59, 59, 5e8, time.FixedZone("", -3600)))
	tpl.NotAfter = time.Date(2050, 1, 1, 1, 0, 0, 0, time.UTC)
	der, err := pki.CreateCertificate(rand.Reader, key, tpl)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.ParseCertificate(der)
	if err != nil || c.NotBefore.Format(time.RFC3339) != "2050-01-01T00:59:59Z" {
		t.Errorf("%v, %v", c.NotBefore, err)
	}
	compareWithX509(t, c)
}

func TestRequestRoundTrip(t *testing.T) {
	for _, kind := range kinds {
		key := pkitest.NewKey(t, kind)
		subject := pki.SubjectName(pkitest.Member(pki.RoleFirstHead))
		der, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: subject, Emails: []string{"t@example.kz"}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := pki.ParseRequest(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.CheckSignature(); err != nil {
			t.Error(err)
		}
		if r.Key != kind || !slices.Equal(r.Emails, []string{"t@example.kz"}) || !r.Storage.Equal(pki.StoragePKCS12) {
			t.Errorf("%v: %v %v", r.Key, r.Emails, r.Storage)
		}
		wantHolder := pkitest.Member(pki.RoleFirstHead)
		wantHolder.Country, wantHolder.Email, wantHolder.Roles = "KZ", "t@example.kz", nil
		if diff := cmp.Diff(wantHolder, r.Holder()); diff != "" {
			t.Error(diff)
		}
		x, err := x509.ParseCertificateRequest(der)
		if err != nil || !slices.Equal(x.EmailAddresses, r.Emails) {
			t.Fatalf("crypto/x509: %v", err)
		}
		if kind == algid.RSA && x.CheckSignature() != nil {
			t.Error("crypto/x509 refuses the signature")
		}
		if _, err := pki.ParseRequest(append(bytes.Clone(der), 0)); err == nil {
			t.Error("trailing byte accepted")
		}
	}
}

func TestListRoundTrip(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.String(), func(t *testing.T) {
			a := pkitest.New(t, pkitest.Config{Key: kind})
			leaf := a.Individual().Certificate
			entries := []pki.Entry{
				a.Revoked(leaf, pki.KeyCompromise),
				{Serial: big.NewInt(0x80), RevokedAt: a.Now, Reason: pki.CertificateHold},
				{Serial: big.NewInt(0x7f), RevokedAt: a.Now},
				{Serial: big.NewInt(0x1234), RevokedAt: a.Now, Reason: pki.RemoveFromCRL},
				{Serial: big.NewInt(0x1234), RevokedAt: a.Now, Reason: pki.Superseded},
			}
			l, err := pki.ParseRevocationList(a.ListOf(pki.ListTemplate{Number: big.NewInt(300), BaseNumber: big.NewInt(299), Entries: entries}))
			if err != nil {
				t.Fatal(err)
			}
			if err := l.CheckSignatureFrom(a.CA); err != nil {
				t.Error(err)
			}
			if err := l.CheckSignatureFrom(a.Root); err == nil {
				t.Error("the root is accepted as issuer")
			}
			if err := l.CheckSignatureFrom(leaf); err == nil {
				t.Error("a person is accepted as issuer")
			}
			compareListWithX509(t, l)
			if l.Len() != 5 || l.BaseNumber.Int64() != 299 {
				t.Errorf("%d entries, base %v", l.Len(), l.BaseNumber)
			}
			for serial, want := range map[int64]pki.Reason{0x80: pki.CertificateHold, 0x7f: pki.Unspecified, 0x1234: pki.Superseded} {
				if e, ok := l.Find(big.NewInt(serial)); !ok || e.Reason != want {
					t.Errorf("%x: %v %v", serial, e, ok)
				}
			}
			if e, ok := l.Find(leaf.Serial); !ok || e.Reason != pki.KeyCompromise || !e.HasReason {
				t.Errorf("%v %v", e, ok)
			}
			if _, ok := l.Find(big.NewInt(0x81)); ok {
				t.Error("found what is not there")
			}
		})
	}
}

// A critical extension we do not know, of the list or of an entry, makes a list useless; it does not
// make everyone good.
func TestListUnknownCritical(t *testing.T) {
	a := pkitest.New(t)
	point := pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}}
	issuer := pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: []byte{0x30, 4, 0xa4, 2, 0x30, 0}}
	strange := pki.Extension{OID: asn1.ObjectIdentifier{1, 2, 4}, Critical: true, Value: []byte{5, 0}}
	for name, tbs := range map[string][]byte{
		"list": listTBS(a, nil, []pki.Extension{point}), "entry": listTBS(a, []pki.Extension{issuer}, nil),
		"unknown": listTBS(a, nil, []pki.Extension{strange}), "unknown in an entry": listTBS(a, []pki.Extension{strange}, nil),
	} {
		sig, err := algid.GOST512Sig.Sign(rand.Reader, a.CAKey, tbs)
		if err != nil {
			t.Fatal(err)
		}
		l, err := pki.ParseRevocationList(pki.Assemble(tbs, algid.GOST512Sig, sig))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.CheckSignatureFrom(a.CA); err == nil || len(l.Unhandled) != 1 || l.Len() != 1 {
			t.Errorf("%s: accepted: %v", name, err)
		}
	}
}

// listTBS writes a list with one entry and any extensions, which ListTemplate would not.
func listTBS(a *pkitest.Authority, ofEntry, ofList []pki.Extension) []byte {
	stamp := func(b *cryptobyte.Builder, t time.Time) {
		b.AddASN1(cbasn1.UTCTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte(t.Format("060102150405Z"))) })
	}
	add := func(b *cryptobyte.Builder, list []pki.Extension) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, e := range append(list, pki.Extension{OID: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(e.OID)
					b.AddASN1Boolean(e.Critical)
					b.AddASN1OctetString(e.Value)
				})
			}
		})
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddBytes(algid.GOST512Sig.Identifier())
		b.AddBytes(a.CA.RawSubject)
		stamp(b, a.Now)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(5)
				stamp(b, a.Now)
				add(b, ofEntry)
			})
		})
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { add(b, ofList) })
	})
	return b.BytesOrPanic()
}

// signedList signs TBS bytes with a GOST512 key and reads the list.
func signedList(t *testing.T, key crypto.Signer, tbs []byte) *pki.RevocationList {
	t.Helper()
	value, err := algid.GOST512Sig.Sign(rand.Reader, key, tbs)
	if err != nil {
		t.Fatal(err)
	}
	l, err := pki.ParseRevocationList(pki.Assemble(tbs, algid.GOST512Sig, value))
	if err != nil {
		t.Fatal(err)
	}
	return l
}
