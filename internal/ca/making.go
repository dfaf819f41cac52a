package ca

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"senim/algid"
	"senim/internal/lint"
	"senim/pki"
)

// Profiles of certificates that are no holder's.
const (
	profileRoot      = "root"
	profileAuthority = "authority"
	profileResponder = "ocsp"
)

// template begins a certificate of the plan: serial, name, dates, signature of the signer.
func (m *making) template(q *part, signer algid.Key, cn string, from, to time.Time) error {
	key := q.key
	sig, err := algid.SignatureFor(key.Public())
	if err != nil {
		return err
	}
	if signer != sig.Key() {
		return fmt.Errorf("%s key under a %s authority", sig.Key(), signer)
	}
	serial, err := randomSerial(m.c.Rand, 0)
	if err != nil {
		return err
	}
	q.days = int(to.Sub(from).Hours()/24) + 1
	q.t = &pki.Template{
		Signature: sig, Serial: new(big.Int).SetBytes(serial), NotBefore: from, NotAfter: to, PublicKey: key.Public(),
		Subject: pki.Name{pki.NewAttribute(pki.OIDCommonName, cn), pki.NewAttribute(pki.OIDCountry, "KZ")},
	}
	return nil
}

func (m *making) root(ctx context.Context) (*made, error) {
	q := part{name: rootOf(m.p.Name), kind: lint.Root, profile: profileRoot, key: m.keys.root}
	from := m.p.NotBefore
	if err := m.template(&q, m.p.Algorithm, m.p.RootName, from, from.AddDate(m.p.RootYears, 0, 0)); err != nil {
		return nil, err
	}
	policy, err := parseOID(m.p.RootPolicy)
	if err != nil {
		return nil, err
	}
	q.t.IsCA, q.t.MaxPathLen, q.t.KeyUsage = true, -1, pki.CertSign|pki.CRLSign
	q.t.Policies = []pki.Policy{{OID: policy, CPS: m.p.CPS}}
	return m.make(ctx, q, nil, rootOf(m.p.Name))
}

func (m *making) issuing(ctx context.Context, root *made) (*made, error) {
	q := part{name: m.p.Name, kind: lint.Authority, profile: profileAuthority, key: m.keys.issuing}
	from := m.p.NotBefore
	to := from.AddDate(m.p.IssuingYears, 0, 0)
	if to.After(root.cert.NotAfter) {
		to = root.cert.NotAfter
	}
	if err := m.template(&q, root.cert.Key, m.p.IssuingName, from, to); err != nil {
		return nil, err
	}
	policy, err := parseOID(m.p.Policy)
	if err != nil {
		return nil, err
	}
	q.t.IsCA, q.t.MaxPathLen, q.t.KeyUsage = true, 0, pki.CertSign|pki.CRLSign
	q.t.Policies = []pki.Policy{{OID: policy, CPS: m.p.CPS}}
	q.t.RawIssuer = root.cert.RawSubject
	q.t.AuthorityKeyID, q.t.AuthorityIssuer, q.t.AuthoritySerial = root.cert.SubjectKeyID, root.cert.RawIssuer, root.cert.Serial
	q.t.CRL = []string{m.address("/crl/" + rootOf(m.p.Name) + ".crl")}
	q.t.Issuers = []string{m.address("/cert/" + rootOf(m.p.Name) + ".cer")}
	return m.make(ctx, q, root, rootOf(m.p.Name))
}

func (m *making) responder(ctx context.Context, issuing *made) (*made, error) {
	q := part{name: m.p.Name + "_ocsp_1", kind: lint.Responder, profile: profileResponder, key: m.keys.responder}
	from := m.c.Now().UTC().Truncate(time.Second)
	if from.Before(issuing.cert.NotBefore) {
		from = issuing.cert.NotBefore
	}
	if err := m.template(&q, issuing.cert.Key, responderName, from, from.AddDate(0, 0, responderDays)); err != nil {
		return nil, err
	}
	q.t.Subject = responderSubject(m.p.Organization)
	responderTemplate(q.t, issuing.cert)
	q.days = responderDays
	return m.make(ctx, q, issuing, m.p.Name)
}

const responderName = "OCSP RESPONDER"

func responderSubject(organization string) pki.Name {
	return pki.Name{pki.NewAttribute(pki.OIDCommonName, responderName), pki.NewAttribute(pki.OIDCountry, "KZ"),
		pki.NewAttribute(pki.OIDOrganization, organization)}
}

// responderTemplate fills in what makes a certificate a responder's (crypto.md §9.3).
func responderTemplate(t *pki.Template, issuer *pki.Certificate) {
	t.RawIssuer, t.AuthorityKeyID = issuer.RawSubject, issuer.SubjectKeyID
	t.KeyUsage, t.ExtKeyUsage, t.NoCheck = pki.DigitalSignature, append(t.ExtKeyUsage, pki.OCSPSigning), true
}

func (m *making) address(path string) string { return m.p.Address + path }

// settings is what the issuing authority will write into certificates.
func (m *making) settings() Settings {
	return Settings{
		Policy: m.p.Policy, CPS: m.p.CPS, Organization: m.p.Organization,
		OCSP: []string{m.address("/ocsp/")}, Issuers: []string{m.address("/cert/" + m.p.Name + ".cer")},
		CRL: []string{m.address("/crl/" + m.p.Name + ".crl")}, DeltaCRL: []string{m.address("/crl/" + m.p.Name + "_d.crl")},
	}
}

// record makes the authorities known to Open, with their first revocation lists, in one transaction.
func (m *making) record(ctx context.Context, root, issuing, responder *made) error {
	at := m.c.Now().UTC().Truncate(time.Second)
	rootList, err := buildList(m.c.Rand, root.key, root.cert, listOf{number: 1, base: -1, at: at, days: rootListDays, end: root.cert.NotAfter})
	if err != nil {
		return err
	}
	rootSettings, err := json.Marshal(Settings{Policy: m.p.RootPolicy, CPS: m.p.CPS})
	if err != nil {
		return err
	}
	settings, err := json.Marshal(m.settings())
	if err != nil {
		return err
	}
	return m.c.Store.Update(ctx, func(tx Tx) error {
		for _, a := range []AuthorityRecord{
			{Name: rootOf(m.p.Name), Raw: root.cert.Raw, Key: root.name, Created: at, Settings: rootSettings},
			{Name: m.p.Name, Parent: rootOf(m.p.Name), Raw: issuing.cert.Raw, Key: issuing.name, Created: at, Settings: settings},
		} {
			if err := tx.AddAuthority(ctx, a); err != nil {
				return err
			}
		}
		r := SignerRecord{CA: m.p.Name, Kind: SignerOCSP, Serial: responder.cert.SerialHex(), Key: responder.name, Raw: responder.cert.Raw, NotAfter: responder.cert.NotAfter}
		if err := tx.AddSigner(ctx, r); err != nil {
			return err
		}
		number, epoch, err := tx.NextListNumber(ctx, rootOf(m.p.Name))
		if err != nil {
			return err
		}
		if number != 1 {
			return fmt.Errorf("list number %d of a new root: %w", number, ErrExists)
		}
		return tx.AddList(ctx, ListRecord{CA: rootOf(m.p.Name), Scheduled: true, Number: number, Epoch: epoch,
			ThisUpdate: at, NextUpdate: at.AddDate(0, 0, rootListDays), Raw: rootList})
	})
}
