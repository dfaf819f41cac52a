package ra

import (
	"context"
	"maps"
	"testing"
	"time"
)

// copied is what a backup would have of the memory.
func (m *memory) copied() data {
	d := m.d
	d.counters, d.apps, d.keys, d.staff = maps.Clone(d.counters), maps.Clone(d.apps), maps.Clone(d.keys), d.staff.clone()
	return d
}

// exported are the records of the audit as they are after the backup.
func (w *town) exported(after int) (all []Recorded) {
	for _, e := range w.m.d.events[after:] {
		all = append(all, Recorded{At: w.now, Action: e.Action, Actor: e.Actor, Object: e.Object, Detail: e.Detail})
	}
	return all
}

func (w *town) holders(_ context.Context, serial string) (iin, bin, name string, err error) {
	k, ok := w.keys[serial]
	if !ok {
		return "", "", "", ErrNoKey
	}
	return k.IIN, k.BIN, "", nil
}

// What its applicant took back, or an office refused, after the copy was made is not issued from the copy.
func TestSec10ApplicationsAreNotIssuedFromAnOlderCopy(t *testing.T) {
	for name, c := range map[string]struct {
		after    func(*town, Application) error
		state    State
		revision int
	}{
		"withdrawn": {func(w *town, a Application) error {
			_, err := w.o.Withdraw(t.Context(), a.Subject.IIN, a.Number)
			return err
		}, Withdrawn, 1},
		"refused": {func(w *town, a Application) error { return w.o.reject(t.Context(), a, Reason{Code: "NOT_EMPLOYED"}) }, Rejected, 1},
		"edited": {func(w *town, a Application) error {
			_, err := w.o.Edit(t.Context(), a.Subject.IIN, a.Number, Form{Email: "new@example.kz", City: "Алматы", Storage: PKCS12, Lang: "ru"})
			return err
		}, Draft, 2},
		"nothing": {func(*town, Application) error { return nil }, Approved, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			l := w.add(w.ca.Individual())
			a := w.signed(l)
			if a.State != Approved {
				t.Fatalf("state %s", a.State)
			}
			backup, records := w.m.copied(), len(w.m.d.events)
			w.now = w.now.Add(time.Hour)
			w.ok(c.after(w, a))
			acts := w.exported(records)
			w.m.d = backup
			done, err := Reapply(t.Context(), w.m, acts, w.holders, "tester")
			w.ok(err)
			if (done.Applications == 1) != (c.state != Approved) {
				t.Errorf("done: %+v", done)
			}
			got := w.m.d.apps[a.Number]
			if got.State != c.state || got.Revision != c.revision {
				t.Errorf("%s r%d, want %s r%d", got.State, got.Revision, c.state, c.revision)
			}
			w.ok(w.o.Issue(t.Context(), Task{a.Number, a.Revision})) // the job that the copy has in hand
			if issued := len(w.orders) > 0; issued != (c.state == Approved) {
				t.Errorf("orders: %v", w.orders)
			}
			again, err := Reapply(t.Context(), w.m, acts, w.holders, "tester")
			if err != nil || again != (Reapplied{}) {
				t.Errorf("a second time: %+v, %v", again, err)
			}
		})
	}
}

// Numbers of applications that are lost are not given again: orders are named by them.
func TestSec10NumbersOfLostApplicationsAreSkipped(t *testing.T) {
	w := newTown(t)
	l := w.add(w.ca.Individual())
	backup, records := w.m.copied(), len(w.m.d.events)
	lost := w.signed(l)
	acts := w.exported(records)
	w.m.d = backup
	_, err := Reapply(t.Context(), w.m, acts, w.holders, "tester")
	w.ok(err)
	l2 := w.add(w.ca.Individual())
	if next := w.signed(l2); next.Number == lost.Number {
		t.Errorf("number %s was given twice", next.Number)
	}
}

// A delegation that ended and a person who was dismissed do not come back to life.
func TestSec10StaffOfAnOlderCopy(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	key := w.add(w.ca.Individual())
	serial := key.Certificate.SerialHex()
	k := w.keys[serial]
	k.BIN = "123456789021"
	w.keys[serial] = k
	d := Delegation{ID: "d1", BIN: k.BIN, Head: "H", IIN: k.IIN, Powers: []string{PowerConfirm}, From: t0, Until: t0.AddDate(0, 6, 0)}
	w.ok(w.m.Update(ctx, func(tx Tx) error { return tx.PutDelegation(ctx, d) }))
	acts := []Recorded{
		{t0.Add(time.Hour), "delegation.ended", "h", "delegation d1", map[string]string{"reason": string(EndWithdrawn)}},
		{t0.Add(time.Hour), "delegation.ended", "h", "delegation of later", map[string]string{"reason": string(EndWithdrawn)}},
		{t0.Add(2 * time.Hour), "employee.dismissed", "h", "employment e1", map[string]string{"signer": "s", "keys": "1"}},
		{t0.Add(2 * time.Hour), "cert.revocation.asked", "other", "77", map[string]string{"signer": "s"}},
		{t0.Add(2 * time.Hour), "cert.revocation.asked", "h", serial, map[string]string{"signer": "s"}},
		{t0.Add(2 * time.Hour), "employee.dismissed", "h", "employment e2", map[string]string{"signer": "s2", "keys": "1"}},
		{t0.Add(2 * time.Hour), "cert.revocation.asked", "h", "gone", map[string]string{"signer": "s2"}},
		{t0.Add(2 * time.Hour), "employee.dismissed", "h", "employment e3", map[string]string{"signer": "s", "keys": "1"}},
		{t0.Add(3 * time.Hour), "employee.returned", "h", "employment e3", nil},
	}
	done, err := Reapply(ctx, w.m, acts, w.holders, "tester")
	w.ok(err)
	if done != (Reapplied{Delegations: 1, Dismissals: 1, Unknown: 1}) {
		t.Errorf("done: %+v", done)
	}
	w.ok(w.m.View(ctx, func(tx Tx) error {
		got, err := tx.Delegation(ctx, "d1")
		if err != nil || got.Living(t0.Add(4*time.Hour)) || got.Ended != EndWithdrawn {
			t.Errorf("delegation %+v, %v", got, err)
		}
		mark, err := tx.Dismissal(ctx, k.BIN, k.IIN)
		if err != nil || mark.ID != "e1" || !mark.LiftedAt.IsZero() {
			t.Errorf("dismissal %+v, %v", mark, err)
		}
		return nil
	}))
	if again, err := Reapply(ctx, w.m, acts, w.holders, "tester"); err != nil || again.Delegations+again.Dismissals != 0 {
		t.Errorf("a second time: %+v, %v", again, err)
	}
}
