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
	t.Run("generations", func(t *testing.T) { caGenerations(t, s.CA()) })
	t.Run("records", func(t *testing.T) { caRecords(t, s.CA()) })
	t.Run("followed", func(t *testing.T) { caFollowed(t, s.CA()) })
	t.Run("ways", func(t *testing.T) { caWays(t, s.CA()) })
	t.Run("holders", func(t *testing.T) { caHolders(t, s.CA()) })
	t.Run("search", func(t *testing.T) { caSearch(t, s.CA()) })
	t.Run("revocations", func(t *testing.T) { caRevocations(t, s.CA()) })
	t.Run("lists", func(t *testing.T) { caLists(t, s.CA()) })
	t.Run("restore", func(t *testing.T) { caRestore(t, s.CA()) })
	t.Run("profiles", func(t *testing.T) { caProfiles(t, s.CA()) })
	t.Run("together or not at all", func(t *testing.T) { caTogether(t, s.CA()) })
	t.Run("status", func(t *testing.T) { caStatus(t, s) })
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
	in(t, s, func(tx ca.Tx) error {
		if err := tx.SetSettings(t.Context(), "none", nil); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("settings of nothing: %v", err)
		}
		return tx.SetSettings(t.Context(), "z", []byte(`{"shards":[2]}`))
	})
	early := ca.SignerRecord{CA: "z", Kind: ca.SignerOCSP, Serial: "1", Key: "k1", Raw: []byte{2}, NotAfter: caStart}
	late := ca.SignerRecord{CA: "z", Kind: ca.SignerOCSP, Serial: "2", Key: "k2", Raw: []byte{3}, NotAfter: caStart.AddDate(1, 0, 0)}
	in(t, s, func(tx ca.Tx) error {
		other := ca.SignerRecord{CA: "z", Kind: ca.SignerTSA, Serial: "3", Key: "k3", Raw: []byte{4}, NotAfter: caStart.AddDate(2, 0, 0)}
		gone := ca.SignerRecord{CA: "z", Kind: "revoked", Serial: "4", Key: "k4", Raw: []byte{5}, NotAfter: caStart.AddDate(2, 0, 0)}
		return errors.Join(tx.AddSigner(t.Context(), late), tx.AddSigner(t.Context(), early), tx.AddSigner(t.Context(), other), tx.AddSigner(t.Context(), gone),
			tx.AddRevocation(t.Context(), "z", gone.Serial, ca.Revocation{At: caStart, Recorded: caStart, Reason: ca.KeyCompromise, By: "tester"}))
	})
	err = s.View(t.Context(), func(tx ca.Tx) error {
		a.Settings = []byte(`{"shards":[2]}`)
		all, err := tx.Authorities(t.Context())
		if d := cmp.Diff([]ca.AuthorityRecord{a}, all); d != "" {
			t.Error(d)
		}
		got, err2 := tx.Signer(t.Context(), "z", ca.SignerOCSP)
		if d := cmp.Diff(late, got); d != "" {
			t.Error(d)
		}
		if _, err := tx.Signer(t.Context(), "z", "revoked"); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("a revoked signer: %v", err)
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
	intended.CA, intended.Created = "next", first.Created.Add(time.Hour)
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
		ending, err4 := tx.Ending(ctx, next.NotAfter, legal.NotAfter, "", 10)
		if d := cmp.Diff([]string{next.Serial}, serials(ending)); d != "" {
			t.Error(d)
		}
		first, err5 := tx.Ending(ctx, old.NotAfter, legal.NotAfter, "", 1)
		second, err6 := tx.Ending(ctx, old.NotAfter, legal.NotAfter, old.Serial, 1)
		if d := cmp.Diff([]string{old.Serial, next.Serial}, append(serials(first), serials(second)...)); d != "" {
			t.Error(d)
		}
		return errors.Join(err1, err2, err3, err4, err5, err6)
	})
	in(t, s, func(tx ca.Tx) error {
		if err := tx.AddRevocation(ctx, "gost", next.Serial, ca.Revocation{At: caStart}); err != nil {
			return err
		}
		ending, err := tx.Ending(ctx, next.NotAfter, legal.NotAfter, "", 10)
		if len(ending) != 0 {
			t.Error("a revoked certificate is told to end")
		}
		was, err2 := tx.BySerial(ctx, old.Serial)
		if was.ReplacedBy != "" {
			t.Errorf("replaced by %q, which is revoked", was.ReplacedBy)
		}
		return errors.Join(err, err2)
	})
}

func caRevocations(t *testing.T, s ca.Store) {
	ctx := t.Context()
	var records []ca.Record
	for n := 21; n < 25; n++ {
		r := caRecord(n)
		r.CA, r.State = "rev", ca.Intended
		records = append(records, r)
	}
	records[2].NotAfter = caStart.AddDate(0, -1, 0)
	records[3].NotAfter = caStart.AddDate(0, -1, 0)
	v := ca.Revocation{At: caStart.Add(-time.Hour), Recorded: caStart.Add(-time.Minute), Reason: ca.CertificateHold,
		Invalidity: caStart.Add(-2 * time.Hour), By: "one", Shard: "8-3"}
	late := v
	late.Recorded, late.Shard = caStart.Add(time.Minute), ""
	in(t, s, func(tx ca.Tx) error {
		var err error
		for i, r := range records {
			w := v
			if i == 3 {
				w = late
			}
			err = errors.Join(err, tx.Reserve(ctx, r), tx.AddRevocation(ctx, "rev", r.Serial, w))
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
	since := func(shard string, epoch int64) (serials []string) {
		in(t, s, func(tx ca.Tx) error {
			serials = nil
			return tx.EachRevoked(ctx, "rev", shard, epoch, caStart, func(r ca.RevokedRecord) error {
				if r.Epoch <= epoch || !r.At.Equal(v.At) || !r.Invalidity.Equal(v.Invalidity) && r.Reason == ca.CertificateHold {
					t.Errorf("%+v", r)
				}
				serials = append(serials, r.Serial)
				return nil
			})
		})
		return serials
	}
	// the third ended before the list; the fourth did too, but was revoked later
	if d := cmp.Diff([]string{records[0].Serial, records[1].Serial, records[3].Serial}, since("", 0)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{records[0].Serial, records[1].Serial}, since("8-3", 0)); d != "" {
		t.Error(d)
	}
	var epoch int64
	in(t, s, func(tx ca.Tx) (err error) {
		if epoch, err = tx.Epoch(ctx, "rev"); err != nil || epoch != 4 {
			t.Errorf("epoch %d", epoch)
		}
		none, err2 := tx.Epoch(ctx, "nobody")
		shards, err3 := tx.RevokedShards(ctx, "rev", 1)
		if d := cmp.Diff(map[string]int64{"8-3": 3}, shards); d != "" || none != 0 {
			t.Errorf("%d, %s", none, d)
		}
		return errors.Join(err, err2, err3)
	})
	unlisted := func(shard string, since int64, want time.Time) {
		t.Helper()
		in(t, s, func(tx ca.Tx) error {
			got, err := tx.Unlisted(ctx, "rev", shard, since)
			if !got.Equal(want) || want.IsZero() != errors.Is(err, ca.ErrNotFound) {
				t.Errorf("unlisted in %q since %d: %v %v, want %v", shard, since, got, err, want)
			}
			return nil
		})
	}
	unlisted("", 0, v.Recorded)
	unlisted("", epoch, time.Time{})
	unlisted("no-shard", 0, time.Time{})
	if later := since("", epoch); len(later) != 0 {
		t.Errorf("since the newest epoch: %v", later)
	}
	wrong := errors.New("wrong")
	err = s.View(ctx, func(tx ca.Tx) error {
		return tx.EachRevoked(ctx, "rev", "", 0, caStart, func(ca.RevokedRecord) error { return wrong })
	})
	if !errors.Is(err, wrong) {
		t.Errorf("an error of the caller: %v", err)
	}
	final := ca.Revocation{Reason: ca.Superseded, By: "two"}
	in(t, s, func(tx ca.Tx) error {
		return tx.ChangeRevocation(ctx, "rev", records[0].Serial, caStart.Add(time.Hour), final)
	})
	unlisted("", epoch, caStart.Add(time.Hour)) // a change is told anew, and counts from itself
	if later := since("", epoch); len(later) != 1 || later[0] != records[0].Serial {
		t.Errorf("a changed reason: %v", later)
	}
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, records[0].Serial)
		if got := r.Revoked; got.Reason != ca.Superseded || !got.At.Equal(v.At) || got.By != "two" || !got.Invalidity.IsZero() || got.Shard != "8-3" {
			t.Errorf("%+v", r.Revoked)
		}
		if err := tx.ChangeRevocation(ctx, "rev", "none", caStart, final); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("a reason for nothing: %v", err)
		}
		return err
	})
	// one that ended long ago is released: the delta has to tell it once
	lifted := ca.Revocation{Reason: pki.RemoveFromCRL, By: "two three"}
	in(t, s, func(tx ca.Tx) error {
		return tx.ChangeRevocation(ctx, "rev", records[2].Serial, caStart.Add(time.Hour), lifted)
	})
	if later := since("", epoch); len(later) != 2 || later[1] != records[2].Serial {
		t.Errorf("a lifted hold is not told: %v", later)
	}
	again := ca.Revocation{At: caStart.Add(time.Hour), Recorded: caStart.Add(2 * time.Hour), Reason: ca.KeyCompromise, By: "two", Shard: "8-4"}
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, records[2].Serial)
		if r.Revoked != nil {
			t.Errorf("lifted, but %+v", r.Revoked)
		}
		return errors.Join(err, tx.AddRevocation(ctx, "rev", records[2].Serial, again))
	})
	in(t, s, func(tx ca.Tx) error {
		r, err := tx.BySerial(ctx, records[2].Serial)
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
		return ca.ListRecord{CA: "lists", Delta: delta, Scheduled: scheduled, Number: n, Base: 1, Epoch: n, ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7), Size: 1, Raw: []byte{byte(n)}}
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
	part := list(1, false, true)
	part.Shard = "2-1"
	for _, l := range []ca.ListRecord{list(1, false, true), list(2, false, true), list(3, false, true), list(5, false, false), part, list(5, true, false)} {
		in(t, s, func(tx ca.Tx) error { return tx.AddList(ctx, l) })
	}
	older, knowsLess := list(4, false, true), list(6, false, true)
	knowsLess.Epoch = 4
	for _, l := range []ca.ListRecord{older, knowsLess, list(5, false, true)} {
		if err := s.Update(ctx, func(tx ca.Tx) error { return tx.AddList(ctx, l) }); !errors.Is(err, ca.ErrExists) {
			t.Errorf("list %d of epoch %d: %v", l.Number, l.Epoch, err)
		}
	}
	head := func(l ca.ListRecord) ca.ListRecord { l.Raw = nil; return l }
	in(t, s, func(tx ca.Tx) error {
		full, err1 := tx.Head(ctx, "lists", "", false)
		delta, err2 := tx.Head(ctx, "lists", "", true)
		shard, err3 := tx.Head(ctx, "lists", "2-1", false)
		want := []ca.ListRecord{head(list(5, false, false)), head(list(5, true, false)), head(part)}
		if d := cmp.Diff(want, []ca.ListRecord{full, delta, shard}); d != "" {
			t.Error(d)
		}
		heads, err4 := tx.Heads(ctx, "lists")
		if d := cmp.Diff(want, heads); d != "" {
			t.Error(d)
		}
		raw, err5 := tx.ListBytes(ctx, full)
		if d := cmp.Diff([]byte{5}, raw); d != "" {
			t.Error(d)
		}
		base, err6 := tx.Base(ctx, "lists", "", 3)
		if d := cmp.Diff(head(list(2, false, true)), base); d != "" {
			t.Error(d)
		}
		if _, err := tx.ListBytes(ctx, base); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("the bytes of an old list: %v", err)
		}
		if _, err := tx.Base(ctx, "lists", "", 2); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("the oldest list was kept: %v", err)
		}
		if _, err := tx.Head(ctx, "lists", "2-1", true); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("a list that is not there: %v", err)
		}
		return errors.Join(err1, err2, err3, err4, err5, err6)
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
