package lint

import (
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
	"senim/pki"
)

// service is a certificate of one of the other kinds that is in order, under the issuing authority;
// a root and an issuing authority are under the root.
func service(t *testing.T, a *pkitest.Authority, kind Kind) *trial {
	t.Helper()
	r := newTrial(t, a)
	if a.CA.Key == algid.RSA {
		r.key = pkitest.NewKey(t, algid.RSA)
		r.t.PublicKey, r.t.Signature = r.key.Public(), algid.SHA256WithRSA
	}
	r.s = Subject{Kind: kind, Issuer: a.CA, MaxDays: 365}
	tpl := r.t
	tpl.Serial = new(big.Int).Lsh(big.NewInt(0x11), 152)
	tpl.Subject = pki.Name{pki.NewAttribute(pki.OIDCommonName, "СЛУЖБА"), pki.NewAttribute(pki.OIDCountry, "KZ"), pki.NewAttribute(pki.OIDOrganization, "СЕНІМ")}
	tpl.Emails, tpl.Storage, tpl.DeltaCRL, tpl.ExtKeyUsage, tpl.KeyUsage = nil, nil, nil, nil, pki.DigitalSignature
	switch kind {
	case Responder:
		tpl.ExtKeyUsage, tpl.NoCheck, tpl.Policies, tpl.CRL, tpl.OCSP, tpl.Issuers = []asn1.ObjectIdentifier{pki.OCSPSigning}, true, nil, nil, nil, nil
	case TSA:
		tpl.ExtKeyUsage, tpl.ExtKeyUsageCritical = []asn1.ObjectIdentifier{pki.TimeStamping}, true
		tpl.Policies = []pki.Policy{{OID: pki.PolicyTSA, CPS: "http://pki.example.kz/cps"}}
	case Authority, SubAuthority, Root:
		tpl.KeyUsage, tpl.IsCA, tpl.Subject = pki.CertSign|pki.CRLSign, true, tpl.Subject[:2]
	default:
	}
	switch kind {
	case Authority:
		r.s.Issuer, tpl.RawIssuer, tpl.AuthorityKeyID = a.Root, a.Root.RawSubject, a.Root.SubjectKeyID
		tpl.AuthorityIssuer, tpl.AuthoritySerial = a.Root.RawIssuer, a.Root.Serial
	case SubAuthority:
		open := *a.CA
		open.MaxPathLen = 1
		r.s.Issuer = &open
	case Root:
		r.s.Issuer, tpl.RawIssuer, tpl.AuthorityKeyID, tpl.MaxPathLen = nil, nil, nil, -1
		tpl.CRL, tpl.OCSP, tpl.Issuers = nil, nil, nil
	default:
	}
	return r
}

var otherKinds = map[string]Kind{"root": Root, "authority": Authority, "sub-authority": SubAuthority, "responder": Responder, "tsa": TSA}

// Of both kinds of keys, each kind of certificate is in order as it should be, and then spoilt.
func TestServiceRules(t *testing.T) {
	gost, classic := pkitest.New(t), pkitest.New(t, pkitest.Config{Key: algid.RSA})
	for name, kind := range otherKinds {
		for _, a := range []*pkitest.Authority{gost, classic} {
			if names := service(t, a, kind).broken(t); names != nil {
				t.Errorf("%s of a %s key is in order, and broken: %v", name, a.CA.Key, names)
			}
		}
	}
	for _, tt := range []struct {
		rule  string
		kind  Kind
		spoil func(*trial)
	}{
		{"key-usage", TSA, func(r *trial) { r.t.KeyUsage |= pki.NonRepudiation }},
		{"key-usage", SubAuthority, func(r *trial) { r.t.KeyUsage |= pki.DigitalSignature }},
		{"purpose-of-others", TSA, func(r *trial) { r.t.ExtKeyUsage = append(r.t.ExtKeyUsage, pki.EmailProtection) }},
		{"purpose-of-others", TSA, func(r *trial) { r.t.NoCheck = true }},
		{"purpose-of-others", Responder, func(r *trial) { r.t.NoCheck = false }},
		{"purpose-of-others", SubAuthority, func(r *trial) { r.t.ExtKeyUsage = []asn1.ObjectIdentifier{pki.ClientAuth} }},
		{"criticality", TSA, func(r *trial) { r.t.ExtKeyUsageCritical = false }},
		{"criticality", Responder, func(r *trial) { r.t.ExtKeyUsageCritical = true }},
		{"basic-constraints", TSA, func(r *trial) { r.t.IsCA = true }},
		{"basic-constraints", SubAuthority, func(r *trial) { r.t.IsCA = false }},
		{"basic-constraints", SubAuthority, func(r *trial) { r.t.MaxPathLen = 1 }},
		{"basic-constraints", SubAuthority, func(r *trial) { r.t.MaxPathLen = -1 }},
		{"basic-constraints", SubAuthority, func(r *trial) { closed := *r.a.CA; closed.MaxPathLen = 0; r.s.Issuer = &closed }},
		{"basic-constraints", Authority, func(r *trial) { r.t.MaxPathLen = 1 }},
		{"policy", TSA, func(r *trial) { r.t.Policies = nil }},
		{"policy", SubAuthority, func(r *trial) { r.t.Policies = nil }},
		{"status-address", TSA, func(r *trial) { r.t.CRL, r.t.OCSP = nil, nil }},
		{"status-address", Authority, func(r *trial) { r.t.CRL, r.t.OCSP = nil, nil }},
		{"service-life", TSA, func(r *trial) { r.t.NotAfter, r.s.MaxDays = r.t.NotBefore.AddDate(0, 0, 1096), 2000 }},
		{"service-life", Responder, func(r *trial) { r.t.NotAfter, r.s.MaxDays = r.t.NotBefore.AddDate(0, 0, 366), 2000 }},
		{"name-order", TSA, func(r *trial) { slices.Reverse(r.t.Subject) }},
		{"name-strings", TSA, func(r *trial) { r.t.Subject[2].Tag = asn1.TagPrintableString; r.t.Subject[2].Value = "SENIM" }},
		{"profile", Holder, func(r *trial) { r.s.Meant = nil }},
	} {
		r := service(t, gost, tt.kind)
		tt.spoil(r)
		if names := r.broken(t); !slices.Contains(names, tt.rule) {
			t.Errorf("%s of kind %d: broken: %v", tt.rule, tt.kind, names)
		}
	}
}
