package ca

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/pki"
)

// Compare says what this database lacks of what is known outside. At every start a difference means
// that the database is older than what was published: suspend, and let an operator reconcile.
func (s *Service) Compare(ctx context.Context, e Evidence) (*Difference, error) {
	g, err := s.gatherEvidence(e)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	d := &Difference{Numbers: map[string]int64{}}
	err = s.store.View(ctx, func(tx Tx) error { return s.compareRecords(ctx, tx, g, d) })
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	slices.SortFunc(d.Lost, byTime)
	sortChanges(d.Revoked)
	return d, nil
}

func (s *Service) compareRecords(ctx context.Context, tx Tx, g *gathered, d *Difference) error {
	for serial, loss := range g.losses {
		r, err := tx.BySerial(ctx, serial)
		switch {
		case errors.Is(err, ErrNotFound):
			d.Lost = append(d.Lost, *loss)
		case err != nil:
			return err
		case loss.SHA256 != "" && (r.State == Reserved || r.State == Intended):
			d.Lost = append(d.Lost, *loss) // finished after the copy was taken
		}
	}
	for serial, k := range g.changes {
		r, err := tx.BySerial(ctx, serial)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if missing(r.Revoked, k.change.Revocation) {
			d.Revoked = append(d.Revoked, k.change)
		}
	}
	for name, number := range g.numbers {
		given, err := tx.LastListNumber(ctx, name)
		if err != nil {
			return err
		}
		heads, err := tx.Heads(ctx, name) // of a root that works elsewhere only its lists are here
		if err != nil {
			return err
		}
		for _, head := range heads {
			given = max(given, head.Number)
		}
		if number > given {
			d.Numbers[name] = number
		}
	}
	return nil
}

// missing reports that the database has not what was told outside: no revocation at all, a hold that
// became final or was lifted, a reason that turned out worse, or since when its key was no longer safe.
func missing(here *Revocation, told Revocation) bool {
	switch {
	case told.Reason == pki.RemoveFromCRL:
		return here != nil && here.Reason == CertificateHold
	case here == nil:
		return true
	case here.Reason == told.Reason: // a hold may be another one, of which other things were told
		return told.Reason != CertificateHold && !told.Invalidity.IsZero() && !told.Invalidity.Equal(here.Invalidity)
	default:
		return gravity(told.Reason) > gravity(here.Reason)
	}
}

// Reconcile brings into the database what it lacks, publishes new lists with higher numbers, and lets
// the authority work again. It says what was done.
//
// A certificate that was issued and is not here goes on hold: its bytes are not known, so nobody can
// vouch for it. [Service.Return] takes it from its holder's hands and lifts the hold. One of which only
// the intent is on record may have been signed and is revoked. Serials of both are never given again.
func (s *Service) Reconcile(ctx context.Context, e Evidence, by string) (*Difference, error) {
	d, err := s.Compare(ctx, e)
	if err != nil {
		return nil, err
	}
	g, err := s.gatherEvidence(e)
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	err = s.store.Update(ctx, func(tx Tx) error {
		for _, loss := range d.Lost {
			if err := s.recordLoss(ctx, tx, loss); err != nil {
				return fmt.Errorf("certificate %s: %w", loss.Serial, err)
			}
		}
		for _, c := range d.Revoked {
			if err := s.reapply(ctx, tx, c); err != nil {
				return fmt.Errorf("revocation of %s: %w", c.Serial, err)
			}
		}
		for name, number := range d.Numbers {
			if err := tx.RaiseListNumber(ctx, name, number); err != nil {
				return fmt.Errorf("list numbers of %s: %w", name, err)
			}
		}
		for name, l := range g.upper {
			if err := putBack(ctx, tx, name, l); err != nil {
				return fmt.Errorf("list of %s: %w", name, err)
			}
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.reconciled", Actor: by, Result: "ok", Detail: map[string]string{
			"lost": fmt.Sprint(len(d.Lost)), "revoked": fmt.Sprint(len(d.Revoked)), "numbers": fmt.Sprint(len(d.Numbers))}})
	})
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	s.suspended.Store(nil)
	for _, name := range s.order {
		a := s.authorities[name]
		if !a.works() {
			continue
		}
		if err := s.publish(ctx, a, true); err != nil {
			return d, fmt.Errorf("reconcile: the records are whole, lists are still to be published: %w", err)
		}
	}
	return d, nil
}

// putBack stores the published list of an authority that works elsewhere, unless it is here.
func putBack(ctx context.Context, tx Tx, name string, l *pki.RevocationList) error {
	last, err := tx.Head(ctx, name, "", false)
	if err != nil && !errors.Is(err, ErrNotFound) || last.Number >= l.Number.Int64() {
		return err
	}
	return tx.AddList(ctx, ListRecord{CA: name, Scheduled: true, Number: l.Number.Int64(), Epoch: last.Epoch, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, Size: int64(len(l.Raw)), Raw: l.Raw})
}

// recordLoss takes the serial, and the order, of a certificate whose bytes are not here.
func (s *Service) recordLoss(ctx context.Context, tx Tx, l Loss) error {
	if s.authorities[l.CA] == nil {
		return fmt.Errorf("authority %q: %w", l.CA, ErrNotFound)
	}
	state, reason := Lost, CertificateHold
	if l.SHA256 == "" {
		state, reason = Closed, CessationOfOperation
	}
	r, err := tx.BySerial(ctx, l.Serial)
	switch {
	case errors.Is(err, ErrNotFound):
		err = tx.Reserve(ctx, Record{CA: l.CA, Serial: l.Serial, Order: orderOfLoss(l), Profile: l.Profile, Key: keyOfLoss(l), State: state, Created: l.At})
	case err == nil:
		r.State, r.Key = state, keyOfLoss(l)
		err = tx.Restore(ctx, r)
	}
	if err != nil {
		return err
	}
	if r.Revoked != nil {
		return nil
	}
	return s.reapply(ctx, tx, Change{Serial: l.Serial, CA: l.CA, Source: "audit", Revocation: Revocation{At: s.whole(), Reason: reason, By: byReconcile}})
}

// byReconcile marks a hold that nobody asked for.
const byReconcile = "reconcile"

// orderOfLoss keeps the order's name, so that the order gives no second certificate.
func orderOfLoss(l Loss) string {
	if l.Order != "" {
		return l.Order
	}
	return "lost:" + l.Serial
}

// lostKey begins what stands where the hash of a key would, of a certificate that is not here.
const lostKey = "lost:"

// keyOfLoss stands where the hash of the key would: it is not known, the certificate's digest is.
func keyOfLoss(l Loss) string {
	if l.SHA256 != "" {
		return lostKey + l.SHA256
	}
	return lostKey + l.Serial
}

// reapply makes a revocation, or what changed of it, be in the database.
func (s *Service) reapply(ctx context.Context, tx Tx, c Change) error {
	r, err := tx.BySerial(ctx, c.Serial)
	if errors.Is(err, ErrNotFound) { // on a list, and in no audit record: its serial is taken
		r = Record{CA: c.CA, Serial: c.Serial, Order: "lost:" + c.Serial, Key: lostKey + c.Serial, State: Closed, Created: s.now()}
		err = tx.Reserve(ctx, r)
	}
	if err != nil || !missing(r.Revoked, c.Revocation) || (r.State == Lost && c.Reason == pki.RemoveFromCRL) {
		return err
	}
	action := "ca.revoked"
	switch {
	case c.Reason == pki.RemoveFromCRL:
		action, err = "ca.hold_lifted", tx.ChangeRevocation(ctx, c.CA, c.Serial, s.now(), Revocation{Reason: c.Reason, By: byReconcile})
	case r.Revoked != nil:
		if action = "ca.reason_changed"; r.Revoked.Reason == CertificateHold {
			action = "ca.hold_made_final"
		}
		c.At = r.Revoked.At // it never moves
		v := *r.Revoked
		v.Reason, v.Invalidity, v.By = c.Reason, c.Invalidity, byReconcile
		err = tx.ChangeRevocation(ctx, c.CA, c.Serial, s.now(), v)
	default:
		if c.At.IsZero() {
			c.At = s.whole()
		}
		c.Recorded = s.now().UTC().Truncate(time.Millisecond)
		if r.TBS != nil {
			if c.Shard, err = s.shardOf(r); err != nil {
				return err
			}
		}
		err = tx.AddRevocation(ctx, c.CA, c.Serial, c.Revocation)
	}
	if err != nil {
		return err
	}
	detail := revocationDetail(c.CA, c.Revocation)
	detail["source"] = c.Source
	if err := tx.Audit(ctx, audit.Event{Action: action, Actor: byReconcile, Object: c.Serial, Result: "ok", Detail: detail}); err != nil {
		return err
	}
	return s.tell(ctx, tx, s.revokedJob, r)
}

// Return takes a lost certificate (DER) back into the database and lifts the hold that [Service.Reconcile]
// put on it. [ErrNotFound] unless it is one that was lost; bytes that are not those of the audit record,
// or not signed by the authority, are refused.
func (s *Service) Return(ctx context.Context, der []byte, by string) (*Info, error) {
	c, err := pki.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("return certificate: %w", err)
	}
	var out Info
	err = s.store.Update(ctx, func(tx Tx) error {
		r, err := tx.BySerial(ctx, c.SerialHex())
		if err == nil && r.State != Lost {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if r, err = s.found(r, c); err != nil {
			return err
		}
		if err := tx.Restore(ctx, r); err != nil {
			return err
		}
		if r.Revoked != nil && r.Revoked.Reason == CertificateHold && r.Revoked.By == byReconcile {
			v := *r.Revoked
			v.Reason, v.By = pki.RemoveFromCRL, by
			if err := tx.ChangeRevocation(ctx, r.CA, r.Serial, s.now(), v); err != nil {
				return err
			}
			if err := s.recordRevocation(ctx, tx, r, "ca.hold_lifted", v); err != nil {
				return err
			}
			r.Revoked = nil
		}
		out = infoOf(r)
		// Whoever follows what was issued could not, without its bytes: now he can.
		issued := audit.Event{Action: "ca.issued", Actor: by, Object: r.Serial, Result: "ok", Detail: map[string]string{
			"ca": r.CA, "order": r.Order, "profile": r.Profile, "sha256": fingerprint(c)}}
		if err := tx.Audit(ctx, issued); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "ca.returned", Actor: by, Object: r.Serial, Result: "ok", Detail: map[string]string{"ca": r.CA}})
	})
	if err != nil {
		return nil, fmt.Errorf("return certificate %s: %w", c.SerialHex(), err)
	}
	return &out, nil
}

// found fills a lost record in from the certificate, when it is the one.
func (s *Service) found(r Record, c *pki.Certificate) (Record, error) {
	a := s.authorities[r.CA]
	if a == nil {
		return r, fmt.Errorf("authority %q: %w", r.CA, ErrNotFound)
	}
	if err := c.CheckSignatureFrom(a.cert); err != nil {
		return r, err
	}
	if r.Key != keyOfLoss(Loss{Serial: r.Serial, SHA256: fingerprint(c)}) {
		return r, errors.New("the audit record names other bytes under this serial")
	}
	h := c.Holder()
	r.State, r.TBS, r.Raw, r.Key = Done, c.RawTBS, c.Raw, keyHash(c.RawSPKI)
	r.IIN, r.BIN, r.Name = h.IIN, h.BIN, h.CommonName
	r.NotBefore, r.NotAfter = c.NotBefore, c.NotAfter
	return r, nil
}
