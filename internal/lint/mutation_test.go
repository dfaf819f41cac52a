package lint

import (
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/internal/profile"
	"senim/pki"
)

// values is a name for every field a profile may have.
var values = profile.Values{
	profile.UID: "1.2.398.6.10.1.1", profile.TreasuryRole: "ROLE02", profile.CommonName: "ТЕСТОВ ТЕСТ", profile.Surname: "ТЕСТОВ",
	profile.IIN: "123456789011", profile.Organization: `АО "ТЕСТ"`, profile.BIN: "123456789021", profile.TreasuryCode: "KS1234", profile.Patronymic: "ТЕСТОВИЧ",
}

// trialOf is a certificate of a profile that is in order.
func trialOf(t *testing.T, a *pkitest.Authority, p profile.Profile) *trial {
	t.Helper()
	r := newTrial(t, a)
	m := r.s.Meant
	m.Profile, m.IIN, m.BIN = p, "", ""
	v := profile.Values{}
	for _, part := range p.Subject {
		v[part.Field] = values[part.Field]
	}
	m.CommonName, m.IIN, m.BIN = v[profile.CommonName], v[profile.IIN], v[profile.BIN]
	name, err := p.SubjectName(v)
	if err != nil {
		t.Fatal(err)
	}
	if a.CA.Key == algid.RSA {
		r.key = pkitest.NewKey(t, algid.RSA)
		r.t.PublicKey, r.t.Signature = r.key.Public(), algid.SHA256WithRSA
	}
	serial := slices.Clone(algid.KeyID(r.key.Public()))
	if serial[0] &= 0x7f; serial[0] < 0x10 {
		serial[0] |= 0x10
	}
	if p.Serial == profile.SerialRandom {
		serial[1] ^= 1
	}
	r.t.Serial = new(big.Int).SetBytes(serial)
	m.Serial = pki.SerialHex(r.t.Serial)
	r.t.Subject, r.t.KeyUsage, r.t.ExtKeyUsage = name, p.KeyUsage, slices.Clone(p.Usage)
	if p.Registered {
		r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, asn1.ObjectIdentifier{1, 2, 398, 3, 3, 4, 1, 2, 6, 7})
	}
	r.s.MaxDays = p.Days(nil)
	m.NotAfter = a.Now.AddDate(0, 0, r.s.MaxDays)
	r.t.NotAfter = m.NotAfter
	r.t.Policies = nil
	for _, q := range p.Policies {
		one := pki.Policy{OID: q.OID, CPS: q.CPS}
		if one.OID == nil {
			one.OID = m.Policy
		}
		if one.CPS == "" {
			one.CPS = m.CPS
		}
		if q.Notice {
			one.Notice = one.CPS
		}
		r.t.Policies = append(r.t.Policies, one)
	}
	if !p.Storage {
		r.t.Storage = nil
	}
	return r
}

// mutations spoil one field of the bytes to be signed each; false where the profile has no such
// field. Missing are only values nobody keeps: organisation, patronymic, e-mail, and the kind of key
// store within its arc, all of which are held against their form.
var mutations = map[string]func(*trial, profile.Profile) bool{
	"serial":              always(func(r *trial) { r.t.Serial = new(big.Int).Xor(r.t.Serial, big.NewInt(1)) }),
	"issuer":              always(func(r *trial) { r.t.RawIssuer = r.a.Root.RawSubject }),
	"notBefore earlier":   always(func(r *trial) { r.t.NotBefore = r.t.NotBefore.Add(-time.Second) }),
	"notBefore later":     always(func(r *trial) { r.t.NotBefore = r.t.NotBefore.Add(time.Second) }),
	"notAfter earlier":    always(func(r *trial) { r.t.NotAfter = r.t.NotAfter.Add(-time.Second) }),
	"notAfter later":      always(func(r *trial) { r.t.NotAfter = r.t.NotAfter.Add(time.Second) }),
	"RDNs turned":         always(func(r *trial) { slices.Reverse(r.t.Subject) }),
	"RDNs joined":         always(func(r *trial) { r.t.Subject[len(r.t.Subject)-1].Joined = true }),
	"an RDN more":         always(func(r *trial) { r.t.Subject = append(r.t.Subject, pki.NewAttribute(pki.OIDLocality, "АСТАНА")) }),
	"an RDN twice":        always(func(r *trial) { r.t.Subject = append(r.t.Subject, r.t.Subject[len(r.t.Subject)-1]) }),
	"key":                 always(func(r *trial) { r.t.SubjectKeyID = algid.KeyID(r.t.PublicKey); r.t.PublicKey = r.a.CA.PublicKey }),
	"subject key id":      always(func(r *trial) { r.t.SubjectKeyID = make([]byte, 20) }),
	"authority key id":    always(func(r *trial) { r.t.AuthorityKeyID = make([]byte, 20) }),
	"no authority key id": always(func(r *trial) { r.t.AuthorityKeyID = nil }),
	"key usage more":      always(func(r *trial) { r.t.KeyUsage |= pki.DataEncipherment }),
	"key usage less":      always(func(r *trial) { r.t.KeyUsage &^= pki.DigitalSignature }),
	"no key usage":        always(func(r *trial) { r.t.KeyUsage = 0 }),
	"usages turned":       always(func(r *trial) { slices.Reverse(r.t.ExtKeyUsage) }),
	"a usage more":        always(func(r *trial) { r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, asn1.ObjectIdentifier{1, 2, 3}) }),
	"a usage less":        always(func(r *trial) { r.t.ExtKeyUsage = r.t.ExtKeyUsage[1:] }),
	"the last usage less": always(func(r *trial) { r.t.ExtKeyUsage = r.t.ExtKeyUsage[:len(r.t.ExtKeyUsage)-1] }),
	"no usages":           always(func(r *trial) { r.t.ExtKeyUsage = nil }),
	"usages critical":     always(func(r *trial) { r.t.ExtKeyUsageCritical = true }),
	"policy":              always(func(r *trial) { r.t.Policies[0].OID = pki.PolicySSL }),
	"a policy more":       always(func(r *trial) { r.t.Policies = append(r.t.Policies, pki.Policy{OID: pki.PolicySSL}) }),
	"no policy":           always(func(r *trial) { r.t.Policies = nil }),
	"statement":           always(func(r *trial) { r.t.Policies[0].CPS += "x" }),
	"no statement":        always(func(r *trial) { r.t.Policies[0].CPS = "" }),
	"notice":              always(func(r *trial) { r.t.Policies[0].Notice += "x" }),
	"no notice": func(r *trial, p profile.Profile) bool {
		r.t.Policies[0].Notice = ""
		return p.Policies[0].Notice
	},
	"OCSP address":      always(func(r *trial) { r.t.OCSP = []string{"http://other.example.kz/ocsp/"} }),
	"no OCSP address":   always(func(r *trial) { r.t.OCSP = nil }),
	"issuer address":    always(func(r *trial) { r.t.Issuers = []string{"http://other.example.kz/a.cer"} }),
	"CRL address":       always(func(r *trial) { r.t.CRL = []string{"http://other.example.kz/a.crl"} }),
	"another CRL":       always(func(r *trial) { r.t.CRL = append(r.t.CRL, "http://other.example.kz/a.crl") }),
	"delta CRL address": always(func(r *trial) { r.t.DeltaCRL = []string{"http://other.example.kz/d.crl"} }),
	"no delta CRL":      always(func(r *trial) { r.t.DeltaCRL = nil }),
	"host":              always(func(r *trial) { r.t.DNSNames = []string{"www.example.kz"} }),
	"two e-mails":       always(func(r *trial) { r.t.Emails = []string{"a@example.kz", "b@example.kz"} }),
	"key store":         always(func(r *trial) { r.t.Storage = asn1.ObjectIdentifier{1, 2, 3} }),
	"key store or none": always(func(r *trial) {
		if r.t.Storage == nil {
			r.t.Storage = pki.StoragePKCS12
		} else {
			r.t.Storage = nil
		}
	}),
	"authority": always(func(r *trial) { r.t.IsCA = true }),
	"nocheck":   always(func(r *trial) { r.t.NoCheck = true }),
	"another extension": always(func(r *trial) {
		r.t.Extra = []pki.Extension{{OID: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}}
	}),
}

func always(f func(*trial)) func(*trial, profile.Profile) bool {
	return func(r *trial, _ profile.Profile) bool { f(r); return true }
}

// TestEveryFieldIsGuarded: for every profile, whichever field is changed, a rule finds it.
func TestEveryFieldIsGuarded(t *testing.T) {
	gost, classic := pkitest.New(t), pkitest.New(t, pkitest.Config{Key: algid.RSA})
	set := profile.NCA()
	random := set["individual"]
	random.Name, random.Serial, random.Email = "individual-random", profile.SerialRandom, profile.Required
	set[random.Name] = random
	for _, name := range set.Names() {
		p := set[name]
		if p.Kind != profile.Holder {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := gost
			if _, ok := p.Key(algid.GOST512); !ok {
				a = classic
			}
			good := trialOf(t, a, p)
			if p.Email != profile.Required {
				good.t.Emails = nil
			}
			if names := good.broken(t); names != nil {
				t.Fatalf("in order, and broken: %v", names)
			}
			mutateName(t, good)
			for what, spoil := range mutations {
				r := copyTrial(good)
				if spoil(r, p) && r.broken(t) == nil {
					t.Errorf("%s: found by no rule", what)
				}
			}
		})
	}
}

// mutateName spoils each part of the name: left out, of another string type, with another value.
func mutateName(t *testing.T, good *trial) {
	t.Helper()
	free := map[string]bool{pki.OIDOrganization.String(): true, pki.OIDGivenName.String(): true, pki.OIDUserID.String(): true,
		pki.OIDDomain.String(): true, pki.OIDCategory.String(): true}
	for i, a := range good.t.Subject {
		optional := a.OID.Equal(pki.OIDGivenName) || a.OID.Equal(pki.OIDUserID)
		if r := copyTrial(good); !optional {
			r.t.Subject = slices.Delete(r.t.Subject, i, i+1)
			if r.broken(t) == nil {
				t.Errorf("%v left out: found by no rule", a.OID)
			}
		}
		r := copyTrial(good)
		r.t.Subject[i].Tag = asn1.TagBMPString
		if r.broken(t) == nil {
			t.Errorf("%v of another string type: found by no rule", a.OID)
		}
		if free[a.OID.String()] {
			continue
		}
		r = copyTrial(good)
		r.t.Subject[i].Value = map[bool]string{true: "RU", false: "ИВАНОВ"}[a.OID.Equal(pki.OIDCountry)]
		if a.OID.Equal(pki.OIDSerialNumber) {
			r.t.Subject[i].Value = "IIN123456789012"
		}
		if r.broken(t) == nil {
			t.Errorf("%v with another value: found by no rule", a.OID)
		}
	}
}

func copyTrial(r *trial) *trial {
	c, tpl, meant := *r, *r.t, *r.s.Meant
	tpl.Subject, tpl.ExtKeyUsage, tpl.Policies = slices.Clone(tpl.Subject), slices.Clone(tpl.ExtKeyUsage), slices.Clone(tpl.Policies)
	c.t, c.s.Meant = &tpl, &meant
	return &c
}
