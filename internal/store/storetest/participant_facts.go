package storetest

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/participant"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/pki"
)

// participantFacts: a transaction of the portal sees what the authority and the registries have written, and of
// certificates its own only.
func participantFacts(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	cert := &pki.Certificate{Serial: big.NewInt(1<<41 + 7), Raw: []byte("of the portal's person")}
	record := caRecord(1)
	record.Serial, record.Order, record.Key = cert.SerialHex(), "order-facts", "key-facts"
	write := func(f func(ca.Tx) error) {
		t.Helper()
		in(t, s.CA(), f)
	}
	revoked := func(c *pki.Certificate) (moment time.Time, yes bool) {
		t.Helper()
		err := s.Participant().View(ctx, func(tx participant.Tx) (err error) {
			moment, yes, err = tx.Revoked(ctx, c)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return moment, yes
	}
	write(func(tx ca.Tx) error {
		return errors.Join(tx.Reserve(ctx, record), tx.Intend(ctx, record.Serial, []byte("tbs")), tx.Finish(ctx, record.Serial, cert.Raw))
	})
	if _, yes := revoked(cert); yes {
		t.Error("a good certificate is revoked")
	}
	write(func(tx ca.Tx) error {
		return tx.AddRevocation(ctx, "gost", record.Serial, ca.Revocation{At: now, Recorded: now, Reason: ca.CertificateHold, By: "one"})
	})
	if moment, yes := revoked(cert); !yes || !moment.Equal(now) {
		t.Errorf("on hold: %v %v", yes, moment)
	}
	if _, yes := revoked(&pki.Certificate{Serial: cert.Serial, Raw: []byte("of another authority")}); yes {
		t.Error("another authority's certificate of the same number is revoked")
	}
	write(func(tx ca.Tx) error {
		return tx.ChangeRevocation(ctx, "gost", record.Serial, now, ca.Revocation{Reason: pki.RemoveFromCRL, By: "two"})
	})
	if _, yes := revoked(cert); yes {
		t.Error("a hold that was lifted stands")
	}
	err := s.Participant().View(ctx, func(tx participant.Tx) error {
		_, err := tx.Loads().LastLoad(ctx, "no such source")
		return err
	})
	if !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the last load of nothing: %v", err)
	}
}
