package lint

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/internal/profile"
	"senim/pki"
)

const combined = pki.DigitalSignature | pki.NonRepudiation | pki.KeyAgreement

// trial is a certificate that is in order, to be spoilt.
type trial struct {
	a    *pkitest.Authority
	key  crypto.Signer
	sign crypto.Signer
	t    *pki.Template
	s    Subject
}

func newTrial(t *testing.T, a *pkitest.Authority) *trial {
	t.Helper()
	key := pkitest.NewKey(t, algid.GOST512)
	serial := slices.Clone(algid.KeyID(key.Public()))
	if serial[0] &= 0x7f; serial[0] < 0x10 {
		serial[0] |= 0x10
	}
	const at = "http://pki.example.kz"
	h := pkitest.Person()
	meant := &Meant{
		Profile: profile.NCA()["individual"], Policy: pki.PolicyNCA, CPS: at,
		CRL: []string{at + "/a.crl"}, DeltaCRL: []string{at + "/d.crl"}, OCSP: []string{at + "/ocsp/"}, Issuers: []string{at + "/a.cer"},
		Serial: pki.SerialHex(new(big.Int).SetBytes(serial)), CommonName: h.CommonName, IIN: h.IIN, NotBefore: a.Now, NotAfter: a.Now.AddDate(0, 0, 365),
	}
	return &trial{a: a, key: key, sign: a.CAKey, s: Subject{Kind: Holder, Issuer: a.CA, MaxDays: 365, Meant: meant}, t: &pki.Template{
		Signature: algid.GOST512Sig, Serial: new(big.Int).SetBytes(serial), RawIssuer: a.CA.RawSubject, Subject: pki.SubjectName(pkitest.Person()),
		NotBefore: a.Now, NotAfter: a.Now.AddDate(0, 0, 365), PublicKey: key.Public(), KeyUsage: combined,
		ExtKeyUsage: []asn1.ObjectIdentifier{pki.EmailProtection, pki.RoleIndividual.OID()},
		Policies:    []pki.Policy{{OID: pki.PolicyNCA, CPS: at}}, AuthorityKeyID: a.CA.SubjectKeyID,
		CRL: []string{at + "/a.crl"}, DeltaCRL: []string{at + "/d.crl"}, OCSP: []string{at + "/ocsp/"}, Issuers: []string{at + "/a.cer"},
		Emails: []string{"b@example.kz"}, Storage: pki.StoragePKCS12,
	}}
}

// broken makes the certificate and names the rules it breaks.
func (r *trial) broken(t *testing.T) []string {
	t.Helper()
	tbs, err := r.t.TBS()
	if err != nil {
		t.Fatal(err)
	}
	value, err := r.t.Signature.Sign(rand.Reader, r.sign, tbs)
	if err != nil {
		t.Fatal(err)
	}
	if r.s.Certificate, err = pki.ParseCertificate(pki.Assemble(tbs, r.t.Signature, value)); err != nil {
		t.Fatal(err)
	}
	err = Certificate(r.s)
	var names []string
	if found, ok := errors.AsType[Error](err); ok {
		for _, f := range found {
			if f.Clause == "" || f.Problem == "" {
				t.Errorf("finding %+v", f)
			}
			names = append(names, f.Rule)
		}
	} else if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestHolderRules(t *testing.T) {
	a := pkitest.New(t)
	oid := func(r ...pki.Role) (ids []asn1.ObjectIdentifier) {
		for _, r := range r {
			ids = append(ids, r.OID())
		}
		return ids
	}
	rename := func(r *trial, change func(*pki.Holder)) {
		h := pkitest.Person()
		change(&h)
		r.t.Subject = pki.SubjectName(h)
	}
	for _, tt := range []struct {
		rule  string // "" = in order
		spoil func(*trial)
	}{
		{"", func(*trial) {}},
		{"", func(r *trial) {
			r.t.ExtKeyUsage, r.t.Subject = append(oid(pki.RoleIdentifiedAtDesk), append([]asn1.ObjectIdentifier{pki.EmailProtection}, oid(pki.RoleLegal, pki.RoleFirstHead)...)...), pki.SubjectName(pkitest.Member(pki.RoleFirstHead))
			r.s.Meant.Profile, r.s.Meant.BIN = profile.NCA()["head"], pkitest.Member(pki.RoleFirstHead).BIN
		}},
		{"serial-form", func(r *trial) { r.t.Serial = big.NewInt(1) }},
		{"serial-of-key", func(r *trial) { r.t.Serial = new(big.Int).Add(r.t.Serial, big.NewInt(1)) }},
		{"subject-key-id", func(r *trial) { r.t.SubjectKeyID = make([]byte, 20) }},
		{"authority-key-id", func(r *trial) { r.t.AuthorityKeyID = make([]byte, 20) }},
		{"key-ids-present", func(r *trial) { r.t.AuthorityKeyID = nil }},
		{"issuer-name", func(r *trial) { r.t.RawIssuer = r.a.Root.RawSubject }},
		{"key-kind", func(r *trial) { r.t.PublicKey = pkitest.NewKey(t, algid.GOST2004).Public() }},
		{"key-kind", func(r *trial) { r.t.PublicKey = pkitest.NewKey(t, algid.RSA).Public() }},
		{"profile-subject", func(r *trial) { slices.Reverse(r.t.Subject) }},
		{"profile-subject", func(r *trial) {
			r.t.Subject = append(r.t.Subject, pki.NewAttribute(pki.OIDLocality, "АСТАНА"))
		}},
		{"name-strings", func(r *trial) { r.t.Subject[0].Tag = asn1.TagBMPString }},
		{"name-text", func(r *trial) { rename(r, func(h *pki.Holder) { h.Given = "ТЕСТОВИЧ " }) }},
		{"name-text", func(r *trial) { rename(r, func(h *pki.Holder) { h.Given = strings.Repeat("Т", 501) }) }},
		{"name-text", func(r *trial) { rename(r, func(h *pki.Holder) { h.Given = "ТЕС\u200bТ" }) }},
		{"name-country", func(r *trial) { rename(r, func(h *pki.Holder) { h.Country = "XX" }) }},
		{"name-person", func(r *trial) { rename(r, func(h *pki.Holder) { h.IIN = "" }) }},
		{"name-person", func(r *trial) { rename(r, func(h *pki.Holder) { h.CommonName = "ИВАНОВ ТЕСТ" }) }},
		{"name-person", func(r *trial) { rename(r, func(h *pki.Holder) { h.BIN, h.Organization = "123456789021", "X" }) }},
		{"name-person", func(r *trial) { rename(r, func(h *pki.Holder) { h.CommonName, h.Surname = " ", " " }) }},
		{"key-usage", func(r *trial) { r.t.KeyUsage = pki.DigitalSignature }},
		{"profile-usage", func(r *trial) { r.t.ExtKeyUsage[0] = pki.ClientAuth }},
		{"profile-usage", func(r *trial) { r.t.ExtKeyUsage = r.t.ExtKeyUsage[:1] }},
		{"roles", func(r *trial) { r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, pki.ServerAuth) }},
		{"roles", func(r *trial) { r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, pki.RoleFirstHead.OID()) }},
		{"roles", func(r *trial) { r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, oid(pki.RoleLegal, pki.RoleHR)...) }},
		{"identified-first", func(r *trial) { r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, pki.RoleIdentifiedAtDesk.OID()) }},
		{"criticality", func(r *trial) { r.t.ExtKeyUsageCritical = true }},
		{"basic-constraints", func(r *trial) { r.t.IsCA = true }},
		{"profile-policies", func(r *trial) { r.t.Policies = nil }},
		{"holder-addresses", func(r *trial) { r.t.DeltaCRL = nil }},
		{"addresses", func(r *trial) { r.t.OCSP = append(r.t.OCSP, r.t.OCSP[0]) }},
		{"addresses", func(r *trial) { r.t.CRL = []string{"http://crl.pki.gov.kz/*.crl"} }},
		{"addresses", func(r *trial) { r.t.CRL = []string{"ftp://pki.example.kz/a.crl"} }},
		{"key-store", func(r *trial) { r.t.Storage = nil }},
		{"key-store", func(r *trial) { r.t.Storage = asn1.ObjectIdentifier{1, 2, 3} }},
		{"e-mail", func(r *trial) { r.t.Emails = []string{"nobody"} }},
		{"validity-length", func(r *trial) { r.t.NotAfter = r.t.NotAfter.Add(time.Second) }},
		{"validity-within-issuer", func(r *trial) { r.t.NotAfter, r.s.MaxDays = r.a.CA.NotAfter.Add(time.Second), 1<<14 }},
		{"read-by-another-parser", func(r *trial) {
			r.t.Extra = []pki.Extension{{OID: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := newTrial(t, a)
			tt.spoil(r)
			names := r.broken(t)
			if tt.rule == "" && names != nil || tt.rule != "" && !slices.Contains(names, tt.rule) {
				t.Errorf("broken: %v", names)
			}
		})
	}
}

// TestOtherKinds: what is right for a holder is wrong for the rest.
func TestOtherKinds(t *testing.T) {
	a := pkitest.New(t)
	for kind, rules := range map[Kind][]string{
		Root:      {"key-usage", "purpose-of-others", "basic-constraints", "issuer-name"},
		Authority: {"key-usage", "purpose-of-others", "basic-constraints"},
		Responder: {"key-usage", "purpose-of-others"},
		TSA:       {"key-usage", "purpose-of-others", "policy", "criticality"},
		Upper:     {"key-usage", "purpose-of-others", "basic-constraints"},
	} {
		r := newTrial(t, a)
		r.s.Kind = kind
		names := r.broken(t)
		for _, rule := range rules {
			if !slices.Contains(names, rule) {
				t.Errorf("kind %d: %s is not broken: %v", kind, rule, names)
			}
		}
	}
}

func TestRulesHaveClauses(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if r.Name == "" || r.Clause == "" || seen[r.Name] {
			t.Errorf("rule %q, clause %q", r.Name, r.Clause)
		}
		seen[r.Name] = true
	}
}

func TestListRules(t *testing.T) {
	a := pkitest.New(t)
	cert := a.Individual().Certificate
	entry := a.Revoked(cert, pki.Superseded)
	for _, tt := range []struct {
		rule  string
		spoil func(*pki.ListTemplate, *ListSubject)
	}{
		{"", func(*pki.ListTemplate, *ListSubject) {}},
		{"", func(l *pki.ListTemplate, _ *ListSubject) {
			l.BaseNumber, l.Entries[0].Reason = big.NewInt(2), pki.RemoveFromCRL
		}},
		{"list-issuer", func(_ *pki.ListTemplate, s *ListSubject) { s.Issuer = a.Root }},
		{"list-scope", func(l *pki.ListTemplate, _ *ListSubject) { l.Points = []string{"http://a/1.crl"} }},
		{"list-scope", func(_ *pki.ListTemplate, s *ListSubject) { s.Points = []string{"http://a/1.crl"} }},
		{"list-scope", func(l *pki.ListTemplate, s *ListSubject) {
			l.Points, s.Points = []string{"http://a/1.crl"}, []string{"http://a/2.crl"}
		}},
		{"", func(l *pki.ListTemplate, s *ListSubject) {
			l.Points, s.Points = []string{"http://a/1.crl"}, []string{"http://a/1.crl"}
		}},
		{"list-entries", func(l *pki.ListTemplate, _ *ListSubject) { l.Entries[0].InvalidAt = l.ThisUpdate.Add(time.Hour) }},
		{"list-entries", func(l *pki.ListTemplate, _ *ListSubject) { // one of more than the other parser is given
			first := l.Entries[0]
			for i := range otherParserMost + 1 {
				next := first
				next.Serial = big.NewInt(int64(1_000_000 + i))
				l.Entries = append(l.Entries, next)
			}
			l.Entries = append(l.Entries, l.Entries[otherParserMost])
		}},
		{"list-dates", func(l *pki.ListTemplate, _ *ListSubject) { l.NextUpdate = l.NextUpdate.Add(time.Second) }},
		{"list-number", func(l *pki.ListTemplate, _ *ListSubject) { l.BaseNumber = big.NewInt(9) }},
		{"list-entries", func(l *pki.ListTemplate, _ *ListSubject) {
			l.Entries[0].HasReason, l.Entries[0].Reason = false, pki.Unspecified
		}},
		{"list-entries", func(l *pki.ListTemplate, _ *ListSubject) { l.Entries[0].RevokedAt = l.ThisUpdate.Add(time.Hour) }},
		{"list-entries", func(l *pki.ListTemplate, _ *ListSubject) { l.Entries = append(l.Entries, l.Entries[0]) }},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			l := pki.ListTemplate{Number: big.NewInt(3), ThisUpdate: a.Now, NextUpdate: a.Now.AddDate(0, 0, 7), Entries: []pki.Entry{entry}}
			s := ListSubject{Issuer: a.CA, MaxDays: 7}
			tt.spoil(&l, &s)
			der, err := pki.CreateRevocationList(rand.Reader, a.CAKey, a.CA, l)
			if err != nil {
				t.Skip("the writer refuses it already:", err)
			}
			if s.List, err = pki.ParseRevocationList(der); err != nil {
				t.Fatal(err)
			}
			found, _ := errors.AsType[Error](List(s))
			if got := slices.IndexFunc(found, func(f Finding) bool { return f.Rule == tt.rule }) >= 0; got != (tt.rule != "") || tt.rule == "" && found != nil {
				t.Errorf("broken: %v", found)
			}
		})
	}
}

// New RSA keys have one exponent; other odd ones are only read.
func TestExponent(t *testing.T) {
	n := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	for e, good := range map[int]bool{65537: true, 3: false, 65539: false, 1<<31 - 1: false} {
		c := &pki.Certificate{PublicKey: &rsa.PublicKey{N: n, E: e}, Key: algid.RSA, Signature: algid.SHA256WithRSA}
		if err := rsaKey(Subject{Certificate: c}); (err == nil) != good {
			t.Errorf("exponent %d: %v", e, err)
		}
	}
}

// TestServiceAndUpperRules has time-stamping authorities and upper authorities: what is in order, and each way it is not.
func TestServiceAndUpperRules(t *testing.T) {
	a := pkitest.New(t)
	for _, tt := range []struct {
		rule  string // "" = in order
		kind  Kind
		spoil func(*trial)
	}{
		{"", TSA, func(*trial) {}},
		{"criticality", TSA, func(r *trial) { r.t.ExtKeyUsageCritical = false }},
		{"purpose-of-others", TSA, func(r *trial) { r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, pki.OCSPSigning) }},
		{"purpose-of-others", TSA, func(r *trial) { r.t.NoCheck = true }},
		{"policy", TSA, func(r *trial) { r.t.Policies[0].OID = pki.PolicyNCA }},
		{"policy", TSA, func(r *trial) { r.t.Policies = append(r.t.Policies, pki.Policy{OID: pki.PolicyNCA}) }},
		{"key-usage", TSA, func(r *trial) { r.t.KeyUsage |= pki.NonRepudiation }},
		{"validity-length", TSA, func(r *trial) { r.t.NotAfter = r.t.NotAfter.Add(time.Second) }},
		{"", Upper, func(*trial) {}},
		{"", Upper, func(r *trial) { r.t.MaxPathLen = -1 }},
		{"basic-constraints", Upper, func(r *trial) { r.t.MaxPathLen = 0 }},
		{"key-usage", Upper, func(r *trial) { r.t.KeyUsage |= pki.DigitalSignature }},
		{"policy", Upper, func(r *trial) { r.t.Policies = nil }},
		{"purpose-of-others", Upper, func(r *trial) { r.t.ExtKeyUsage = []asn1.ObjectIdentifier{pki.TimeStamping} }},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := newTrial(t, a)
			r.s.Kind, r.t.Emails, r.t.Storage = tt.kind, nil, nil
			if tt.kind == TSA {
				r.t.Subject = pki.SubjectName(pki.Holder{CommonName: "TIME-STAMPING AUTHORITY", Organization: "TEST"})
				r.t.KeyUsage, r.t.ExtKeyUsage, r.t.ExtKeyUsageCritical = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.TimeStamping}, true
				r.t.Policies = []pki.Policy{{OID: pki.PolicyTSA}}
				r.s.MaxDays, r.t.NotAfter = 1095, r.t.NotBefore.AddDate(0, 0, 1095)
			} else {
				r.t.Subject = pki.Name{pki.NewAttribute(pki.OIDCommonName, "UPPER"), pki.NewAttribute(pki.OIDCountry, "KZ")}
				r.t.IsCA, r.t.MaxPathLen, r.t.KeyUsage, r.t.ExtKeyUsage = true, 1, pki.CertSign|pki.CRLSign, nil
			}
			tt.spoil(r)
			names := r.broken(t)
			if tt.rule == "" && names != nil || tt.rule != "" && !slices.Contains(names, tt.rule) {
				t.Errorf("kind %d: broken: %v", tt.kind, names)
			}
		})
	}
}
