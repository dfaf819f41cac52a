package ca

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"senim/internal/lint"
	"senim/pki"
)

// CrossRecord is a root's certificate signed by another root (RFC 4210 4.4): who trusts the one builds a
// path to what the other certified.
type CrossRecord struct {
	Name            string // "root_gost2_by_root_gost", as in addresses
	Subject, Issuer string // names of authorities
	Raw             []byte
	Created         time.Time
}

func crossName(subject, issuer string) string { return subject + "_by_" + issuer }

// cross has the old root certify the new one's key and the new one the old one's.
func (m *making) cross(ctx context.Context) error {
	for _, a := range m.planned {
		old := m.known[a.plan.Follows]
		if old == nil || a.parent != "" {
			continue
		}
		for _, pair := range [][2]*party{{a, old}, {old, a}} {
			if err := m.certifyRoot(ctx, pair[0], pair[1]); err != nil {
				return fmt.Errorf("%s: %w", crossName(pair[0].name, pair[1].name), err)
			}
		}
	}
	return nil
}

// certifyRoot makes the certificate of subject's key by issuer, good while both are.
func (m *making) certifyRoot(ctx context.Context, subject, issuer *party) error {
	from, to := m.Now().UTC().Truncate(time.Second), issuer.cert.NotAfter
	for _, c := range []*pki.Certificate{subject.cert, issuer.cert} {
		if from.Before(c.NotBefore) {
			from = c.NotBefore
		}
		if to.After(c.NotAfter) {
			to = c.NotAfter
		}
	}
	if !from.Before(to) {
		return errors.New("one of the two has ended")
	}
	t, err := m.template(subject.cert.PublicKey, subject.cert.Subject, from, to)
	if err != nil {
		return err
	}
	t.SubjectKeyID = subject.cert.SubjectKeyID
	t.IsCA, t.MaxPathLen, t.KeyUsage, t.Policies = true, subject.cert.MaxPathLen, pki.CertSign|pki.CRLSign, anyPolicy()
	m.under(t, issuer, cmp.Or(subject.settings.Address, issuer.settings.Address))
	name := crossName(subject.name, issuer.name)
	cert, err := m.make(ctx, part{key: name, kind: lint.Upper, profile: profileCross, signer: issuer, t: t, at: *m.Upper, ca: issuer.name})
	if err != nil {
		return err
	}
	m.crosses = append(m.crosses, CrossRecord{Name: name, Subject: subject.name, Issuer: issuer.name, Raw: cert.Raw, Created: m.Now()})
	return nil
}

// anyPolicy: a root promises nothing about what stands under the other (RFC 5280 4.2.1.4).
func anyPolicy() []pki.Policy { return []pki.Policy{{OID: []int{2, 5, 29, 32, 0}}} }
