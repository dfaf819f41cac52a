package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/job"
	"senim/internal/store"
	"senim/pki"
)

var caStart = time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC)

// caRecord is a record whose unique parts end in n.
func caRecord(n int) ca.Record {
	return ca.Record{
		CA: "gost", Serial: fmt.Sprintf("%040x", 1<<40+n), Order: fmt.Sprint("order-", n), Key: fmt.Sprint("key-", n), Profile: "individual",
		State: ca.Reserved, IIN: "123456789011", Name: "ТЕСТОВ ТЕСТ",
		NotBefore: caStart, NotAfter: caStart.AddDate(1, 0, 0), Created: caStart.Add(time.Duration(n) * time.Second),
	}
}

// CA has the cases of the certification authority's records, and the authority at work over them.
func CA(t *testing.T, s *store.Store) {
	t.Run("authorities", func(t *testing.T) { caAuthorities(t, s.CA()) })
	t.Run("records", func(t *testing.T) { caRecords(t, s.CA()) })
	t.Run("ways", func(t *testing.T) { caWays(t, s.CA()) })
	t.Run("holders", func(t *testing.T) { caHolders(t, s.CA()) })
	t.Run("revocations", func(t *testing.T) { caRevocations(t, s.CA()) })
	t.Run("lists", func(t *testing.T) { caLists(t, s.CA()) })
	t.Run("together or not at all", func(t *testing.T) { caTogether(t, s.CA()) })
	t.Run("work", func(t *testing.T) { caWork(t, s) })
}

// in runs f in a transaction that must succeed.
func in(t *testing.T, s ca.Store, f func(ca.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func caAuthorities(t *testing.T, s ca.Store) {
	a := ca.AuthorityRecord{Name: "z", Parent: "root_z", Raw: []byte{1}, Key: "k", Created: caStart, Settings: []byte("{}")}
	in(t, s, func(tx ca.Tx) error { return tx.AddAuthority(t.Context(), a) })
	err := s.Update(t.Context(), func(tx ca.Tx) error { return tx.AddAuthority(t.Context(), a) })
	if !errors.Is(err, ca.ErrExists) {
		t.Errorf("the same name twice: %v", err)
	}
	early := ca.SignerRecord{CA: "z", Kind: ca.SignerOCSP, Serial: "1", Key: "k1", Raw: []byte{2}, NotAfter: caStart}
	late := ca.SignerRecord{CA: "z", Kind: ca.SignerOCSP, Serial: "2", Key: "k2", Raw: []byte{3}, NotAfter: caStart.AddDate(1, 0, 0)}
	in(t, s, func(tx ca.Tx) error {
		other := ca.SignerRecord{CA: "z", Kind: ca.SignerTSA, Serial: "3", Key: "k3", Raw: []byte{4}, NotAfter: caStart.AddDate(2, 0, 0)}
		return errors.Join(tx.AddSigner(t.Context(), late), tx.AddSigner(t.Context(), early), tx.AddSigner(t.Context(), other))
	})
	err = s.View(t.Context(), func(tx ca.Tx) error {
		all, err := tx.Authorities(t.Context())
		if d := cmp.Diff([]ca.AuthorityRecord{a}, all); d != "" {
			t.Error(d)
		}
		got, err2 := tx.Signer(t.Context(), "z", ca.SignerOCSP)
		if d := cmp.Diff(late, got); d != "" {
			t.Error(d)
		}
		if _, err := tx.Signer(t.Context(), "none", ca.SignerOCSP); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("no responder: %v", err)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Error(err)
	}
}

func caRecords(t *testing.T, s ca.Store) {
	ctx := t.Context()
	first := caRecord(1)
	in(t, s, func(tx ca.Tx) error { return tx.Reserve(ctx, first) })
	for _, part := range []string{"order", "serial", "key"} {
		other := caRecord(2)
		switch part {
		case "order":
			other.Order = first.Order
		case "serial":
			other.Serial = first.Serial
		case "key":
			other.Key = first.Key
		}
		// the transaction goes on after a conflict: nothing of it may be lost
		in(t, s, func(tx ca.Tx) error {
			if err := tx.Reserve(ctx, other); !errors.Is(err, ca.ErrExists) {
				t.Errorf("the same %s twice: %v", part, err)
			}
			_, err := tx.ByOrder(ctx, first.Order)
			return err
		})
	}
	intended := first
	intended.State, intended.TBS, intended.Name = ca.Intended, []byte("tbs"), "ТЕСТОВ Т"
	done := intended
	done.State, done.Raw = ca.Done, []byte("raw")
	for _, r := range []ca.Record{intended, done} {
		in(t, s, func(tx ca.Tx) error { return tx.Advance(ctx, r) })
		in(t, s, func(tx ca.Tx) error {
			a, err1 := tx.ByOrder(ctx, r.Order)
			b, err2 := tx.BySerial(ctx, r.Serial)
			c, err3 := tx.ByKey(ctx, r.Key)
			for _, got := range []ca.Record{a, b, c} {
				if d := cmp.Diff(r, got); d != "" {
					t.Error(d)
				}
			}
			return errors.Join(err1, err2, err3)
		})
	}
	in(t, s, func(tx ca.Tx) error {
		if err := tx.Advance(ctx, caRecord(3)); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("advance nothing: %v", err)
		}
		if _, err := tx.BySerial(ctx, "none"); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("no such serial: %v", err)
		}
		return nil
	})
}

// caWays: a record moves only from the state it is in.
func caWays(t *testing.T, s ca.Store) {
	ctx := t.Context()
	var records []ca.Record
	for n := 41; n < 45; n++ {
		records = append(records, caRecord(n))
	}
	in(t, s, func(tx ca.Tx) error {
		var err error
		for _, r := range records {
			err = errors.Join(err, tx.Reserve(ctx, r))
		}
		return err
	})
	open := func() (serials []string) {
		in(t, s, func(tx ca.Tx) error {
			all, err := tx.Intended(ctx, records[0].Serial, 2)
			serials = nil
			for _, r := range all {
				serials = append(serials, r.Serial)
			}
			return err
		})
		return serials
	}
	move := func(want error, f func(ca.Tx) error) {
		t.Helper()
		in(t, s, func(tx ca.Tx) error {
			if err := f(tx); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			return nil
		})
	}
	first := records[0].Serial
	move(ca.ErrNotFound, func(tx ca.Tx) error { return tx.Finish(ctx, first, []byte("raw")) })
	move(ca.ErrNotFound, func(tx ca.Tx) error { return tx.Intend(ctx, "none", []byte("tbs")) })
	for _, r := range records {
		move(nil, func(tx ca.Tx) error { return tx.Intend(ctx, r.Serial, []byte("tbs of "+r.Serial)) })
	}
	move(ca.ErrNotFound, func(tx ca.Tx) error { return tx.Intend(ctx, first, []byte("other")) })
	if d := cmp.Diff([]string{records[1].Serial, records[2].Serial}, open()); d != "" {
		t.Error(d)
	}
	revoked := ca.Revocation{At: caStart, Reason: ca.KeyCompromise, By: "one"}
	move(nil, func(tx ca.Tx) error { return tx.AddRevocation(ctx, "gost", records[1].Serial, revoked) })
	move(ca.ErrNotFound, func(tx ca.Tx) error { return tx.Finish(ctx, records[1].Serial, []byte("raw")) })
	for _, r := range []ca.Record{records[0], records[2]} {
		move(nil, func(tx ca.Tx) error { return tx.Finish(ctx, r.Serial, []byte("raw")) })
	}
	move(ca.ErrNotFound, func(tx ca.Tx) error { return tx.Finish(ctx, first, []byte("other")) })
	if d := cmp.Diff([]string{records[1].Serial, records[3].Serial}, open()); d != "" {
		t.Error(d)
	}
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, first)
		if r.State != ca.Done || string(r.TBS) != "tbs of "+first || string(r.Raw) != "raw" {
			t.Errorf("%s, %q, %q", r.State, r.TBS, r.Raw)
		}
		return err
	})
}

func caHolders(t *testing.T, s ca.Store) {
	ctx := t.Context()
	old, next, legal := caRecord(11), caRecord(12), caRecord(13)
	for i, r := range []*ca.Record{&old, &next, &legal} {
		r.State, r.Raw, r.IIN = ca.Done, []byte("raw"), "123456789012"
		r.NotBefore, r.NotAfter = caStart.AddDate(0, 0, i), caStart.AddDate(3, 0, i)
	}
	next.Replaces, legal.BIN = old.Serial, "123456789025"
	unfinished := caRecord(14)
	unfinished.IIN, unfinished.Replaces = old.IIN, next.Serial
	in(t, s, func(tx ca.Tx) error {
		var err error
		for _, r := range []ca.Record{old, next, legal, unfinished} {
			err = errors.Join(err, tx.Reserve(ctx, r))
		}
		return err
	})
	serials := func(all []ca.Record) (out []string) {
		for _, r := range all {
			out = append(out, r.Serial)
		}
		return out
	}
	in(t, s, func(tx ca.Tx) error {
		person, err1 := tx.Holders(ctx, old.IIN, "")
		if d := cmp.Diff([]string{legal.Serial, next.Serial, old.Serial}, serials(person)); d != "" {
			t.Error(d)
		}
		if len(person) == 3 && (person[2].ReplacedBy != next.Serial || person[1].ReplacedBy != "") {
			t.Errorf("replaced by %q and %q", person[2].ReplacedBy, person[1].ReplacedBy)
		}
		firm, err2 := tx.Holders(ctx, "", legal.BIN)
		both, err3 := tx.Holders(ctx, legal.IIN, legal.BIN)
		if d := cmp.Diff(serials(firm), serials(both)); d != "" || len(firm) != 1 {
			t.Error(d)
		}
		if _, err := tx.Holders(ctx, "", ""); err == nil {
			t.Error("everybody was listed")
		}
		ending, err4 := tx.Ending(ctx, next.NotAfter, legal.NotAfter)
		if d := cmp.Diff([]string{next.Serial}, serials(ending)); d != "" {
			t.Error(d)
		}
		return errors.Join(err1, err2, err3, err4)
	})
	in(t, s, func(tx ca.Tx) error {
		if err := tx.AddRevocation(ctx, "gost", next.Serial, ca.Revocation{At: caStart}); err != nil {
			return err
		}
		ending, err := tx.Ending(ctx, next.NotAfter, legal.NotAfter)
		if len(ending) != 0 {
			t.Error("a revoked certificate is told to end")
		}
		return err
	})
}

func caRevocations(t *testing.T, s ca.Store) {
	ctx := t.Context()
	var records []ca.Record
	for n := 21; n < 24; n++ {
		r := caRecord(n)
		r.CA, r.State = "rev", ca.Intended
		records = append(records, r)
	}
	records[2].NotAfter = caStart.AddDate(0, -1, 0)
	v := ca.Revocation{At: caStart, Reason: ca.CertificateHold, Invalidity: caStart.Add(-time.Hour), By: "one"}
	in(t, s, func(tx ca.Tx) error {
		var err error
		for _, r := range records {
			err = errors.Join(err, tx.Reserve(ctx, r), tx.AddRevocation(ctx, "rev", r.Serial, v))
		}
		return err
	})
	err := s.Update(ctx, func(tx ca.Tx) error { return tx.AddRevocation(ctx, "rev", records[0].Serial, v) })
	if !errors.Is(err, ca.ErrExists) {
		t.Errorf("revoked twice: %v", err)
	}
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, records[0].Serial)
		if d := cmp.Diff(&v, r.Revoked); d != "" {
			t.Error(d)
		}
		return err
	})
	since := func(epoch int64) (serials []string, newest int64) {
		in(t, s, func(tx ca.Tx) error {
			all, err := tx.RevokedSince(ctx, "rev", epoch, caStart)
			serials = nil
			for _, r := range all {
				serials = append(serials, r.Serial)
			}
			if err == nil {
				_, newest, err = tx.NextListNumber(ctx, "rev")
			}
			return err
		})
		return serials, newest
	}
	all, epoch := since(0)
	if d := cmp.Diff([]string{records[0].Serial, records[1].Serial}, all); d != "" {
		t.Error(d) // the third ended before the list
	}
	if later, _ := since(epoch); len(later) != 0 {
		t.Errorf("since the newest epoch: %v", later)
	}
	in(t, s, func(tx ca.Tx) error { return tx.SetReason(ctx, "rev", records[0].Serial, ca.Superseded) })
	if later, _ := since(epoch); len(later) != 1 || later[0] != records[0].Serial {
		t.Errorf("a changed reason: %v", later)
	}
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, records[0].Serial)
		if r.Revoked.Reason != ca.Superseded || !r.Revoked.At.Equal(v.At) {
			t.Errorf("%+v", r.Revoked)
		}
		if err := tx.SetReason(ctx, "rev", "none", ca.Superseded); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("a reason for nothing: %v", err)
		}
		return err
	})
	in(t, s, func(tx ca.Tx) error { return tx.SetReason(ctx, "rev", records[1].Serial, pki.RemoveFromCRL) })
	if later, _ := since(epoch); len(later) != 2 || later[1] != records[1].Serial {
		t.Errorf("a lifted hold is not told: %v", later)
	}
	again := ca.Revocation{At: caStart.Add(time.Hour), Reason: ca.KeyCompromise, By: "two"}
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, records[1].Serial)
		if r.Revoked != nil {
			t.Errorf("lifted, but %+v", r.Revoked)
		}
		return errors.Join(err, tx.AddRevocation(ctx, "rev", records[1].Serial, again))
	})
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, records[1].Serial)
		if d := cmp.Diff(&again, r.Revoked); d != "" {
			t.Error(d)
		}
		return err
	})
}

func caLists(t *testing.T, s ca.Store) {
	ctx := t.Context()
	list := func(n int64, delta, scheduled bool) ca.ListRecord {
		at := caStart.Add(time.Duration(n) * time.Hour)
		return ca.ListRecord{CA: "lists", Delta: delta, Scheduled: scheduled, Number: n, Base: 1, Epoch: n, ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7), Raw: []byte{byte(n)}}
	}
	for want := int64(1); want <= 3; want++ {
		in(t, s, func(tx ca.Tx) error {
			n, _, err := tx.NextListNumber(ctx, "lists")
			if n != want {
				t.Errorf("number %d, want %d", n, want)
			}
			return err
		})
	}
	for _, l := range []ca.ListRecord{list(1, false, true), list(2, false, true), list(3, false, true), list(5, false, false), list(4, false, true), list(5, true, false)} {
		in(t, s, func(tx ca.Tx) error { return tx.AddList(ctx, l) })
	}
	in(t, s, func(tx ca.Tx) error {
		full, err1 := tx.List(ctx, "lists", false)
		delta, err2 := tx.List(ctx, "lists", true)
		if d := cmp.Diff([]ca.ListRecord{list(5, false, false), list(5, true, false)}, []ca.ListRecord{full, delta}); d != "" {
			t.Error(d)
		}
		base, err3 := tx.Base(ctx, "lists", 3)
		if d := cmp.Diff(list(2, false, true), base); d != "" {
			t.Error(d)
		}
		if _, err := tx.Base(ctx, "lists", 2); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("the oldest list was kept: %v", err)
		}
		return errors.Join(err1, err2, err3)
	})
}

// caTogether: what a transaction wrote is gone when it fails, jobs and audit records included.
func caTogether(t *testing.T, s ca.Store) {
	ctx := t.Context()
	wrong := errors.New("wrong")
	err := s.Update(ctx, func(tx ca.Tx) error {
		return errors.Join(tx.Reserve(ctx, caRecord(31)), tx.Enqueue(ctx, job.Job{Kind: "ca.test"}),
			tx.Audit(ctx, audit.Event{Action: "ca.test", Result: "ok"}), wrong)
	})
	if !errors.Is(err, wrong) {
		t.Fatal(err)
	}
	in(t, s, func(tx ca.Tx) error {
		if _, err := tx.BySerial(ctx, caRecord(31).Serial); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("a record of a failed transaction: %v", err)
		}
		return nil
	})
}
