package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"senim/internal/ident"
	"senim/internal/registry"
	"senim/internal/store/storetest"
)

// account makes the number of an account whose remainder is right.
func account(bban string) string {
	rest := 0
	for _, c := range []byte(bban + "KZ00") {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return fmt.Sprintf("KZ%02d%s", 98-rest, bban)
}

// Every kind of file, full and as a delta, on both databases.
func TestEveryFile(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		iik := account("125KZT5004100100")
		w.must(batch{source: "kgd", kind: "full", asOf: at(2, 5), files: map[string]string{
			"taxpayers.csv": "tin;type;name_ru;resident;ip_from;practice;blocked;block_reason\n" + headA + ";INDIVIDUAL_ENTREPRENEUR;ИП;1;2020-01-01;NOTARY;1;долг\n",
			"accounts.csv":  "tin;iik;bik;account_type;opened_on;closed_on\n" + headA + ";" + iik + ";TESTKZKA;;2020-01-01;\n" + headB + ";" + iik + ";TESTKZKA;;2020-01-01;2021-01-01\n",
			"banks.csv":     "bik;name_ru;active\nTESTKZKA;АО «Банк»;1\nOLDBKZKA;АО «Был»;0\n"}})
		w.must(batch{source: "bmg", kind: "full", asOf: at(2, 5), files: map[string]string{"mobile.csv": "iin;phone;registered_on\n" + headA + ";+77011234567;2025-01-10\n" + headB + ";+77011234568;\n"}})
		w.must(batch{source: "gbdfl", kind: "full", asOf: at(2, 5), files: map[string]string{
			"persons.jsonl": `{"iin":"` + headA + `","surname":"ТЕСТТОВ","life":"DEAD"}` + "\n" + `{"iin":"` + headB + `","surname":"ТЕСТОВ","capable":true,"sex":"M"}`}})
		all := monday()
		all.files["calendar.csv"] = "date;source;load;note\n2026-03-09;;0;Праздник\n2026-03-10;gbdul;1;\n"
		w.must(all)

		if a := w.book.Taxpayer(ctx, headA); a.Value.Practice != registry.Notary || !a.Value.Blocked || a.Value.Nonresident {
			t.Errorf("taxpayer: %s %+v", a.Code, a.Value)
		}
		if a := w.book.Account(ctx, headA, iik); a.Verdict != registry.Good || a.Value.BIK != "TESTKZKA" {
			t.Errorf("account: %s %s", a.Verdict, a.Code)
		}
		for code, a := range map[string]registry.Answer[registry.BankAccount]{registry.AccountClosed: w.book.Account(ctx, headB, iik), registry.AccountUnknown: w.book.Account(ctx, clerk, iik)} {
			if a.Verdict != registry.Bad || a.Code != code {
				t.Errorf("account: %s %s, want %s", a.Verdict, a.Code, code)
			}
		}
		for bik, code := range map[string]string{"TESTKZKA": "", "OLDBKZKA": registry.BankClosed, "NONEKZKA": registry.BankUnknown} {
			if a := w.book.Bank(ctx, bik); a.Code != code {
				t.Errorf("bank %s: %s", bik, a.Code)
			}
		}
		for iin, code := range map[ident.IIN]string{headA: registry.PersonExcluded, headB: "", clerk: registry.PersonUnknown} {
			if a := w.book.Person(ctx, iin); a.Code != code {
				t.Errorf("person: %s, want %q", a.Code, code)
			}
		}
		var days []registry.CalendarDay
		if err := w.s.Registry().View(ctx, func(tx registry.Tx) (err error) { days, err = tx.CalendarDays(ctx); return err }); err != nil || len(days) != 2 ||
			days[0] != (registry.CalendarDay{Date: "2026-03-09", Note: "Праздник"}) || days[1] != (registry.CalendarDay{Date: "2026-03-10", Source: "gbdul", Load: true}) {
			t.Errorf("calendar: %+v %v", days, err)
		}
		if w.events("registry.calendar.changed", "ok") != 1 {
			t.Error("the change of the calendar is not recorded")
		}

		w.now = at(4, 7)
		w.must(batch{source: "bmg", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
			"mobile.csv": "op;iin;phone;registered_on\nU;" + headA + ";+77019999999;2026-03-03\nD;" + headB + ";;\n"}})
		if a := w.book.Phone(ctx, headA); a.Value.Phone != "+77019999999" {
			t.Errorf("phone: %s", a.Code)
		}
		if a := w.book.Phone(ctx, headB); a.Code != registry.NoPhone {
			t.Errorf("an ended phone: %s", a.Code)
		}
		i := w.must(batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
			"legal_entities.csv": "op;" + entityHeader + "D;" + companyY + strings.Repeat(";", 11) + "\nU;009941000001;BRANCH;Филиал;ACTIVE;2014-01-10;180140005198;;;;;;\n"}})
		if a := w.book.Head(ctx, companyY, w.now); a.Code != registry.EntityUnknown {
			t.Errorf("an ended company: %s", a.Code)
		}
		if a := w.book.Entity(ctx, "009941000001"); a.Code != registry.NoHeadOffice || i.Out[registry.NoHeadOffice] != 1 || i.Quarantined() != 0 {
			t.Errorf("a branch of nobody: %s %v", a.Code, i.Out)
		}
		w.head(w.now, companyX, headA)
	})
}

// What a load changed is told: an ended company, a changed phone; and what it took back is gone.
func TestL7Changes(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		told := make(chan string, 20)
		for kind, f := range map[string]func([]byte) string{
			registry.KindEntityEnded: func(b []byte) string { var e registry.EntityEnded; return "ended " + field(t, b, &e) + string(e.BIN) },
			registry.KindPhoneChanged: func(b []byte) string {
				var e registry.PhoneChanged
				return "phone" + field(t, b, &e) + fmt.Sprint(e.Was != e.Is, e.Load > 0)
			},
			registry.KindHeadChanged: func(b []byte) string { var e registry.HeadChanged; return "head " + field(t, b, &e) + string(e.BIN) },
			registry.KindCompare: func(b []byte) string {
				var c registry.Compare
				field(t, b, &c)
				if err := w.imp.Compare(context.WithoutCancel(t.Context()), c); err != nil {
					return err.Error()
				}
				return "compared"
			},
		} {
			w.s.Handle(kind, func(_ context.Context, b []byte) error { told <- f(b); return nil })
		}
		if err := w.s.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		phones := func(day int, kind, csv string) {
			b := batch{source: "bmg", kind: kind, asOf: at(day, 5), files: map[string]string{"mobile.csv": csv}}
			if kind == "delta" {
				b.previous = at(2, 5)
			}
			w.must(b)
		}
		phones(2, "full", "iin;phone;registered_on\n"+headA+";+77011234567;\n"+headB+";+77011234568;\n")
		first := monday()
		first.files["legal_entities.csv"] += entityLine(companyX, "АО «ТЕСТ»", headB, "2026-02-01")
		first.files["legal_entities.csv"] = strings.Replace(first.files["legal_entities.csv"], "2020-01-01;\n", "2020-01-01;2026-02-01\n", 1)
		w.must(first)
		w.head(w.now, companyX, headB)
		w.now = at(4, 7)
		phones(4, "delta", "op;iin;phone;registered_on\nU;"+headA+";+77019999999;\nU;"+headB+";+77011234568;2025-01-01\n")
		w.must(batch{source: "gbdul", kind: "delta", asOf: at(4, 5), previous: at(2, 5), files: map[string]string{
			"legal_entities.csv": "op;" + entityHeader + "U;" + entityLine(companyX, "АО «ТЕСТ»", headA, "2020-01-01") +
				"U;" + strings.Replace(entityLine(companyY, "ТОО «ДОСТЫК»", clerk, "2020-01-01"), "ACTIVE", "LIQUIDATED", 1)}})
		w.head(w.now, companyX, headA) // the appointment of B was taken back
		got := map[string]int{}
		for range 5 {
			got[receive(t, told)]++
		}
		want := map[string]int{"compared": 2, "phonetrue true": 1, "head " + companyX: 1, "ended " + companyY: 1}
		if fmt.Sprint(got) != fmt.Sprint(want) || len(told) != 0 {
			t.Errorf("told %v", got)
		}
	})
}

// field reads a job's payload.
func field(t *testing.T, b []byte, v any) string {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Error(err)
	}
	return ""
}

// No number, phone or name of anybody stands in what the registry logs.
func TestR28LogsNameNobody(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	w := newWorld(t, storetest.SQLite(t))
	b := many(200, at(2, 5))
	b.files["legal_entities.csv"] += entityLine("12345", "ТОО «ТАЙНА»", headA, "2020-01-01")
	w.must(b)
	w.must(batch{source: "bmg", kind: "full", asOf: at(2, 5), files: map[string]string{"mobile.csv": "iin;phone\n" + headA + ";+77011234567\n"}})
	w.now = at(4, 7)
	broken := many(200, at(4, 5))
	broken.files["legal_entities.csv"] = strings.Replace(broken.files["legal_entities.csv"], "bin;", "bin;"+headA+";", 1)
	i, err := w.receive(broken)
	w.refused(i, err, "LOAD_COLUMN")
	for n := range 1000 {
		w.book.Head(t.Context(), ident.BIN(number(n%300, 4)), w.now)
		w.book.Phone(t.Context(), headA)
		w.book.Person(t.Context(), headB)
	}
	text := log.String() + w.log.String()
	if !strings.Contains(text, "LOAD_COLUMN") {
		t.Fatal("nothing was logged: the test sees no log")
	}
	for _, secret := range []string{headA, headB, number(3, 4), number(3, 0), "7011234567", "ТЕСТОВ", "ТАЙНА"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log names somebody")
		}
	}
}
