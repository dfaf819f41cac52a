package ca

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"senim/algid"
	"senim/internal/lint"
	"senim/pki"
)

// takeLists takes revocation lists of upper authorities: signed, in order, and newer than what is here.
func (in *installing) takeLists(ctx context.Context, all [][]byte) error {
	for _, raw := range all {
		l, err := pki.ParseRevocationList(raw)
		if err != nil {
			return err
		}
		if err := in.takeList(ctx, raw, l); err != nil {
			return fmt.Errorf("revocation list %s: %w", l.Number, err)
		}
	}
	return nil
}

func (in *installing) takeList(ctx context.Context, raw []byte, l *pki.RevocationList) error {
	var a *party
	for _, up := range in.known {
		if !up.issuing() && bytes.Equal(up.cert.RawSubject, l.RawIssuer) && l.CheckSignatureFrom(up.cert) == nil {
			a = up
		}
	}
	if a == nil {
		return errors.New("nobody above the issuing authorities signed it")
	}
	if err := lint.List(lint.ListSubject{List: l, Issuer: a.cert, MaxDays: rootListDays + 1}); err != nil {
		return err
	}
	if l.BaseNumber != nil || !l.Number.IsInt64() || l.ThisUpdate.After(in.Now()) || in.Now().After(l.NextUpdate) {
		return errors.New("it is a delta, from the future, or out of date")
	}
	var last ListRecord
	err := in.Store.View(ctx, func(tx Tx) (err error) {
		last, err = newest(ctx, tx, a.name)
		return err
	})
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err == nil && last.Number == l.Number.Int64() && bytes.Equal(last.Raw, raw):
		return in.note("revocation list %s of %s: here already", l.Number, a.name)
	case err == nil && last.Number >= l.Number.Int64():
		return fmt.Errorf("number %d of %s is here already", last.Number, a.name)
	}
	in.lists = append(in.lists, ListRecord{CA: a.name, Scheduled: true, Number: l.Number.Int64(), ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, Raw: raw})
	for _, below := range in.known {
		if below.parent != a.name {
			continue
		}
		if _, found := l.Find(below.cert.Serial); found {
			in.revoked = append(in.revoked, Retirement{Name: below.name, At: in.Now()})
			if err := in.note("%s: revoked by %s, it issues no more", below.name, a.name); err != nil {
				return err
			}
		}
	}
	return in.note("revocation list %s of %s: %d entries, SHA-256 %x", l.Number, a.name, l.Len(), algid.SHA256.Sum(raw))
}

// UpperList makes the next revocation list of a root, or of another authority above issuing ones, and
// records it.
func UpperList(ctx context.Context, c Ceremony, name string) (*List, error) {
	m, a, err := upper(ctx, c, name)
	if err != nil {
		return nil, fmt.Errorf("revocation list of %s: %w", name, err)
	}
	l, err := m.publishUpper(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("revocation list of %s: %w", name, err)
	}
	return l, nil
}

func (m *making) publishUpper(ctx context.Context, a *party) (*List, error) {
	r, err := m.upperList(ctx, a, m.Now().UTC().Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	for _, place := range m.places() {
		err := place.Store.Update(ctx, func(tx Tx) error {
			if err := tx.AddList(ctx, r); err != nil {
				return err
			}
			return tx.Audit(ctx, event("ca.list_published", m.By, a.name, map[string]string{"number": fmt.Sprint(r.Number),
				"sha256": hex.EncodeToString(algid.SHA256.Sum(r.Raw))}))
		})
		if err != nil {
			return nil, err
		}
	}
	return &List{Raw: r.Raw, Sum: sha256.Sum256(r.Raw), Number: r.Number, ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate}, nil
}

// upper opens an authority whose key is in the upper place.
func upper(ctx context.Context, c Ceremony, name string) (*making, *party, error) {
	m, err := begin(c)
	if err != nil {
		return nil, nil, err
	}
	if err := m.load(ctx); err != nil {
		return nil, nil, err
	}
	a := m.known[name]
	if a == nil || a.issuing() || a.keyName == "" {
		return nil, nil, fmt.Errorf("no authority of that name certifies authorities here: %w", ErrNotFound)
	}
	return m, a, nil
}

// RevokeAuthority ends an authority, or a cross-certificate, that the named one signed, and returns the
// list that says so. When the authority works in the same place it issues no more.
func RevokeAuthority(ctx context.Context, c Ceremony, by, serial string, reason Reason) (*List, error) {
	l, err := revokeAuthority(ctx, c, by, serial, reason)
	if err != nil {
		return nil, fmt.Errorf("revoke %s: %w", serial, err)
	}
	return l, nil
}

// CheckRevocation says whether [RevokeAuthority] would revoke. It changes nothing.
func CheckRevocation(ctx context.Context, c Ceremony, by, serial string, reason Reason) error {
	m, a, err := upper(ctx, c, by)
	if err == nil {
		err = m.Upper.Store.View(ctx, func(tx Tx) error { return revocable(ctx, tx, a, serial, reason) })
	}
	if err != nil {
		return fmt.Errorf("revoke %s: %w", serial, err)
	}
	return nil
}

// revocable: no hold for authorities, which could not be told from the outside to issue no more.
func revocable(ctx context.Context, tx Tx, a *party, serial string, reason Reason) error {
	if reason == CertificateHold || !allowed(reason) && reason != pki.CACompromise {
		return &Refusal{CodeReasonInvalid, fmt.Sprintf("reason %d is none for an authority", reason)}
	}
	r, err := tx.BySerial(ctx, serial)
	switch {
	case err != nil:
		return err
	case r.CA != a.name || r.Profile == profileRoot || r.TBS == nil:
		return fmt.Errorf("%s signed no such certificate: %w", a.name, ErrNotFound)
	case r.Revoked != nil:
		return fmt.Errorf("revoked before, on %s: %w", r.Revoked.At.Format(time.DateOnly), ErrExists)
	}
	return nil
}

func revokeAuthority(ctx context.Context, c Ceremony, by, serial string, reason Reason) (*List, error) {
	m, a, err := upper(ctx, c, by)
	if err != nil {
		return nil, err
	}
	at := m.Now().UTC().Truncate(time.Second)
	err = m.Upper.Store.Update(ctx, func(tx Tx) error {
		if err := revocable(ctx, tx, a, serial, reason); err != nil {
			return err
		}
		if err := tx.AddRevocation(ctx, a.name, serial, Revocation{At: at, Reason: reason, By: m.By}); err != nil {
			return err
		}
		return tx.Audit(ctx, event("ca.authority_revoked", m.By, serial, map[string]string{"ca": a.name, "reason": fmt.Sprint(int(reason))}))
	})
	if err != nil {
		return nil, err
	}
	if err := m.note("revoked: serial %s of %s, reason %d", serial, a.name, reason); err != nil {
		return nil, err
	}
	if err := m.endRevoked(ctx, serial, at); err != nil {
		return nil, err
	}
	return m.publishUpper(ctx, a)
}

// endRevoked ends the issuing of a revoked authority that works where we can reach it.
func (m *making) endRevoked(ctx context.Context, serial string, at time.Time) error {
	for _, below := range m.known {
		if below.cert.SerialHex() != serial || m.Store == nil {
			continue
		}
		err := m.Store.Update(ctx, func(tx Tx) error {
			if err := tx.Retire(ctx, Retirement{Name: below.name, At: at}); err != nil {
				return err
			}
			return tx.Audit(ctx, event("ca.retired", m.By, below.name, map[string]string{"cause": "revoked by its root"}))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckUpper says whether [UpperList] could make a list. It makes none.
func CheckUpper(ctx context.Context, c Ceremony, name string) error {
	if _, _, err := upper(ctx, c, name); err != nil {
		return fmt.Errorf("revocation list of %s: %w", name, err)
	}
	return nil
}
