package ca

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
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
	profileCross     = "cross"
	profileResponder = "ocsp"
	profileTSA       = "tsa"
)

// part is one certificate of a ceremony: what it will say, and who signs.
type part struct {
	key     string // name of the key it is for
	kind    lint.Kind
	profile string
	signer  *party // nil: it signs itself
	t       *pki.Template
	at      Place  // where the act is recorded: the signer's
	ca      string // under which authority
}

// template begins a certificate: serial, subject, dates, signature of the signer.
func (m *making) template(public crypto.PublicKey, subject pki.Name, from, to time.Time) (*pki.Template, error) {
	sig, err := algid.SignatureFor(public)
	if err != nil {
		return nil, err
	}
	serial, err := randomSerial(m.Rand, 0)
	if err != nil {
		return nil, err
	}
	return &pki.Template{Signature: sig, Serial: new(big.Int).SetBytes(serial), NotBefore: from, NotAfter: to, PublicKey: public, Subject: subject}, nil
}

// authority makes the certificate of a planned authority.
func (m *making) authority(ctx context.Context, a *party) error {
	key, err := m.keep(ctx, m.place(a), a.keyName)
	if err != nil {
		return err
	}
	a.open = held(key)
	cert, err := m.authorityCertificate(ctx, *a.plan, key.Public())
	a.cert = cert
	return err
}

// authorityCertificate has the parent, or the key itself, certify an authority.
func (m *making) authorityCertificate(ctx context.Context, p AuthorityPlan, public crypto.PublicKey) (*pki.Certificate, error) {
	from := p.NotBefore
	to := from.AddDate(p.Years, 0, 0)
	parent := m.known[p.Parent]
	if parent != nil && to.After(parent.cert.NotAfter) {
		to = parent.cert.NotAfter
	}
	if parent != nil && from.Before(parent.cert.NotBefore) {
		from = parent.cert.NotBefore
	}
	t, err := m.template(public, p.subject(), from, to)
	if err != nil {
		return nil, err
	}
	policy, err := pki.ParseOID(p.Policy)
	if err != nil {
		return nil, err
	}
	t.IsCA, t.MaxPathLen, t.KeyUsage = true, p.PathLength, pki.CertSign|pki.CRLSign
	t.Policies = []pki.Policy{{OID: policy, CPS: p.CPS}}
	q := part{key: p.key(), kind: lint.Root, profile: profileRoot, t: t, at: *m.Upper, ca: p.Name}
	if parent != nil {
		q.kind, q.profile, q.signer, q.ca = lint.Authority, profileAuthority, parent, parent.name
		if p.PathLength != 0 {
			q.kind = lint.Upper
		}
		m.under(t, parent, p.Address)
	}
	return m.make(ctx, q)
}

// under says in a certificate of an authority who signed it and where that one's files are. Its issuer is
// named by key alone: with name and serial too (crypto.md §6) readers refuse the issuer's cross-certificates
// (doc/decision/0012).
func (m *making) under(t *pki.Template, parent *party, address string) {
	t.RawIssuer = parent.cert.RawSubject
	t.AuthorityKeyID = parent.cert.SubjectKeyID
	if parent.settings.Address != "" {
		address = parent.settings.Address
	}
	if address != "" {
		t.CRL = []string{address + listPath(parent.name)}
		t.Issuers = []string{address + "/cert/" + parent.name + ".cer"}
	}
}

func listPath(name string) string { return "/crl/" + name + ".crl" }

// settings is what an authority will write into certificates.
func (m *making) settings(p AuthorityPlan) Settings {
	if !p.Issuing() {
		return Settings{Policy: p.Policy, CPS: p.CPS, Address: p.Address}
	}
	return Settings{
		Policy: p.Policy, CPS: p.CPS, Address: p.Address, Organization: p.Organization, NoTSA: p.NoTSA,
		OCSP: []string{p.Address + "/ocsp/"}, Issuers: []string{p.Address + "/cert/" + p.Name + ".cer"},
		CRL: []string{p.Address + listPath(p.Name)}, DeltaCRL: []string{p.Address + listPath(p.Name+"_d")},
	}
}

// make lints, records the intent and the audit entry, signs, and records the certificate.
func (m *making) make(ctx context.Context, q part) (*pki.Certificate, error) {
	var issuer *pki.Certificate
	key := m.keys[q.key]
	if q.signer != nil {
		issuer = q.signer.cert
		var err error
		if key, err = q.signer.open(ctx); err != nil {
			return nil, err
		}
		if q.t.Signature, err = signatureOf(issuer); err != nil {
			return nil, err
		}
	}
	tbs, err := q.t.TBS()
	if err != nil {
		return nil, err
	}
	days := int(q.t.NotAfter.Sub(q.t.NotBefore).Hours()/24) + 1
	if k, ok := serviceOf(q.profile); ok {
		days = k.days
	}
	token, err := m.practice.prepare(m.Rand, q.kind, issuer, tbs, days, q.t.Signature)
	if err != nil {
		return nil, err
	}
	r, err := m.intent(ctx, q, tbs)
	if err != nil {
		return nil, err
	}
	raw, err := sign(m.Rand, key, issuer, token, tbs)
	if err != nil {
		return nil, err
	}
	cert, err := pki.ParseCertificate(raw)
	if err != nil {
		return nil, err
	}
	r.State, r.Raw = Done, raw
	err = q.at.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Advance(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, event("ca.created", m.By, r.Serial, map[string]string{"ca": q.ca, "profile": q.profile, "sha256": fingerprint(cert)}))
	})
	if err != nil {
		return nil, err
	}
	return cert, m.note("certificate %s of %s by %s: serial %s, %s to %s, SHA-256 %s", q.profile, q.key, q.ca, r.Serial,
		cert.NotBefore.Format(time.DateOnly), cert.NotAfter.Format(time.DateOnly), fingerprint(cert))
}

func fingerprint(c *pki.Certificate) string {
	sum := c.Fingerprint()
	return hex.EncodeToString(sum[:])
}

// intent stores what is about to be signed.
func (m *making) intent(ctx context.Context, q part, tbs []byte) (Record, error) {
	spki, err := algid.MarshalPublicKey(q.t.PublicKey)
	if err != nil {
		return Record{}, err
	}
	serial := pki.SerialHex(q.t.Serial)
	r := Record{
		CA: q.ca, Serial: serial, Order: ceremonyOrder(q.key, serial), Profile: q.profile, Key: keyHash(spki),
		State: Intended, TBS: tbs, Name: q.t.Subject.Get(pki.OIDCommonName),
		NotBefore: q.t.NotBefore, NotAfter: q.t.NotAfter, Created: m.Now(),
	}
	if q.profile == profileCross { // this key has a certificate of its own already
		r.Key = profileCross + ":" + q.ca + ":" + r.Key
	}
	sum := sha256.Sum256(tbs)
	return r, q.at.Store.Update(ctx, func(tx Tx) error {
		if err := tx.Reserve(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, event("ca.will_create", m.By, r.Serial,
			map[string]string{"ca": q.ca, "profile": q.profile, "tbs_sha256": hex.EncodeToString(sum[:])}))
	})
}
