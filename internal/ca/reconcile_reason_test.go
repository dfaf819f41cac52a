package ca

import (
	"testing"
	"time"

	"senim/ocsp"
)

// What turned out worse after the copy was taken is not forgotten: the reason, since when the key was
// not the holder's alone, and since when the revocation counts (security.md §10, BR 7.2.2). Either the
// lists or the audit is enough to know it.
func TestSec10ChangedReasonComesBack(t *testing.T) {
	for name, keep := range map[string]func(Evidence) Evidence{
		"lists": func(e Evidence) Evidence { return Evidence{Lists: e.Lists} },
		"audit": func(e Evidence) Evidence { return Evidence{Acts: e.Acts} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			ctx := t.Context()
			worse, held, fresh := "", "", ""
			for id, serial := range map[string]*string{"worse": &worse, "held": &held, "fresh": &fresh} {
				i, _ := mustIssue(t, b, order(t, id))
				*serial = i.Serial
			}
			begin := b.clock.now()
			b.clock.move(time.Hour)
			revoke := func(o RevokeOrder) {
				t.Helper()
				o.By = "tester"
				if _, err := b.RevokeAll(ctx, []RevokeOrder{o}); err != nil {
					t.Fatal(err)
				}
			}
			revoke(RevokeOrder{Serial: worse, Reason: Superseded})
			revoke(RevokeOrder{Serial: held, Reason: CertificateHold})
			counts := b.clock.now()
			backup, twin := b.store.snapshot(), b.store.snapshot()
			b.clock.move(time.Hour)
			invalid := begin.Add(30 * time.Minute).UTC().Truncate(time.Second)
			revoke(RevokeOrder{Serial: worse, Reason: KeyCompromise, Invalidity: invalid})
			revoke(RevokeOrder{Serial: held, Reason: KeyCompromise, Invalidity: invalid})
			revoke(RevokeOrder{Serial: fresh, Reason: KeyCompromise, At: counts, Invalidity: invalid})
			if err := b.Publish(ctx, "gost"); err != nil {
				t.Fatal(err)
			}
			told := b.outside(t)
			e := keep(told)
			b.clock.move(time.Hour)
			b.restored(t, backup)
			d, err := b.Compare(ctx, e)
			if err != nil || len(d.Revoked) != 3 {
				t.Fatalf("missing %+v, %v", d, err)
			}
			if _, err := b.Reconcile(ctx, e, "tester"); err != nil {
				t.Fatal(err)
			}
			for name, serial := range map[string]string{"changed reason": worse, "hold made final": held, "revoked back in time": fresh} {
				one := b.ask(t, serial)
				if one.Status != ocsp.Revoked || one.Reason != KeyCompromise || !one.InvalidAt.Equal(invalid) || !one.RevokedAt.Equal(counts.Truncate(time.Second)) {
					t.Errorf("%s: %+v; want %s, invalid since %s", name, one, counts, invalid)
				}
			}
			if d, err := b.Compare(ctx, told); err != nil || !d.Empty() {
				t.Errorf("afterwards: %+v, %v", d, err)
			}
			// what reconciling wrote is evidence for the next time
			again := keep(b.outside(t))
			b.restored(t, twin)
			if _, err := b.Reconcile(ctx, again, "tester"); err != nil {
				t.Fatal(err)
			}
			if one := b.ask(t, fresh); !one.InvalidAt.Equal(invalid) || !one.RevokedAt.Equal(counts.Truncate(time.Second)) {
				t.Errorf("the second time: %+v", one)
			}
		})
	}
}
