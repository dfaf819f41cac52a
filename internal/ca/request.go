package ca

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"senim/algid"
	"senim/pki"
)

// Request makes the key of an issuing authority, keeps it, and returns the PKCS #10 request for its
// certificate, to be carried to the root. The authority does not exist before [Install]. Its parent need
// not be known here.
func Request(ctx context.Context, c Ceremony, p AuthorityPlan) ([]byte, error) {
	der, err := requestAuthority(ctx, c, p)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", p.Name, err)
	}
	return der, nil
}

func requestAuthority(ctx context.Context, c Ceremony, p AuthorityPlan) ([]byte, error) {
	m, err := begin(c)
	if err != nil {
		return nil, err
	}
	if err := m.load(ctx); err != nil {
		return nil, err
	}
	p = p.defaults(m.Now())
	if err := p.check(); err != nil {
		return nil, err
	}
	if !p.Issuing() || m.Store == nil {
		return nil, &PlanError{Authority: p.Name, Field: "parent", Why: "only issuing authorities are asked for with a request"}
	}
	if m.known[p.Parent] == nil { // a root that is not known here yet comes with the certificate
		m.known[p.Parent] = &party{name: p.Parent, plan: &AuthorityPlan{Name: p.Parent, Algorithm: p.Algorithm, PathLength: Unlimited}}
	}
	if err := p.against(m.known); err != nil {
		return nil, err
	}
	plan, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	a := &party{name: p.Name, parent: p.Parent, plan: &p, keyName: p.key(), settings: m.settings(p)}
	if err := m.free(ctx, a); err != nil {
		return nil, err
	}
	if err := m.newKey(ctx, a.keyName, a); err != nil {
		return nil, err
	}
	key, err := m.keep(ctx, m.Keys, a.keyName)
	if err != nil {
		return nil, err
	}
	raw, err := pki.CreateRequest(m.Rand, key, pki.RequestTemplate{Subject: p.subject()})
	if err != nil {
		return nil, err
	}
	sum := fmt.Sprintf("%x", algid.SHA256.Sum(raw))
	err = m.Store.Update(ctx, func(tx Tx) error {
		if err := tx.AddRequest(ctx, RequestRecord{Name: p.Name, Key: a.keyName, Plan: plan, Raw: raw, Created: m.Now()}); err != nil {
			return err
		}
		return tx.Audit(ctx, event("ca.requested", m.By, p.Name, map[string]string{"sha256": sum}))
	})
	if err != nil {
		return nil, err
	}
	return raw, m.note("request for %s: SHA-256 %s", p.Name, sum)
}

func (p AuthorityPlan) subject() pki.Name {
	return pki.Name{pki.NewAttribute(pki.OIDCommonName, p.CommonName), pki.NewAttribute(pki.OIDCountry, "KZ")}
}

// SignRequest has the parent in the upper place certify an authority whose key is elsewhere. The request
// proves possession and must name the authority as the plan does; everything else is the plan's. The same
// request again gives the same certificate.
func SignRequest(ctx context.Context, c Ceremony, p AuthorityPlan, csr []byte) (*pki.Certificate, error) {
	cert, err := signRequest(ctx, c, p, csr)
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", p.Name, err)
	}
	return cert, nil
}

func signRequest(ctx context.Context, c Ceremony, p AuthorityPlan, csr []byte) (*pki.Certificate, error) {
	m, err := begin(c)
	if err != nil {
		return nil, err
	}
	if err := m.load(ctx); err != nil {
		return nil, err
	}
	p = p.defaults(m.Now())
	req, err := m.examineRequest(p, csr)
	if err != nil {
		return nil, err
	}
	var before Record
	err = m.Upper.Store.View(ctx, func(tx Tx) (err error) {
		before, err = tx.ByKey(ctx, keyHash(req.RawSPKI))
		return err
	})
	switch {
	case err == nil && before.State == Done && before.CA == p.Parent && before.Profile == profileAuthority:
		cert, err := pki.ParseCertificate(before.Raw)
		if err != nil {
			return nil, err
		}
		return cert, m.note("the request for %s was signed before: serial %s, SHA-256 %s", p.Name, before.Serial, fingerprint(cert))
	case err == nil:
		return nil, fmt.Errorf("the key was certified before, or an act with it was interrupted (serial %s): a request with a new key is wanted", before.Serial)
	case !errors.Is(err, ErrNotFound):
		return nil, err
	}
	cert, err := m.authorityCertificate(ctx, p, req.PublicKey)
	if err != nil {
		return nil, err
	}
	pool := pki.NewPool()
	for _, a := range m.known {
		if a.parent == "" {
			pool.AddRoot(a.cert)
		} else {
			pool.AddIntermediate(a.cert)
		}
	}
	chain, err := pool.Chain(cert, cert.NotBefore)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return cert, m.note("check %s: lints clean, chain of %d to %s", p.Name, len(chain), chain[len(chain)-1].Subject.Get(pki.OIDCommonName))
}

// CheckRequest says whether [SignRequest] would sign. It signs nothing.
func CheckRequest(ctx context.Context, c Ceremony, p AuthorityPlan, csr []byte) error {
	m, err := begin(c)
	if err == nil {
		err = m.load(ctx)
	}
	if err == nil {
		_, err = m.examineRequest(p.defaults(m.Now()), csr)
	}
	if err != nil {
		return fmt.Errorf("certify %s: %w", p.Name, err)
	}
	return nil
}

// examineRequest holds a request against the plan that was reviewed.
func (m *making) examineRequest(p AuthorityPlan, csr []byte) (*pki.Request, error) {
	wrong := func(field, why string) error { return &PlanError{Authority: p.Name, Field: field, Why: why} }
	req, err := provedRequest(csr, (*pki.Request).CheckSignature)
	if err != nil {
		return nil, wrong("request", err.Error())
	}
	if p.Algorithm != req.Key {
		return nil, wrong("algorithm", fmt.Sprintf("the request is for a %s key", req.Key))
	}
	if p.Parent == "" {
		return nil, wrong("parent", "who signs the request?")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	up := m.known[p.Parent]
	switch {
	case up == nil || up.keyName == "":
		return nil, wrong("parent", fmt.Sprintf("%q has no key here", p.Parent))
	case up.issuing():
		return nil, wrong("parent", fmt.Sprintf("%s certifies people, not authorities", p.Parent))
	case up.algorithm() != p.Algorithm:
		return nil, wrong("algorithm", fmt.Sprintf("%s has a %s key", p.Parent, up.algorithm()))
	case up.pathLength() != Unlimited && (p.PathLength == Unlimited || p.PathLength >= up.pathLength()):
		return nil, wrong("path-length", p.Parent+" allows less below it")
	}
	subject, err := p.subject().Marshal()
	if err != nil {
		return nil, wrong("common-name", err.Error())
	}
	if !bytes.Equal(subject, req.RawSubject) {
		return nil, wrong("common-name", fmt.Sprintf("the request names %q", req.Subject.Get(pki.OIDCommonName)))
	}
	return req, nil
}
