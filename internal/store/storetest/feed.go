package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/audit"
	"senim/internal/ca"
	"senim/internal/feed"
	"senim/internal/store"
)

// Feed has the cases of those who follow what was issued.
func Feed(t *testing.T, s *store.Store) {
	t.Run("records", func(t *testing.T) { feedRecords(t, s) })
	t.Run("cursors", func(t *testing.T) { feedCursors(t, s.Feed()) })
	t.Run("salts", func(t *testing.T) { feedSalts(t, s.Feed()) })
	t.Run("state", func(t *testing.T) { feedState(t, s.Feed()) })
	t.Run("places", func(t *testing.T) { feedPlaces(t, s.Feed()) })
}

// follow runs f in a transaction that must succeed.
func follow(t *testing.T, s feed.Store, f func(feed.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func feedRecords(t *testing.T, s *store.Store) {
	ctx := t.Context()
	r := caRecord(700)
	in(t, s.CA(), func(tx ca.Tx) error {
		done := r
		done.State, done.Raw = ca.Done, []byte{1, 2}
		event := audit.Event{Action: "ca.issued", Actor: "cert:1", Object: r.Serial, Result: "ok", Detail: map[string]string{"sha256": "aa"}}
		other := audit.Event{Action: "ca.will_sign", Actor: "cert:1", Object: r.Serial, Result: "ok"}
		gone := audit.Event{Action: "ca.issued", Actor: "x", Object: "none", Result: "ok"}
		return errors.Join(tx.Reserve(ctx, r), tx.Advance(ctx, done), tx.Audit(ctx, other), tx.Audit(ctx, event), tx.Audit(ctx, gone), tx.Audit(ctx, other))
	})
	follow(t, s.Feed(), func(tx feed.Tx) error {
		nodes, err := tx.Nodes(ctx)
		if err != nil || !slices.Equal(nodes, []string{"test"}) {
			t.Errorf("nodes %v, %v", nodes, err)
		}
		tail, err := tx.Tail(ctx, "test")
		if err != nil || tail < 4 {
			t.Errorf("tail %d, %v", tail, err)
		}
		if none, err := tx.Tail(ctx, "nobody"); err != nil || none != 0 {
			t.Errorf("tail of no chain %d, %v", none, err)
		}
		all, last, err := tx.Issued(ctx, "test", tail-4, 10)
		if err != nil || last != tail || len(all) != 2 {
			t.Fatalf("%d records to %d, %v", len(all), last, err)
		}
		if all[0].At.IsZero() {
			t.Error("no time")
		}
		all[0].At = time.Time{}
		want := feed.Issued{Node: "test", Seq: tail - 2, Actor: "cert:1", Serial: r.Serial, IIN: r.IIN, Raw: []byte{1, 2}, CA: "gost", Profile: "individual", Sum: "aa"}
		if d := cmp.Diff(want, all[0]); d != "" {
			t.Error(d)
		}
		if all[1].Serial != "none" || all[1].Raw != nil {
			t.Errorf("a certificate that is gone: %+v", all[1])
		}
		if all, last, err := tx.Issued(ctx, "test", tail-4, 1); err != nil || last != tail-3 || len(all) != 0 {
			t.Errorf("one record of another kind: %d to %d, %v", len(all), last, err)
		}
		if all, last, err := tx.Issued(ctx, "test", tail, 10); err != nil || last != tail || len(all) != 0 {
			t.Errorf("behind the end: %d to %d, %v", len(all), last, err)
		}
		one, err := tx.Certificate(ctx, r.Serial)
		if err != nil || one.IIN != r.IIN || len(one.Raw) != 2 {
			t.Errorf("%+v, %v", one, err)
		}
		if _, err := tx.Certificate(ctx, "none"); !errors.Is(err, feed.ErrNotFound) {
			t.Errorf("no certificate: %v", err)
		}
		return nil
	})
}

func feedCursors(t *testing.T, s feed.Store) {
	ctx := t.Context()
	follow(t, s, func(tx feed.Tx) error {
		if begun, err := tx.Begun(ctx, "f"); err != nil || begun {
			t.Errorf("begun %t, %v", begun, err)
		}
		if at, err := tx.Cursor(ctx, "f", "n"); err != nil || at != 0 {
			t.Errorf("cursor %d, %v", at, err)
		}
		return errors.Join(tx.SetCursor(ctx, "f", "n", 3), tx.SetCursor(ctx, "f", "n", 5), tx.SetCursor(ctx, "f", "m", 7))
	})
	follow(t, s, func(tx feed.Tx) error {
		if at, err := tx.Cursor(ctx, "f", "n"); err != nil || at != 5 {
			t.Errorf("cursor %d, %v", at, err)
		}
		begun, err := tx.Begun(ctx, "f")
		other, _ := tx.Begun(ctx, "g")
		if err != nil || !begun || other {
			t.Errorf("begun %t and %t, %v", begun, other, err)
		}
		return nil
	})
}

func feedSalts(t *testing.T, s feed.Store) {
	ctx := t.Context()
	var numbers []string
	follow(t, s, func(tx feed.Tx) error {
		numbers = nil
		for n := range 1100 { // more than fit into one question
			numbers = append(numbers, fmt.Sprintf("%012d", n))
			if n > 0 {
				if err := tx.AddSalt(ctx, numbers[n], []byte{byte(n), byte(n >> 8)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	follow(t, s, func(tx feed.Tx) error {
		salts, err := tx.Salts(ctx, numbers)
		if err != nil || len(salts) != 1099 || salts[numbers[0]] != nil || !slices.Equal(salts[numbers[300]], []byte{44, 1}) {
			t.Errorf("%d salts, %v", len(salts), err)
		}
		return err
	})
	err := s.Update(ctx, func(tx feed.Tx) error { return tx.AddSalt(ctx, numbers[1], []byte{9}) })
	if !errors.Is(err, feed.ErrExists) {
		t.Errorf("a second salt: %v", err)
	}
}

func feedState(t *testing.T, s feed.Store) {
	ctx := t.Context()
	if err := s.View(ctx, func(tx feed.Tx) error { _, err := tx.State(ctx); return err }); !errors.Is(err, feed.ErrNotFound) {
		t.Errorf("no state: %v", err)
	}
	want := feed.State{Origin: "o", Key: "k", Secret: []byte("secret"), Writer: "w", Until: caStart, Planned: 7, Written: 5, Root: [32]byte{1}}
	follow(t, s, func(tx feed.Tx) error { return tx.SaveState(ctx, want) })
	next := want
	next.Origin, next.Key, next.Secret, next.Planned = "other", "other", []byte("other"), 8
	follow(t, s, func(tx feed.Tx) error { return tx.SaveState(ctx, next) })
	want.Planned = 8
	follow(t, s, func(tx feed.Tx) error {
		got, err := tx.State(ctx)
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		return err
	})
}

func feedPlaces(t *testing.T, s feed.Store) {
	ctx := t.Context()
	var all []feed.Place
	for n := range int64(450) {
		all = append(all, feed.Place{Position: n, Serial: fmt.Sprintf("%040x", n), Leaf: [32]byte{byte(n), 1}})
	}
	follow(t, s, func(tx feed.Tx) error { return tx.AddPlaces(ctx, all) })
	for name, p := range map[string]feed.Place{"position": {Position: 449, Serial: "x"}, "serial": {Position: 450, Serial: all[0].Serial}} {
		err := s.Update(ctx, func(tx feed.Tx) error { return tx.AddPlaces(ctx, []feed.Place{{Position: 900, Serial: "y"}, p}) })
		if !errors.Is(err, feed.ErrExists) {
			t.Errorf("a %s twice: %v", name, err)
		}
	}
	follow(t, s, func(tx feed.Tx) error {
		one, err := tx.Place(ctx, all[300].Serial)
		if err != nil || one != all[300] {
			t.Errorf("%+v, %v", one, err)
		}
		if _, err := tx.Place(ctx, "none"); !errors.Is(err, feed.ErrNotFound) {
			t.Errorf("no place: %v", err)
		}
		some, err := tx.Places(ctx, 447, 10)
		if err != nil || !slices.Equal(some, all[447:]) {
			t.Errorf("%+v, %v", some, err)
		}
		placed, err := tx.Placed(ctx, []string{all[0].Serial, "none", all[449].Serial})
		if err != nil || len(placed) != 2 || !placed[all[449].Serial] {
			t.Errorf("%v, %v", placed, err)
		}
		return nil
	})
}
