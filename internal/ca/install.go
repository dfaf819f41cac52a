package ca

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"senim/internal/lint"
	"senim/pki"
)

// Arrival is what came from an offline root.
type Arrival struct {
	// Certificates are of requested authorities, of roots and others above them, and roots' certificates
	// by each other, under their names.
	Certificates []Named
	// Lists are revocation lists of upper authorities, DER. A new upper authority comes with one.
	Lists [][]byte
	// Roots are the SHA-256 fingerprints of the roots that may be trusted from now on, compared by
	// people with the root's transcript.
	Roots [][32]byte
}

// Named is a certificate under a name, as in addresses.
type Named struct {
	Name string
	Raw  []byte
}

// Install records what an offline root signed: an authority that was requested here gets its services and
// works from the next start on; the one it follows issues no more; authorities revoked by a list issue no
// more. Everything is recorded together or not at all. What is recorded already is passed over, so that
// the same files may come twice; older lists and unknown certificates are refused.
func Install(ctx context.Context, c Ceremony, w Arrival) error {
	if err := install(ctx, c, w); err != nil {
		return fmt.Errorf("install: %w", err)
	}
	return nil
}

func install(ctx context.Context, c Ceremony, w Arrival) error {
	m, err := begin(c)
	if err != nil {
		return err
	}
	if m.Store == nil || m.apart {
		return errors.New("certificates are installed where issuing authorities work")
	}
	if err := m.load(ctx); err != nil {
		return err
	}
	in := &installing{making: m, roots: w.Roots}
	if err := in.sort(ctx, w.Certificates); err != nil {
		return err
	}
	if err := in.takeLists(ctx, w.Lists); err != nil {
		return err
	}
	for _, up := range in.upper {
		if !slices.ContainsFunc(m.lists, func(l ListRecord) bool { return l.CA == up.name }) {
			return fmt.Errorf("%s: its revocation list is wanted too", up.name)
		}
	}
	if err := in.equip(ctx); err != nil {
		return err
	}
	if err := m.prove(ctx); err != nil {
		return err
	}
	if err := in.recordArrival(ctx); err != nil {
		return err
	}
	return m.readBack(ctx)
}

type installing struct {
	*making
	roots   [][32]byte
	upper   []*party
	revoked []Retirement
}

// sort says what each certificate is: those above first, so that those below find their issuers.
func (in *installing) sort(ctx context.Context, all []Named) error {
	waiting := slices.Clone(all)
	for len(waiting) > 0 {
		var later []Named
		for _, n := range waiting {
			cert, err := pki.ParseCertificate(n.Raw)
			if err != nil {
				return fmt.Errorf("%s: %w", n.Name, err)
			}
			taken, err := in.take(ctx, n.Name, cert)
			if err != nil {
				return fmt.Errorf("%s: %w", n.Name, err)
			}
			if !taken {
				later = append(later, n)
			}
		}
		if len(later) == len(waiting) {
			return fmt.Errorf("%s: nobody known here signed it", waiting[0].Name)
		}
		waiting = later
	}
	return nil
}

// take finds the place of one certificate; false when its issuer is not known yet.
func (in *installing) take(ctx context.Context, name string, cert *pki.Certificate) (bool, error) {
	if old := in.known[name]; old != nil {
		if !bytes.Equal(old.cert.Raw, cert.Raw) {
			return false, fmt.Errorf("another certificate of that name is here: %w", ErrExists)
		}
		return true, in.note("%s: here already", name)
	}
	if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
		return true, in.takeRoot(name, cert)
	}
	var issuer *party
	for _, a := range in.known {
		if !a.issuing() && bytes.Equal(a.cert.RawSubject, cert.RawIssuer) && cert.CheckSignatureFrom(a.cert) == nil {
			issuer = a
		}
	}
	if issuer == nil {
		return false, nil
	}
	for _, a := range in.known {
		if a.parent == "" && bytes.Equal(a.cert.RawSPKI, cert.RawSPKI) && bytes.Equal(a.cert.RawSubject, cert.RawSubject) {
			return true, in.takeCross(a, issuer, cert)
		}
	}
	switch {
	case strings.HasSuffix(name, "_by_"+issuer.name):
		return false, nil // the root it is about may be among those that wait
	case cert.IsCA && cert.MaxPathLen != 0:
		return true, in.takeUpper(name, issuer, cert)
	}
	return true, in.takeRequested(ctx, name, issuer, cert)
}

// takeRoot takes a new root that people have compared.
func (in *installing) takeRoot(name string, cert *pki.Certificate) error {
	if !slices.Contains(in.roots, cert.Fingerprint()) {
		return fmt.Errorf("a new root, SHA-256 %s: compare it with the root's transcript and say that it is right", fingerprint(cert))
	}
	if err := cert.CheckSignatureFrom(cert); err != nil {
		return err
	}
	return in.takeUpper(name, nil, cert)
}

func (in *installing) takeUpper(name string, issuer *party, cert *pki.Certificate) error {
	kind, up, parent := lint.Root, (*pki.Certificate)(nil), ""
	if issuer != nil {
		kind, up, parent = lint.Upper, issuer.cert, issuer.name
	}
	if err := relint(kind, cert, up); err != nil {
		return err
	}
	p := AuthorityPlan{Name: name, Algorithm: cert.Key, CommonName: cert.Subject.Get(pki.OIDCommonName), Parent: parent, PathLength: cert.MaxPathLen}
	p = p.defaults(in.Now())
	if err := p.check(); err != nil {
		return err
	}
	a := &party{name: name, parent: parent, cert: cert, settings: in.settings(p)}
	in.known[name] = a
	in.upper = append(in.upper, a)
	return in.note("%s: SHA-256 %s", name, fingerprint(cert))
}

func (in *installing) takeCross(subject, issuer *party, cert *pki.Certificate) error {
	if err := relint(lint.Upper, cert, issuer.cert); err != nil {
		return err
	}
	x := CrossRecord{Name: crossName(subject.name, issuer.name), Subject: subject.name, Issuer: issuer.name, Raw: cert.Raw, Created: in.Now()}
	in.crosses = append(in.crosses, x)
	return in.note("%s: SHA-256 %s", x.Name, fingerprint(cert))
}

// takeRequested takes the certificate of an authority that was requested here, if it says what was asked.
func (in *installing) takeRequested(ctx context.Context, name string, issuer *party, cert *pki.Certificate) error {
	var r RequestRecord
	err := in.Store.View(ctx, func(tx Tx) (err error) {
		r, err = tx.Request(ctx, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("no authority of that name was requested here: %w", err)
	}
	var p AuthorityPlan
	if err := json.Unmarshal(r.Plan, &p); err != nil {
		return fmt.Errorf("the plan of the request: %w", err)
	}
	if err := relint(lint.Authority, cert, issuer.cert); err != nil {
		return err
	}
	subject, err := p.subject().Marshal()
	switch {
	case err != nil:
		return err
	case issuer.name != p.Parent:
		return fmt.Errorf("signed by %s, requested from %s", issuer.name, p.Parent)
	case !bytes.Equal(cert.RawSubject, subject):
		return errors.New("it names another authority than was requested")
	case len(cert.Policies) != 1 || cert.Policies[0].String() != p.Policy:
		return errors.New("it has another policy than was requested")
	case len(cert.CRL) != 1 || !strings.HasSuffix(cert.CRL[0], listPath(issuer.name)):
		return fmt.Errorf("its list is not published as %s", listPath(issuer.name))
	case in.Now().After(cert.NotAfter):
		return errors.New("it has expired")
	}
	if _, err := openKey(ctx, in.Keys, r.Key, cert); err != nil {
		return err
	}
	delete(in.known, name)
	if err := p.against(in.known); err != nil {
		return err
	}
	a := &party{name: name, parent: p.Parent, plan: &p, cert: cert, settings: in.settings(p), keyName: r.Key,
		open: (&authority{name: name, cert: cert, key: r.Key, keys: in.Keys}).open}
	in.known[name] = a
	in.planned = append(in.planned, a)
	return in.note("%s: serial %s, SHA-256 %s, it is the key of the request", name, cert.SerialHex(), fingerprint(cert))
}

func relint(kind lint.Kind, cert, issuer *pki.Certificate) error {
	days := int(cert.NotAfter.Sub(cert.NotBefore).Hours()/24) + 1
	return lint.Certificate(lint.Subject{Kind: kind, Certificate: cert, Issuer: issuer, MaxDays: days})
}

// equip gives every new authority its services.
func (in *installing) equip(ctx context.Context) error {
	for _, a := range in.planned {
		for _, k := range a.services() {
			if err := in.newKey(ctx, firstKey(a, k), a, k.bits); err != nil {
				return err
			}
			if err := in.service(ctx, a, k); err != nil {
				return fmt.Errorf("%s: %s: %w", a.name, k.kind, err)
			}
		}
	}
	return nil
}

func (in *installing) recordArrival(ctx context.Context) error {
	at := in.Now().UTC().Truncate(time.Second)
	err := in.Store.Update(ctx, func(tx Tx) error {
		for _, a := range in.upper {
			settings, err := json.Marshal(a.settings)
			if err != nil {
				return err
			}
			if err := tx.AddAuthority(ctx, AuthorityRecord{Name: a.name, Parent: a.parent, Raw: a.cert.Raw, Created: at, Settings: settings}); err != nil {
				return err
			}
			if err := tx.Audit(ctx, event("ca.recorded", in.By, a.name, map[string]string{"serial": a.cert.SerialHex(), "sha256": fingerprint(a.cert)})); err != nil {
				return err
			}
		}
		for _, a := range in.planned {
			if err := in.recordAuthority(ctx, tx, a, at, true); err != nil {
				return err
			}
			if err := in.copyCertificate(ctx, tx, a.parent, a.cert); err != nil {
				return err
			}
		}
		for _, x := range in.crosses {
			if err := tx.AddCross(ctx, x); err != nil && !errors.Is(err, ErrExists) {
				return err
			}
		}
		for _, l := range in.lists {
			if err := tx.AddList(ctx, l); err != nil {
				return err
			}
		}
		for _, r := range in.revoked {
			if err := tx.Retire(ctx, r); err != nil {
				return err
			}
			if err := tx.Audit(ctx, event("ca.retired", in.By, r.Name, map[string]string{"cause": "revoked by its root"})); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return in.note("recorded: %d authorities above, %d issuing, %d cross-certificates, %d lists", len(in.upper), len(in.planned), len(in.crosses), len(in.lists))
}
