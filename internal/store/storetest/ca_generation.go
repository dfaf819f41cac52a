package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ca"
)

// caGenerations has the cases of authorities that end, of cross-certificates and of requests.
func caGenerations(t *testing.T, s ca.Store) {
	ctx := t.Context()
	first := ca.Retirement{Name: "z", Successor: "z2", At: caStart.Add(time.Hour)}
	in(t, s, func(tx ca.Tx) error { return tx.Retire(ctx, first) })
	in(t, s, func(tx ca.Tx) error { return tx.Retire(ctx, ca.Retirement{Name: "z", At: caStart}) }) // changes nothing
	cross := ca.CrossRecord{Name: "b_by_a", Subject: "b", Issuer: "a", Raw: []byte{1}, Created: caStart}
	other := ca.CrossRecord{Name: "a_by_b", Subject: "a", Issuer: "b", Raw: []byte{2}, Created: caStart}
	request := ca.RequestRecord{Name: "q", Key: "q", Plan: []byte("{}"), Raw: []byte{3}, Created: caStart}
	in(t, s, func(tx ca.Tx) error {
		return errors.Join(tx.AddCross(ctx, cross), tx.AddCross(ctx, other), tx.AddRequest(ctx, request))
	})
	in(t, s, func(tx ca.Tx) error { // the transaction goes on after a conflict
		if err := tx.AddCross(ctx, cross); !errors.Is(err, ca.ErrExists) {
			t.Errorf("the same cross-certificate twice: %v", err)
		}
		if err := tx.AddRequest(ctx, request); !errors.Is(err, ca.ErrExists) {
			t.Errorf("the same request twice: %v", err)
		}
		return nil
	})
	in(t, s, func(tx ca.Tx) error {
		all, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		if len(all) != 1 || !all[0].Retired.Equal(first.At) || all[0].Successor != "z2" {
			t.Errorf("authorities after one was retired: %+v", all)
		}
		crosses, err := tx.Crosses(ctx)
		if d := cmp.Diff([]ca.CrossRecord{other, cross}, crosses); d != "" {
			t.Error(d)
		}
		got, err2 := tx.Request(ctx, "q")
		if d := cmp.Diff(request, got); d != "" {
			t.Error(d)
		}
		if _, err := tx.Request(ctx, "none"); !errors.Is(err, ca.ErrNotFound) {
			t.Errorf("no request: %v", err)
		}
		return errors.Join(err, err2)
	})
}
