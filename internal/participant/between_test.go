package participant

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/trust"
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

// A load or a revocation between the gate and the write does not slip through: at completion, and when the agreement
// is signed. The load is judged by the gate at the next try; the revocation closes the registration with its reason.
func TestLoadAndRevocationBetween(t *testing.T) {
	w := newTown(t)
	key := w.key(iinB, binX)
	store := &between{memory: w.store}
	w.office.c.Store = store
	revoke := func(tx Tx) error {
		tx.(*memoryTx).d.revoked[key.Certificate.SerialHex()] = w.now
		return nil
	}
	load := func(head ident.IIN) func(Tx) error {
		return func(Tx) error {
			w.head = head
			return nil
		}
	}
	untouched := func(state State, id string) {
		t.Helper()
		if got := w.store.data.registrations[id].State; got != state || w.profile(iinA, binX).Status != Active || w.profile(iinB, binX).ID != "" {
			t.Errorf("the registration is %s, want %s; A %s, B %q", got, state, w.profile(iinA, binX).Status, w.profile(iinB, binX).ID)
		}
	}

	r, cookie := w.data(key)
	sign := func() error {
		_, doc, err := w.office.Agreement(t.Context(), r, lang.RU)
		w.must(err)
		signed, err := dsig.SignEnveloped(rand.Reader, doc, dsig.Options{Key: key.Key, Certificate: key.Certificate})
		w.must(err)
		_, err = w.office.Sign(t.Context(), r.ID, cookie, signed)
		return err
	}
	store.act = load(iinA)
	if err := sign(); code(err) != "RACE_RETRY" {
		t.Errorf("signed over a load: %v", err)
	}
	untouched(StateData, r.ID)
	w.head = iinB
	store.act = revoke
	if err := sign(); code(err) != trust.CodeRevoked {
		t.Errorf("signed with a key revoked meanwhile: %v", err)
	}
	untouched(StateData, r.ID)
	delete(w.store.data.revoked, key.Certificate.SerialHex())
	w.must(sign())

	link := w.link()
	store.act = load(iinC)
	if _, err := w.office.Complete(t.Context(), link, iinB); code(err) != "RACE_RETRY" {
		t.Errorf("completed over a load: %v", err)
	}
	untouched(StateSigned, r.ID)
	if _, err := w.office.Complete(t.Context(), link, iinB); code(err) != "REGISTRY_OTHER_HEAD" {
		t.Errorf("the next try: %v", err)
	}

	w.head = iinB
	r, cookie = w.data(key)
	w.must(sign())
	store.act = revoke
	_, err := w.office.Complete(t.Context(), w.link(), iinB)
	if code(err) != trust.CodeRevoked {
		t.Errorf("completed with a key revoked meanwhile: %v", err)
	}
	untouched(StateRefused, r.ID)
	if last := w.store.data.events[len(w.store.data.events)-1]; last.Action != "reg.refused" || last.Result != trust.CodeRevoked {
		t.Errorf("recorded %+v", last)
	}
}
