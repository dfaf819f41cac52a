package registry_test

import (
	"testing"

	"senim/internal/registry"
)

// A clerk's change that is loaded while a batch of files is merged takes another number.
func TestClerkLoadsDuringAMerge(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.must(monday())
		merging := registry.Import{Source: "gbdul", State: registry.Merging, SHA256: "aa", Received: w.now}
		err := w.s.Registry().Update(ctx, func(tx registry.Tx) (err error) {
			if merging.Load, err = tx.NextLoad(ctx); err == nil {
				merging.ID, err = tx.InsertImport(ctx, merging)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		load, _, err := w.book.Load(ctx, registry.Batch{Source: registry.SourceClerk, AsOf: w.now,
			Leaders: []registry.Leader{{BIN: companyX, IIN: headB, Surname: "ТЕСТОВ", AppointedOn: "2026-03-01"}}})
		if err != nil || load.Number == merging.Load {
			t.Errorf("load %d, the batch has %d: %v", load.Number, merging.Load, err)
		}
		if err := w.s.Registry().Update(ctx, func(tx registry.Tx) error {
			return tx.InsertNumbered(ctx, registry.Load{Number: merging.Load, Source: "gbdul", AsOf: w.now, Received: w.now, SHA256: "aa"})
		}); err != nil {
			t.Errorf("the batch cannot come into force: %v", err)
		}
	})
}
