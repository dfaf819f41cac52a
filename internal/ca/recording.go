package ca

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"senim/internal/lint"
	"senim/pki"
)

// firstLists makes the first revocation list of every new authority above issuing ones. Issuing
// authorities publish theirs when they open.
func (m *making) firstLists(ctx context.Context) error {
	for _, a := range m.planned {
		if a.issuing() {
			continue
		}
		if _, err := m.upperList(ctx, a, m.Now().UTC().Truncate(time.Second)); err != nil {
			return fmt.Errorf("%s: revocation list: %w", a.name, err)
		}
	}
	return nil
}

// upperList takes the next number of an upper authority's lists, records what will be signed, and signs
// what is revoked. The list is recorded with everything else.
func (m *making) upperList(ctx context.Context, a *party, at time.Time) (ListRecord, error) {
	l := listOf{base: -1, at: at, days: rootListDays, end: a.cert.NotAfter}
	var draft *draftList
	entries := 0
	err := m.Upper.Store.Update(ctx, func(tx Tx) (err error) {
		if l.number, l.epoch, err = tx.NextListNumber(ctx, a.name); err != nil {
			return err
		}
		last, err := tx.Head(ctx, a.name, "", false)
		if err == nil && l.at.Before(last.ThisUpdate) { // a clock set back must not make an older list
			l.at = last.ThisUpdate
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if draft, err = newDraft(a.cert, l); err != nil {
			return err
		}
		entries = 0
		err = tx.EachRevoked(ctx, a.name, "", 0, l.at.Add(-listLinger), func(r RevokedRecord) error {
			entries++
			return draft.add(r)
		})
		if err == nil {
			err = draft.lint()
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, event("ca.will_publish", m.By, a.name, map[string]string{"number": fmt.Sprint(l.number), "tbs_sha256": draft.sum}))
	})
	if err != nil {
		return ListRecord{}, err
	}
	key, err := a.open(ctx)
	if err != nil {
		return ListRecord{}, err
	}
	raw, sum, err := draft.sign(m.Rand, key)
	if err != nil {
		return ListRecord{}, err
	}
	r := l.record(a.name, "", true, raw)
	m.lists = append(m.lists, r)
	return r, m.note("revocation list %d of %s: %d entries, next by %s, SHA-256 %s", r.Number, a.name, entries,
		r.NextUpdate.Format(time.DateOnly), sum)
}

// prove holds everything that was made against what it should be, before anything of it can be used.
func (m *making) prove(ctx context.Context) error {
	pool := pki.NewPool()
	for _, a := range m.known {
		switch {
		case a.cert == nil:
		case a.parent == "":
			pool.AddRoot(a.cert)
		default:
			pool.AddIntermediate(a.cert)
		}
	}
	for _, a := range m.planned {
		keys := m.Upper.Keys
		if a.issuing() {
			keys = m.Keys
		}
		kind, up := lint.Root, (*pki.Certificate)(nil)
		if above := m.known[a.parent]; above != nil {
			kind, up = lint.Upper, above.cert
		}
		if a.issuing() {
			kind = lint.Authority
		}
		if err := m.proveOne(ctx, pool, keys, a.keyName, a.cert, kind, up); err != nil {
			return fmt.Errorf("check %s: %w", a.name, err)
		}
		for _, s := range a.signers {
			cert, err := pki.ParseCertificate(s.Raw)
			if err == nil {
				k, _ := serviceOf(s.Kind)
				err = m.proveOne(ctx, pool, m.Keys, s.Key, cert, k.lint, a.cert)
			}
			if err != nil {
				return fmt.Errorf("check %s of %s: %w", s.Kind, a.name, err)
			}
		}
	}
	return m.proveCrosses()
}

// proveOne lints the certificate as it was signed, opens the key anew, signs with it, and builds the chain.
func (m *making) proveOne(ctx context.Context, pool *pki.Pool, keys Keys, name string, cert *pki.Certificate, kind lint.Kind, issuer *pki.Certificate) error {
	if err := relint(kind, cert, issuer); err != nil {
		return err
	}
	key, err := openKey(ctx, keys, name, cert)
	if err != nil {
		return err
	}
	sig, err := signatureOf(cert)
	if err != nil {
		return err
	}
	message := []byte("a ceremony's check of key " + name)
	value, err := sig.Sign(m.Rand, key, message)
	if err != nil {
		return err
	}
	if err := sig.Verify(cert.PublicKey, message, value); err != nil {
		return err
	}
	at := m.Now().UTC()
	if at.Before(cert.NotBefore) {
		at = cert.NotBefore
	}
	chain, err := pool.Chain(cert, at)
	if err != nil {
		return err
	}
	return m.note("check %s: lints clean, the key opens and signs, chain of %d to %s", name, len(chain), chain[len(chain)-1].Subject.Get(pki.OIDCommonName))
}

// proveCrosses builds the path that each cross-certificate is for: from its subject to its issuer alone.
func (m *making) proveCrosses() error {
	for _, x := range m.crosses {
		cert, err := pki.ParseCertificate(x.Raw)
		if err != nil {
			return err
		}
		pool := pki.NewPool()
		pool.AddRoot(m.known[x.Issuer].cert)
		if _, err := pool.Chain(cert, cert.NotBefore); err != nil {
			return fmt.Errorf("check %s: %w", x.Name, err)
		}
		if err := m.note("check %s: who trusts %s builds a path to it", x.Name, x.Issuer); err != nil {
			return err
		}
	}
	return nil
}

// record makes everything known to Open: in the upper place first, then beside the issuing authorities.
func (m *making) record(ctx context.Context) error {
	at := m.Now().UTC().Truncate(time.Second)
	for i, place := range m.places() {
		online := m.Store != nil && (i == 1 || !m.apart)
		err := place.Store.Update(ctx, func(tx Tx) error {
			for _, a := range m.planned {
				if err := m.recordAuthority(ctx, tx, a, at, online); err != nil {
					return fmt.Errorf("%s: %w", a.name, err)
				}
			}
			if online && m.apart {
				if err := m.copyUpper(ctx, tx, at); err != nil {
					return err
				}
			}
			for _, x := range m.crosses {
				if err := tx.AddCross(ctx, x); err != nil {
					return fmt.Errorf("%s: %w", x.Name, err)
				}
			}
			for _, l := range m.lists {
				if err := tx.AddList(ctx, l); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	return m.note("recorded: %d authorities, %d cross-certificates, %d lists", len(m.planned), len(m.crosses), len(m.lists))
}

// recordAuthority adds a planned authority to a place. An upper authority is recorded in its own place
// with its key and beside the issuing ones without; an issuing one where it works alone.
func (m *making) recordAuthority(ctx context.Context, tx Tx, a *party, at time.Time, online bool) error {
	if a.issuing() && !online {
		return nil
	}
	settings, err := json.Marshal(a.settings)
	if err != nil {
		return err
	}
	r := AuthorityRecord{Name: a.name, Parent: a.parent, Raw: a.cert.Raw, Key: a.keyName, Created: at, Settings: settings}
	if online && m.apart && !a.issuing() {
		r.Key = ""
	}
	if err := tx.AddAuthority(ctx, r); err != nil {
		return err
	}
	if old := m.known[a.plan.Follows]; old != nil && old.issuing() && online {
		if err := tx.Retire(ctx, Retirement{Name: old.name, Successor: a.name, At: at}); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event("ca.retired", m.By, old.name, map[string]string{"successor": a.name})); err != nil {
			return err
		}
	}
	for _, s := range a.signers {
		if err := tx.AddSigner(ctx, s); err != nil {
			return err
		}
	}
	return tx.Audit(ctx, event("ca.recorded", m.By, a.name, map[string]string{"serial": a.cert.SerialHex(), "sha256": fingerprint(a.cert)}))
}

// copyUpper brings what stands above a new issuing authority into its place when it is not there yet,
// with the newest list, and the record of each new authority's certificate, so that its key is known.
func (m *making) copyUpper(ctx context.Context, tx Tx, at time.Time) error {
	all, err := tx.Authorities(ctx)
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for _, r := range all {
		here[r.Name] = true
	}
	for _, a := range m.planned {
		if err := m.copyCertificate(ctx, tx, a.parent, a.cert); err != nil {
			return err
		}
		for up := m.known[a.parent]; up != nil; up = m.known[up.parent] {
			if here[up.name] {
				continue
			}
			here[up.name] = true
			if up.plan != nil {
				continue // recorded a moment ago
			}
			if err := m.addUpper(ctx, tx, up, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// addUpper records an authority whose key is elsewhere.
func (m *making) addUpper(ctx context.Context, tx Tx, up *party, at time.Time) error {
	settings, err := json.Marshal(up.settings)
	if err != nil {
		return err
	}
	if err := tx.AddAuthority(ctx, AuthorityRecord{Name: up.name, Parent: up.parent, Raw: up.cert.Raw, Created: at, Settings: settings}); err != nil {
		return err
	}
	var l ListRecord
	err = m.Upper.Store.View(ctx, func(tx Tx) (err error) {
		l, err = newest(ctx, tx, up.name)
		return err
	})
	if err != nil {
		return fmt.Errorf("revocation list of %s: %w", up.name, err)
	}
	return tx.AddList(ctx, l)
}

// newest is the newest list of an upper authority, with its bytes.
func newest(ctx context.Context, tx Tx, name string) (ListRecord, error) {
	l, err := tx.Head(ctx, name, "", false)
	if err == nil {
		l.Raw, err = tx.ListBytes(ctx, l)
	}
	return l, err
}

// copyCertificate records a certificate that was made elsewhere: nobody will certify its key here.
func (m *making) copyCertificate(ctx context.Context, tx Tx, ca string, cert *pki.Certificate) error {
	if ca == "" {
		return nil
	}
	r := Record{
		CA: ca, Serial: cert.SerialHex(), Order: ceremonyOrder("copy", cert.SerialHex()), Profile: profileAuthority, Key: keyHash(cert.RawSPKI),
		State: Done, TBS: cert.RawTBS, Raw: cert.Raw, Name: cert.Subject.Get(pki.OIDCommonName), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter, Created: m.Now(),
	}
	return tx.Reserve(ctx, r)
}

// readBack looks whether the records say what was made.
func (m *making) readBack(ctx context.Context) error {
	for i, place := range m.places() {
		var all []AuthorityRecord
		err := place.Store.View(ctx, func(tx Tx) (err error) {
			all, err = tx.Authorities(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("read back: %w", err)
		}
		for _, a := range m.planned {
			for _, r := range all {
				if r.Name == a.name && !bytes.Equal(r.Raw, a.cert.Raw) {
					return fmt.Errorf("read back %s: another certificate than was made", a.name)
				}
			}
		}
		if m.Store != nil && (i == 1 || !m.apart) {
			err = m.missing(all)
		}
		if err != nil {
			return err
		}
	}
	return m.note("check: every record reads back equal")
}

func (m *making) missing(all []AuthorityRecord) error {
	for _, a := range m.planned {
		found := false
		for _, r := range all {
			found = found || r.Name == a.name
		}
		if !found {
			return fmt.Errorf("read back %s: %w", a.name, ErrNotFound)
		}
	}
	return nil
}
