package registry_test

import (
	"context"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/store/storetest"
)

// A small batch that a program loads names an organisation and no leader: its head ends, the organisation stays, and
// it is told.
func TestBatchWithoutLeaderEndsTheHead(t *testing.T) {
	for _, full := range []bool{false, true} {
		engines(t, func(t *testing.T, w *world) {
			w.must(monday())
			w.now = at(4, 7)
			x := registry.LegalEntity{BIN: companyX, Kind: registry.LE, NameRU: "АО «ТЕСТ»", Status: registry.Active, Registered: "2012-04-05"}
			b := registry.Batch{Source: registry.SourceLegal, Full: full, AsOf: at(4, 5), Previous: at(2, 5), Entities: []registry.LegalEntity{x}}
			if _, out, err := w.book.Load(t.Context(), b); err != nil || len(out) != 0 {
				t.Fatal(out, err)
			}
			if a := w.book.Head(t.Context(), companyX, w.now); a.Verdict != registry.Bad || a.Code != registry.NoHead {
				t.Errorf("full %t: %s %s", full, a.Verdict, a.Code)
			}
			if e := w.book.Entity(t.Context(), companyX); e.Verdict != registry.Good {
				t.Errorf("full %t: the organisation: %s %s", full, e.Verdict, e.Code)
			}
			if !full {
				w.head(w.now, companyY, clerk)
			}
			told := make(chan registry.HeadChanged, 9)
			w.s.Handle(registry.KindHeadChanged, func(_ context.Context, raw []byte) error {
				var h registry.HeadChanged
				field(t, raw, &h)
				told <- h
				return nil
			})
			w.s.Handle(registry.KindCompare, func(context.Context, []byte) error { return nil })
			w.s.Handle(registry.KindEntityEnded, func(context.Context, []byte) error { return nil })
			if err := w.s.Start(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
			for h := receive(t, told); h.BIN != companyX; {
				h = receive(t, told)
			}
		})
	}
}

// A leader's row that was refused says that somebody heads it, and not who: he who did stays in force.
func TestRefusedLeaderEndsNobody(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.must(monday())
	w.now = at(4, 7)
	b := registry.Batch{Source: registry.SourceLegal, AsOf: at(4, 5), Previous: at(2, 5),
		Entities: []registry.LegalEntity{{BIN: companyX, Kind: registry.LE, NameRU: "АО «ТЕСТ»", Status: registry.Active, Registered: "2012-04-05"}},
		Leaders:  []registry.Leader{{BIN: companyX, IIN: "111111111111", Surname: "ТЕСТОВ", AppointedOn: "2026-03-03"}}}
	if _, out, err := w.book.Load(t.Context(), b); err != nil || len(out) != 1 {
		t.Fatal(out, err)
	}
	w.head(w.now, companyX, headA)
}

// The state register names nobody any more. An older word of clerks about him does not open a gate; a newer one counts.
func TestNoLeaderAgainstClerks(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		says := func(asOf time.Time, iin ident.IIN, day registry.Date) {
			t.Helper()
			if _, out, err := w.book.Load(t.Context(), registry.Batch{Source: registry.SourceClerk, AsOf: asOf,
				Leaders: []registry.Leader{{BIN: companyX, IIN: iin, Surname: "ТЕСТОВ", AppointedOn: day}}}); err != nil || len(out) != 0 {
				t.Fatal(out, err)
			}
		}
		w.must(monday())
		w.now = at(3, 9)
		says(w.now, headB, "2026-03-03")
		w.head(w.now, companyX, headB)
		w.now = at(4, 7)
		w.must(batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
			"legal_entities.csv": "op;" + entityHeader + "U;" + companyX + ";LE;АО «ТЕСТ»;ACTIVE;2012-04-05;;;;;;;\n"}})
		if a := w.book.Head(t.Context(), companyX, w.now); a.Verdict != registry.Unknown || a.Code != registry.SourcesDisagree || a.Value.Leader.IIN != "" {
			t.Errorf("older clerks against a register that names nobody: %s %s", a.Verdict, a.Code)
		}
		w.now = at(4, 9)
		says(w.now, headA, "2026-03-04")
		w.head(w.now, companyX, headA)
	})
}
