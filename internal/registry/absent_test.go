package registry_test

import (
	"testing"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/store/storetest"
)

// Clerks speak of the organisations they write down and of no other: where no state register was ever loaded,
// what they did not write down is unknown, and they go on writing (V1, V2, §10).
func TestClerksSayNothingOfOthers(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	ctx := t.Context()
	record := func(bin, iin string) {
		t.Helper()
		c, err := w.book.Draft(ctx, registry.Clerk{IIN: clerk, Serial: "01"}, registry.Form{BIN: bin, IIN: iin, Surname: "ТЕСТОВ", Name: "ТЕСТ",
			Position: "Директор", AppointedOn: "2026-02-27", Document: "№ 7", Scan: []byte("%PDF-1.7")})
		if err == nil {
			_, err = w.book.Sign(ctx, c.ID, registry.Clerk{IIN: clerk, Serial: "01"}, []byte("<signed/>"))
		}
		if err == nil {
			_, err = w.book.Confirm(ctx, c.ID, registry.Clerk{IIN: "009900000008", Serial: "02"}, []byte("<signed/>"))
		}
		if err != nil {
			t.Fatalf("%s: %v", bin, err)
		}
	}
	record(companyX, headB)
	record(companyY, headA)
	for _, bin := range []ident.BIN{companyX, "180140005198"} {
		if a := w.book.Entity(ctx, bin); a.Verdict != registry.Unknown || a.Code != registry.NeverLoaded {
			t.Errorf("%s: %s %s", bin, a.Verdict, a.Code)
		}
		if a := w.book.Head(ctx, bin, w.now); a.Verdict != registry.Unknown || a.Code != registry.NeverLoaded {
			t.Errorf("head of %s: %s %s", bin, a.Verdict, a.Code)
		}
	}
	if a := w.book.Person(ctx, headB); a.Verdict != registry.Unknown || a.Code != registry.NeverLoaded {
		t.Errorf("person: %s %s", a.Verdict, a.Code)
	}
	w.must(batch{source: "gbdul", kind: "full", asOf: at(2, 5), files: map[string]string{"legal_entities.csv": entityHeader + entityLine(companyX, "АО «ТЕСТ»", headA, "2020-01-01")}})
	if a := w.book.Entity(ctx, companyY); a.Verdict != registry.Bad || a.Code != registry.EntityUnknown {
		t.Errorf("the register itself, loaded whole: %s %s", a.Verdict, a.Code)
	}
}
