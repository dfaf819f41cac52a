package registry_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/store/storetest"
)

// everybody is state services that say of X that it has another head than the load, of A that he is dead, of his phone
// nothing, and could not be asked about Y.
type everybody struct{ saying }

func (e everybody) Person(_ context.Context, _ registry.Purpose, iin ident.IIN) registry.Answer[registry.Person] {
	if iin == headA {
		return registry.Answer[registry.Person]{Verdict: registry.Good, Source: registry.SourcePersons, AsOf: at(2, 6), Value: registry.Person{IIN: iin, Surname: "А", Dead: true}}
	}
	return registry.Answer[registry.Person]{Verdict: registry.Unknown, Source: registry.SourcePersons, Code: "SILENT"}
}

func (e everybody) Phone(_ context.Context, _ registry.Purpose, iin ident.IIN) registry.Answer[registry.MobileContact] {
	if iin == headB {
		return registry.Answer[registry.MobileContact]{Verdict: registry.Good, Source: registry.SourceMobile, AsOf: at(2, 6), Value: registry.MobileContact{IIN: iin, Phone: "+77011234567"}}
	}
	return registry.Answer[registry.MobileContact]{Verdict: registry.Unknown, Source: registry.SourceMobile, Code: "SILENT"}
}

// Answers about many are those about one, whoever is asked: loads, clerks or state services, for a gate or for letters.
func TestManyAreAsOne(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ctx := t.Context()
	w.must(monday())
	w.must(batch{source: "gbdfl", kind: "full", asOf: at(2, 5), files: map[string]string{"persons.csv": "iin;surname\n" + headA + ";ТЕСТТОВ\n" + headB + ";ТЕСТОВ\n"}})
	w.must(batch{source: "bmg", kind: "full", asOf: at(2, 5), files: map[string]string{"mobile.csv": "iin;phone\n" + headA + ";+77011234560\n" + clerk + ";+77011234561\n"}})
	if _, _, err := w.book.Load(ctx, registry.Batch{Source: registry.SourceClerk, AsOf: at(2, 6),
		Leaders: []registry.Leader{{BIN: companyY, IIN: headB, Surname: "ТЕСТОВ", AppointedOn: "2026-03-01"}}}); err != nil {
		t.Fatal(err)
	}
	said := live(w, registry.LegalEntity{BIN: companyX, Kind: registry.LE})
	said.Value.Leader = registry.Leader{BIN: companyX, IIN: headB, Surname: "ТЕСТОВ", AppointedOn: "2026-02-27"}
	services := everybody{saying{legal: map[ident.BIN]registry.Answer[registry.Legal]{companyX: said, companyY: {Verdict: registry.Unknown, Source: registry.SourceLegal, Code: "SILENT"}}}}
	asking, err := registry.New(registry.Config{Store: w.s.Registry(), Now: w.book.Now, Live: services,
		Rules: ident.Rules{TestIdentities: []string{headA, headB, clerk, companyX, companyY}}})
	if err != nil {
		t.Fatal(err)
	}
	persons, bins := []ident.IIN{headA, headB, clerk}, []ident.BIN{companyX, companyY, "009940000006"}
	for name, b := range map[string]*registry.Book{"loads": asking, "letters": asking.For(registry.ForNotify), "gate": asking.For(registry.ForKey)} {
		many := b.Many(ctx, persons, bins, true)
		for _, i := range persons {
			if d := cmp.Diff(b.Person(ctx, i), many.Persons[i]); d != "" {
				t.Errorf("%s: person: %s", name, d)
			}
			if d := cmp.Diff(b.Phone(ctx, i), many.Phones[i]); d != "" {
				t.Errorf("%s: phone: %s", name, d)
			}
		}
		for _, bin := range bins {
			if d := cmp.Diff(b.Head(ctx, bin, w.now), many.Heads[bin]); d != "" {
				t.Errorf("%s: head: %s", name, d)
			}
		}
		want := map[string]struct {
			x       ident.IIN
			y       registry.Verdict
			dead    bool
			stopped bool
		}{"loads": {headA, registry.Good, false, false}, "letters": {headB, registry.Good, true, false}, "gate": {headB, registry.Unknown, true, true}}[name]
		if many.Heads[companyX].Value.Leader.IIN != want.x || many.Heads[companyY].Verdict != want.y || (many.Persons[headA].Verdict == registry.Bad) != want.dead ||
			(many.Persons[headB].Verdict == registry.Unknown) != want.stopped {
			t.Errorf("%s: %s %s, %s, %s", name, many.Heads[companyX].Code, many.Heads[companyY].Code, many.Persons[headA].Code, many.Persons[headB].Code)
		}
	}
	ended, cancel := context.WithTimeout(ctx, time.Nanosecond)
	defer cancel()
	<-ended.Done()
	for _, a := range asking.Many(ended, persons, bins, true).Heads {
		if a.Verdict != registry.Unknown {
			t.Errorf("a database that does not answer: %s", a.Verdict)
		}
	}
	for _, phones := range []bool{true, false} {
		if n := len(asking.Many(ended, persons, bins, phones).Phones); (n > 0) != phones {
			t.Errorf("a database that does not answer, asked about phones: %v: %d answers", phones, n)
		}
	}
}
