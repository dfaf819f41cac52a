package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"senim/internal/audit"
	"senim/internal/registry"
)

// unwritten is a store whose audit takes nothing.
type unwritten struct{ registry.Store }

type unwrittenTx struct{ registry.Tx }

func (u unwritten) Update(ctx context.Context, f func(registry.Tx) error) error {
	return u.Store.Update(ctx, func(tx registry.Tx) error { return f(unwrittenTx{tx}) })
}

func (unwrittenTx) Audit(context.Context, audit.Event) error { return errors.New("the disk is full") }

// What loads answer to a question with a purpose is recorded like what a service answers: who asked, about whom, for what,
// what was answered and by which load; both numbers as keyed hashes (registries.md §14). What cannot be recorded is not
// answered.
func TestAnswersOfLoadsAreRecorded(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.must(monday())
		ctx := t.Context()
		w.book.Head(ctx, companyX, w.now)
		if n := w.events("registry.answer.given", ""); n != 0 {
			t.Errorf("a question without a purpose left %d records", n)
		}
		b := w.book.For(registry.ForKey).By(headB)
		b.Head(ctx, companyX, w.now)
		b.Entity(ctx, companyX)
		b.Organisation(ctx, companyX, w.now)
		b.Organisation(ctx, "009940000006", w.now)
		b.Person(ctx, headA)
		b.Phone(ctx, headA)
		b.Taxpayer(ctx, companyX)
		w.book.For(registry.ForNotify).Head(ctx, companyX, w.now)
		all, err := w.s.AuditRecords(ctx, w.s.Node(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		who, x, a := w.s.Hash(headB), w.s.Hash(companyX), w.s.Hash(headA)
		want := []struct{ actor, object, result, verdict, purpose string }{
			{who, x, "ok", "good", "key.issue"}, {who, x, "ok", "good", "key.issue"}, {who, x, "ok", "good", "key.issue"},
			{who, w.s.Hash("009940000006"), registry.EntityUnknown, "bad", "key.issue"},
			{who, a, registry.NeverLoaded, "unknown", "key.issue"}, {who, a, registry.NeverLoaded, "unknown", "key.issue"},
			{who, x, registry.NeverLoaded, "unknown", "key.issue"}, {"system", x, "ok", "good", "notify"},
		}
		n := 0
		for _, r := range all {
			if r.Action != "registry.answer.given" {
				continue
			}
			if n == len(want) {
				t.Fatalf("one more: %+v", r.Event)
			}
			if c := want[n]; r.Actor != c.actor || r.Object != c.object || r.Result != c.result || r.Detail["verdict"] != c.verdict || r.Detail["purpose"] != c.purpose {
				t.Errorf("record %d: %+v, want %+v", n, r.Event, c)
			}
			if r.Result == "ok" && (r.Detail["load"] == "" || r.Detail["source"] != registry.SourceLegal) {
				t.Errorf("record %d does not say which load: %v", n, r.Detail)
			}
			if line := r.Actor + r.Object + strings.Join([]string{r.Detail["source"], r.Detail["load"]}, ""); strings.Contains(line, headA) || strings.Contains(line, headB) {
				t.Errorf("record %d has a number", n)
			}
			n++
		}
		if n != len(want) {
			t.Errorf("%d records, want %d", n, len(want))
		}

		deaf, err := registry.New(registry.Config{Store: unwritten{w.s.Registry()}, Now: w.book.Now})
		if err != nil {
			t.Fatal(err)
		}
		deaf = deaf.For(registry.ForRegister)
		entity, head := deaf.Organisation(ctx, companyX, w.now)
		for what, got := range map[string]registry.Answer[registry.Head]{"head": deaf.Head(ctx, companyX, w.now), "organisation's head": head} {
			if got.Verdict != registry.Unknown || got.Code != registry.Unrecorded || got.Value.Leader.IIN != "" {
				t.Errorf("%s that cannot be recorded: %+v", what, got)
			}
		}
		if entity.Verdict != registry.Unknown || entity.Code != registry.Unrecorded {
			t.Errorf("an organisation that cannot be recorded: %+v", entity)
		}
	})
}
