package ca

import (
	"context"
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"

	"senim/internal/lint"
	"senim/pki"
)

// service is one of an authority's own services that sign with a key of their own (crypto.md §9.3).
type service struct {
	kind, profile string
	lint          lint.Kind
	commonName    string
	days, bits    int
	// before is how long before its certificate ends a new key is made. A time-stamp is proved by
	// the certificate as long as that lives, so a TSA has a new key every year: each stamp is good
	// for two years at least.
	before  time.Duration
	purpose asn1.ObjectIdentifier
}

func services() []service {
	return []service{
		{SignerOCSP, profileResponder, lint.Responder, "OCSP RESPONDER", responderDays, responderBits, 60 * 24 * time.Hour, pki.OCSPSigning},
		{SignerTSA, profileTSA, lint.TSA, "TIME-STAMPING AUTHORITY", tsaDays, tsaBits, 730 * 24 * time.Hour, pki.TimeStamping},
	}
}

func serviceOf(profile string) (service, bool) {
	for _, k := range services() {
		if k.profile == profile {
			return k, true
		}
	}
	return service{}, false
}

// services are those of an issuing authority; others have none.
func (a *party) services() (all []service) {
	for _, k := range services() {
		if a.issuing() && (k.kind != SignerTSA || !a.settings.NoTSA) {
			all = append(all, k)
		}
	}
	return all
}

// firstKey names the first key of a service.
func firstKey(a *party, k service) string { return a.keyName + "_" + k.kind + "_1" }

// template is the service's certificate, from now to its days or to the end of the authority.
func (k service) template(issuer *pki.Certificate, s Settings, now time.Time, serial []byte, public crypto.PublicKey) (*pki.Template, error) {
	sig, err := signatureOf(issuer)
	if err != nil {
		return nil, err
	}
	from := now.UTC().Truncate(time.Second)
	if from.Before(issuer.NotBefore) {
		from = issuer.NotBefore
	}
	to := from.AddDate(0, 0, k.days)
	if to.After(issuer.NotAfter) {
		to = issuer.NotAfter
	}
	t := &pki.Template{
		Signature: sig, Serial: new(big.Int).SetBytes(serial), NotBefore: from, NotAfter: to, PublicKey: public,
		Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, k.commonName), pki.NewAttribute(pki.OIDCountry, "KZ"),
			pki.NewAttribute(pki.OIDOrganization, s.Organization)},
		RawIssuer: issuer.RawSubject, AuthorityKeyID: issuer.SubjectKeyID,
		KeyUsage: pki.DigitalSignature, ExtKeyUsage: []asn1.ObjectIdentifier{k.purpose},
	}
	if k.kind == SignerOCSP {
		t.NoCheck = true
		return t, nil
	}
	t.ExtKeyUsageCritical = true
	t.Policies = []pki.Policy{{OID: pki.PolicyTSA, CPS: s.CPS}}
	t.OCSP, t.Issuers, t.CRL, t.DeltaCRL = s.OCSP, s.Issuers, s.CRL, s.DeltaCRL
	return t, nil
}

// service keeps the key of one of the authority's services and certifies it.
func (m *making) service(ctx context.Context, a *party, k service) error {
	name := firstKey(a, k)
	key, err := m.keep(ctx, m.Keys, name)
	if err != nil {
		return err
	}
	serial, err := randomSerial(m.Rand, 0)
	if err != nil {
		return err
	}
	t, err := k.template(a.cert, a.settings, m.Now(), serial, key.Public())
	if err != nil {
		return err
	}
	cert, err := m.make(ctx, part{key: name, kind: k.lint, profile: k.profile, signer: a, t: t, at: Place{m.Store, m.Keys}, ca: a.name})
	if err != nil {
		return err
	}
	a.signers = append(a.signers, SignerRecord{CA: a.name, Kind: k.kind, Serial: cert.SerialHex(), Key: name, Raw: cert.Raw, NotAfter: cert.NotAfter})
	return nil
}
