package registry_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/registry"
)

// asked is a store that keeps what jobs were asked for.
type asked struct {
	registry.Store
	heads []string // day of the job, day told; "now" for at once
}

type askedTx struct {
	registry.Tx
	a *asked
}

func (a *asked) Update(ctx context.Context, f func(registry.Tx) error) error {
	return a.Store.Update(ctx, func(tx registry.Tx) error { return f(askedTx{tx, a}) })
}

func (t askedTx) Enqueue(ctx context.Context, j job.Job) error {
	if h, ok := j.Payload.(registry.HeadChanged); ok && h.BIN == companyX {
		at := "now"
		if !j.At.IsZero() {
			at = string(registry.DateOf(j.At))
		}
		t.a.heads = append(t.a.heads, at+" "+string(h.AppointedOn))
	}
	return t.Tx.Enqueue(ctx, j)
}

// Every change of head is told on its day, and nobody is a head like another: a dismissal, and who comes after nobody.
func TestEveryChangeOfHeadIsTold(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		a := &asked{Store: w.s.Registry()}
		book, err := registry.New(registry.Config{Store: a, Now: func() time.Time { return w.now },
			Rules: ident.Rules{TestIdentities: []string{headA, headB, clerk, companyX, companyY}}})
		if err != nil {
			t.Fatal(err)
		}
		w.book = book
		w.imp = w.importer("one", w.signer.Certificate)
		last := at(2, 5)
		w.must(monday())
		delta := func(day int, rows string, want ...string) {
			t.Helper()
			w.now, a.heads = at(day, 7), nil
			i := w.must(batch{source: "gbdul", kind: "delta", asOf: at(day, 5), previous: last, files: map[string]string{"legal_entities.csv": "op;" + entityHeader + rows}})
			last = at(day, 5)
			if err := w.imp.Compare(t.Context(), registry.Compare{Import: i.ID}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(a.heads, want) {
				t.Errorf("on %d March: told %q, want %q", day, a.heads, want)
			}
		}
		row := func(head, from, until string) string {
			return "U;" + strings.TrimSuffix(entityLine(companyX, "АО «ТЕСТ»", head, from), "\n") + until + "\n"
		}
		none := "U;" + companyX + ";LE;АО «ТЕСТ»;ACTIVE;2012-04-05;;;;;;;\n"
		delta(4, row(headA, "2020-01-01", "2026-03-03"), "now 2026-03-03") // dismissed
		delta(6, none)                                                     // nobody as before
		delta(9, row(headB, "2026-03-08", ""), "now 2026-03-08")
		delta(11, row(headB, "2026-03-08", "2026-03-16")+row(headA, "2026-03-20", ""), "2026-03-16 2026-03-16", "2026-03-20 2026-03-20")
		delta(13, row(headB, "2026-03-08", "2026-03-16")+row(headA, "2026-03-18", ""), "2026-03-18 2026-03-18")
		delta(17, none) // A, who was to come on the next day, does not: nobody heads it, as since yesterday
	})
}

// What a program loads is told of like a batch of files; an organisation seen for the first time is not.
func TestLoadTellsOfNobody(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		a := &asked{Store: w.s.Registry()}
		book, err := registry.New(registry.Config{Store: a, Now: func() time.Time { return w.now },
			Rules: ident.Rules{TestIdentities: []string{headA, headB, companyX}}})
		if err != nil {
			t.Fatal(err)
		}
		x := registry.LegalEntity{BIN: companyX, Kind: registry.LE, NameRU: "АО «ТЕСТ»", Status: registry.Active, Registered: "2012-04-05"}
		a1 := registry.Leader{BIN: companyX, IIN: headA, Surname: "ТЕСТОВ", AppointedOn: "2020-01-01"}
		b1 := registry.Leader{BIN: companyX, IIN: headB, Surname: "ТЕСТОВ", AppointedOn: "2026-03-08"}
		gone := a1
		gone.DismissedOn = "2026-03-03"
		for _, step := range []struct {
			day     int
			leaders []registry.Leader
			want    []string
		}{{2, []registry.Leader{a1}, nil}, {4, []registry.Leader{gone}, []string{"now 2026-03-03"}}, {6, nil, nil}, {9, []registry.Leader{b1}, []string{"now 2026-03-08"}}} {
			w.now, a.heads = at(step.day, 7), nil
			b := registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: at(step.day, 5), Entities: []registry.LegalEntity{x}, Leaders: step.leaders}
			if _, out, err := book.Load(t.Context(), b); err != nil || len(out) != 0 {
				t.Fatal(out, err)
			}
			if !slices.Equal(a.heads, step.want) {
				t.Errorf("on %d March: told %q, want %q", step.day, a.heads, step.want)
			}
		}
	})
}
