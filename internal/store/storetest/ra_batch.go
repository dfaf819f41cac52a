package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ra"
	"senim/internal/store"
)

// raBatch has the cases of bulk renewals and of keys looked after.
func raBatch(t *testing.T, s *store.Store) {
	ctx, st := t.Context(), s.RA()
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	goesOn := ra.Application{Number: "261124000025", State: ra.AwaitingDirector, Created: now, Changed: now}
	over := ra.Application{Number: "261124000033", State: ra.Installed, Created: now, Changed: now}
	b := ra.Batch{ID: "b1", IIN: "123456789014", Created: now, Items: []ra.BatchItem{{Serial: "a1", Number: goesOn.Number}, {Serial: "a3", Number: over.Number},
		{Serial: "a2", Reason: ra.Reason{Code: "CERT_EXPIRED", Evidence: map[string]string{"date": "x"}}}}}
	later := ra.Batch{ID: "b2", IIN: b.IIN, Created: now.Add(time.Hour)}
	err := st.Update(ctx, func(tx ra.Tx) error {
		err := errors.Join(tx.Put(ctx, goesOn), tx.Put(ctx, over), tx.PutBatch(ctx, b), tx.PutBatch(ctx, later), tx.PutBatch(ctx, ra.Batch{ID: "b3", IIN: "123456789015", Created: now}))
		b.Items[0].Reason = ra.Reason{Code: "X"}
		return errors.Join(err, tx.PutBatch(ctx, b), tx.Watch(ctx, b.IIN, []string{"s2", "s1"}, now), tx.Watch(ctx, b.IIN, []string{"s1", "s0"}, now.Add(time.Hour)),
			tx.Watch(ctx, "123456789015", []string{"s9"}, now), tx.Unwatch(ctx, b.IIN, []string{"s2", "s9"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(ctx, func(tx ra.Tx) error {
		got, err := tx.Batch(ctx, "b1")
		if d := cmp.Diff(b, got); d != "" {
			t.Error(d)
		}
		all, err2 := tx.Batches(ctx, b.IIN)
		if len(all) != 2 || all[0].ID != "b2" || all[1].ID != "b1" {
			t.Errorf("batches %v", all)
		}
		mine, err3 := tx.Watched(ctx, b.IIN)
		other, err4 := tx.Watched(ctx, "123456789015")
		if !slices.Equal(mine, []string{"s1", "s0"}) || !slices.Equal(other, []string{"s9"}) {
			t.Errorf("looked after: %v, %v", mine, other)
		}
		open, err5 := tx.OpenInBatches(ctx, b.IIN)
		none5, err6 := tx.OpenInBatches(ctx, "123456789015")
		if len(open) != 1 || open[0].Number != goesOn.Number || len(none5) != 0 {
			t.Errorf("open in batches: %d, %d", len(open), len(none5))
		}
		if _, none := tx.Batch(ctx, "b0"); !errors.Is(none, ra.ErrNotFound) {
			t.Errorf("unknown batch: %v", none)
		}
		return errors.Join(err, err2, err3, err4, err5, err6)
	})
	if err != nil {
		t.Fatal(err)
	}
}
