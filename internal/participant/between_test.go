package participant

import (
	"context"
	"errors"
	"testing"
	"time"

	"senim/internal/ident"
)

// between does something after the gate has run and before the transaction that acts on it.
type between struct {
	*memory
	act func(Tx) error
}

func (b *between) Update(ctx context.Context, f func(Tx) error) error {
	if b.act != nil {
		act := b.act
		b.act = nil
		if err := b.memory.Update(ctx, act); err != nil {
			return err
		}
	}
	return b.memory.Update(ctx, f)
}

// What changed since the gate ran stops the completion, with its reason; answers that grew old are not acted on.
func TestGateInsideTheTransaction(t *testing.T) {
	w := newTown(t)
	key := w.key(iinB, binX)
	r, cookie := w.data(key)
	link := w.signed(r, cookie, key)
	store := &between{memory: w.store}
	w.office.c.Store = store

	store.act = func(tx Tx) error {
		return tx.PutEnterprise(t.Context(), Enterprise{TIN: binX, Blocked: true, BlockedReason: "проверка"})
	}
	_, err := w.office.Complete(t.Context(), link, ident.IIN(iinB))
	if d, ok := errors.AsType[*Denied](err); !ok || d.Code != "ENTERPRISE_BLOCKED" || d.Evidence["reason"] != "проверка" {
		t.Errorf("blocked meanwhile: %v", err)
	}
	w.must(w.store.Update(t.Context(), func(tx Tx) error { return tx.PutEnterprise(t.Context(), Enterprise{TIN: binX}) }))

	store.act = func(Tx) error {
		w.now = w.now.Add(gateLife + time.Second)
		return nil
	}
	if _, err := w.office.Complete(t.Context(), link, ident.IIN(iinB)); code(err) != "RACE_RETRY" {
		t.Errorf("after a long wait: %v", err)
	}
	if w.profile(iinA, binX).Status != Active {
		t.Error("A was touched")
	}
	_, err = w.office.Complete(t.Context(), link, ident.IIN(iinB))
	w.must(err)
}
