package registry_test

import (
	"context"
	"testing"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/store/storetest"
)

// saying is a register of legal entities that answers so; the other services are off.
type saying struct {
	registry.Live
	legal map[ident.BIN]registry.Answer[registry.Legal]
}

func (s saying) By(string) registry.Live { return s }

func (s saying) Legal(_ context.Context, _ registry.Purpose, bin ident.BIN) registry.Answer[registry.Legal] {
	return s.legal[bin]
}

func (w *world) asking(s saying) *registry.Book {
	w.t.Helper()
	b, err := registry.New(registry.Config{Store: w.s.Registry(), Now: w.book.Now, Live: s,
		Rules: ident.Rules{TestIdentities: []string{headA, headB, clerk, companyX, companyY}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return b.For(registry.ForKey)
}

func live(w *world, e registry.LegalEntity) registry.Answer[registry.Legal] {
	e.NameRU, e.Status, e.Registered = "АО", registry.Active, "2012-04-05"
	return registry.Answer[registry.Legal]{Verdict: registry.Good, Source: registry.SourceLegal, AsOf: w.now, Value: registry.Legal{Entity: e}}
}

// The register says now that nobody heads it; an older record of clerks names somebody: unknown, not he.
func TestNobodyLiveAgainstClerks(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.must(monday())
	b := w.asking(saying{legal: map[ident.BIN]registry.Answer[registry.Legal]{companyX: live(w, registry.LegalEntity{BIN: companyX, Kind: registry.LE})}})
	if a := b.Head(t.Context(), companyX, w.now); a.Verdict != registry.Bad || a.Code != registry.NoHead {
		t.Errorf("alone: %s %s", a.Verdict, a.Code)
	}
	if _, _, err := w.book.Load(t.Context(), registry.Batch{Source: registry.SourceClerk, AsOf: at(1, 7),
		Leaders: []registry.Leader{{BIN: companyX, IIN: headB, Surname: "ТЕСТОВ", AppointedOn: "2026-02-27"}}}); err != nil {
		t.Fatal(err)
	}
	if a := b.Head(t.Context(), companyX, w.now); a.Verdict != registry.Unknown || a.Code != registry.SourcesDisagree {
		t.Errorf("against clerks: %s %s", a.Verdict, a.Code)
	}
}

// For a gate a head office that cannot be asked about is unknown, whatever a load said.
func TestHeadOfficeNotAskedAbout(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.must(monday())
	b := w.asking(saying{legal: map[ident.BIN]registry.Answer[registry.Legal]{
		companyY: live(w, registry.LegalEntity{BIN: companyY, Kind: registry.Branch, HeadBIN: companyX}), companyX: {Verdict: registry.Unknown, Code: "X"}}})
	if a := b.Entity(t.Context(), companyY); a.Verdict != registry.Unknown {
		t.Errorf("%s %s", a.Verdict, a.Code)
	}
	if a := b.For(registry.ForNotify).Entity(t.Context(), companyY); a.Verdict != registry.Good {
		t.Errorf("for no gate: %s %s", a.Verdict, a.Code)
	}
}

func TestIncapablePerson(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.must(batch{source: "gbdfl", kind: "full", asOf: at(2, 5), files: map[string]string{"persons.csv": "iin;surname;capable\n" + headA + ";ТЕСТОВ;0\n"}})
	if a := w.book.Person(t.Context(), headA); a.Verdict != registry.Bad || a.Code != registry.PersonExcluded {
		t.Errorf("%s %s", a.Verdict, a.Code)
	}
}
