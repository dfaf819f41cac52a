package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/store"
	"senim/ocsp"
	"senim/pki"
)

// caStatus is what answers are made of: the cheap look at one serial, and what changed since an epoch.
func caStatus(t *testing.T, s *store.Store) {
	ctx := t.Context()
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	update := func(f func(ca.Tx) error) {
		t.Helper()
		if err := s.CA().Update(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	changed := func(since int64, limit int) (epoch int64, serials []string) {
		t.Helper()
		err := s.CA().View(ctx, func(tx ca.Tx) (err error) {
			epoch, serials, err = tx.Changed(ctx, "status", since, limit)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(serials)
		return epoch, serials
	}
	status := func() (r ca.Record, err error) {
		return r, s.CA().View(ctx, func(tx ca.Tx) error {
			var err error
			r, err = tx.Status(ctx, "st-1")
			return err
		})
	}
	if epoch, serials := changed(0, 10); epoch != 0 || len(serials) != 0 {
		t.Errorf("before the first: epoch %d, %v", epoch, serials)
	}
	if _, err := status(); !errors.Is(err, ca.ErrNotFound) {
		t.Errorf("no such serial: %v", err)
	}
	update(func(tx ca.Tx) error {
		for _, serial := range []string{"st-1", "st-2", "st-3"} {
			r := ca.Record{CA: "status", Serial: serial, Order: serial, Key: serial, Profile: "individual", State: ca.Done, Raw: []byte{1}, NotAfter: end, Created: end}
			if err := tx.Reserve(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if r, err := status(); err != nil || r.CA != "status" || r.Serial != "st-1" || r.State != ca.Done || !r.NotAfter.Equal(end) || r.Revoked != nil {
		t.Errorf("%+v, %v", r, err)
	}
	v := ca.Revocation{At: end.Add(-time.Hour), Reason: ca.CertificateHold, Invalidity: end.Add(-2 * time.Hour)}
	update(func(tx ca.Tx) error {
		return errors.Join(tx.AddRevocation(ctx, "status", "st-1", v), tx.AddRevocation(ctx, "status", "st-2", v))
	})
	if r, err := status(); err != nil || r.Revoked == nil || r.Revoked.Reason != v.Reason || !r.Revoked.At.Equal(v.At) || !r.Revoked.Invalidity.Equal(v.Invalidity) {
		t.Errorf("%+v, %v", r, err)
	}
	update(func(tx ca.Tx) error {
		return tx.ChangeRevocation(ctx, "status", "st-1", end, ca.Revocation{Reason: pki.RemoveFromCRL})
	})
	if r, err := status(); err != nil || r.Revoked != nil {
		t.Errorf("released: %+v, %v", r, err)
	}
	for _, tt := range []struct {
		since int64
		limit int
		want  []string
	}{{0, 10, []string{"st-1", "st-2"}}, {2, 10, []string{"st-1"}}, {3, 10, nil}, {0, 1, []string{"st-2"}}, {0, 0, nil}} {
		if epoch, serials := changed(tt.since, tt.limit); epoch != 3 || !slices.Equal(serials, tt.want) {
			t.Errorf("since %d: epoch %d, %v, want %v", tt.since, epoch, serials, tt.want)
		}
	}
}

// everyNode holds and releases on one node and asks the other at once, from memory if it would.
func everyNode(t *testing.T, nodes []*ca.Service, issuer, cert *pki.Certificate) {
	t.Helper()
	for range 5 {
		if one := askOCSP(t, nodes[1], issuer, cert); one.Status != ocsp.Good {
			t.Errorf("released, but %v", one.Status)
		}
		if _, err := nodes[0].Revoke(t.Context(), cert.SerialHex(), ca.CertificateHold, "tester", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if one := askOCSP(t, nodes[1], issuer, cert); one.Status != ocsp.Revoked {
			t.Errorf("held, but %v", one.Status)
		}
		if err := nodes[0].Release(t.Context(), cert.SerialHex(), "tester", "another"); err != nil {
			t.Fatal(err)
		}
	}
	if nodes[1].Counts().Signed > 20 {
		t.Errorf("%+v: nothing from memory", nodes[1].Counts())
	}
}
