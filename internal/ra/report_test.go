package ra

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

// ends are keys that end, in the order of their end.
type ends []Key

func (e ends) Ending(_ context.Context, from, to time.Time, f func(Key) error) error {
	for _, k := range e {
		if !k.NotAfter.Before(from) && k.NotAfter.Before(to) {
			if err := f(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// phones answers about phones: nobody's persons are known.
type phones map[string]trust.Verdict

func (phones) Person(context.Context, string, ident.IIN) PersonAnswer { return PersonAnswer{} }
func (p phones) Phone(_ context.Context, _ string, iin ident.IIN) PhoneAnswer {
	return PhoneAnswer{Verdict: p[string(iin)]}
}

// What operators are told: counts by week, whom nobody can tell, what lapsed; successors count nowhere.
func TestReportsOfOperators(t *testing.T) {
	now := time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	at := func(d float64) time.Time { return now.Add(time.Duration(d * 24 * float64(time.Hour))) }
	m := newMemory()
	m.d.accounts["mail"] = Account{IIN: "mail", Email: "a@example.kz", ConfirmedAt: now}
	m.d.accounts["unconfirmed"] = Account{IIN: "unconfirmed", Email: "b@example.kz"}
	o := &Office{c: Config{Store: m, Now: func() time.Time { return now }, People: phones{"phone": trust.Good, "none": trust.Bad, "unconfirmed": trust.Bad, "mail": trust.Bad},
		Ends: ends{{Serial: "1", IIN: "none", NotAfter: at(-31)}, {Serial: "2", IIN: "none", NotAfter: at(-5)}, {Serial: "3", IIN: "mail", NotAfter: at(-5), ReplacedBy: "x"},
			{Serial: "4", IIN: "mail", NotAfter: at(1)}, {Serial: "5", IIN: "unconfirmed", NotAfter: at(6.9)}, {Serial: "6", IIN: "none", NotAfter: at(7)},
			{Serial: "7", IIN: "phone", NotAfter: at(8)}, {Serial: "8", IIN: "silent", NotAfter: at(9)}, {Serial: "9", IIN: "none", NotAfter: at(10), ReplacedBy: "x"},
			{Serial: "a", IIN: "none", NotAfter: at(55.9)}, {Serial: "b", IIN: "none", NotAfter: at(56)}}}}
	weeks, err := o.ExpiringByWeek(t.Context())
	if err != nil || len(weeks) != 8 {
		t.Fatal(len(weeks), err)
	}
	for i, want := range map[int]Week{0: {Keys: 2, NoContact: 1}, 1: {Keys: 3, NoContact: 1, Unknown: 1}, 2: {}, 7: {Keys: 1, NoContact: 1}} {
		want.From = now.AddDate(0, 0, 7*i)
		if weeks[i] != want {
			t.Errorf("week %d: %+v, want %+v", i, weeks[i], want)
		}
	}
	keys, err := o.WithoutContact(t.Context(), 10)
	if err != nil || len(keys) != 2 || keys[0].Serial != "5" || keys[1].Serial != "6" {
		t.Errorf("without contact: %v %v", keys, err)
	}
	if keys, err = o.WithoutContact(t.Context(), 1); err != nil || len(keys) != 1 {
		t.Errorf("at most one: %v %v", keys, err)
	}
	days, err := o.Lapsed(t.Context())
	total := 0
	for _, d := range days {
		total += d.Keys
	}
	if err != nil || total != 1 || days[5].Keys != 1 {
		t.Errorf("lapsed: %+v %v", days, err)
	}

	// For operators at the desk alone, and as a file like the others.
	who := Viewer{IIN: "operator"}
	ask := ReportAsk{Kind: ReportWeeks, Format: ReportCSV, Lang: "en"}
	var no *Refusal
	if _, err := o.AskReport(t.Context(), who, ask); !errors.As(err, &no) || no.Code != "REPORT_NOT_YOURS" {
		t.Errorf("asked for by nobody: %v", err)
	}
	for kind, want := range map[ReportKind]string{ReportWeeks: "24.11.2026 – 30.11.2026;2;1;0", ReportNoContact: ";5;", ReportLapsed: "19.11.2026;1"} {
		ask.Kind, ask.Operator = kind, true
		r, err := o.AskReport(t.Context(), who, ask)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := o.AskReport(t.Context(), who, ask); err != nil || again.ID != r.ID {
			t.Errorf("%s pressed twice gives two: %v", kind, err)
		}
		for range 2 {
			if err := o.MakeReport(t.Context(), ReportTask{ID: r.ID}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := o.Download(t.Context(), who.IIN, false, r.ID); !errors.As(err, &no) || no.Code != "REPORT_NOT_FOUND" {
			t.Errorf("%s outside the desk: %v", kind, err)
		}
		got, err := o.Download(t.Context(), who.IIN, true, r.ID)
		if err != nil || !strings.Contains(string(got.Content), want) {
			t.Errorf("%s: %v\n%s", kind, err, got.Content)
		}
	}
	made := 0
	for _, e := range m.d.events {
		if e.Action == "report.made" {
			made++
		}
	}
	if made != 3 {
		t.Errorf("%d reports are recorded as made", made)
	}
	o.c.Ends = nil
	ask.Kind = ReportLapsed
	r, err := o.AskReport(t.Context(), who, ask)
	if err != nil || o.MakeReport(t.Context(), ReportTask{ID: r.ID}) == nil {
		t.Error("a report was made of what cannot be seen", err)
	}
}

// TestReportOfStaffIsItsHeads: a report made while somebody headed an organisation is not given to him when
// he heads it no more, or while nobody can tell.
func TestReportOfStaffIsItsHeads(t *testing.T) {
	w := newTown(t)
	const bin, head = "123456789021", "009900000008"
	who := Viewer{IIN: head, BIN: bin}
	l := w.add(w.ca.Issue(pkitest.Spec{Holder: pkitest.Member(pki.RoleEmployee)}))
	k := w.keys[l.Certificate.SerialHex()]
	k.BIN, k.ReplacedBy = bin, "next"
	w.keys[k.Serial] = k
	good := HeadAnswer{Verdict: trust.Good, IIN: head}
	w.heads[bin] = good
	r, err := w.o.AskReport(t.Context(), who, ReportAsk{Kind: ReportReplaced, Format: ReportCSV, Lang: "en"})
	w.ok(err)
	w.ok(w.o.MakeReport(t.Context(), ReportTask{ID: r.ID}))
	for _, now := range []HeadAnswer{{Verdict: trust.Good, IIN: "another"}, {}} {
		w.heads[bin] = now
		if _, err := w.o.Download(t.Context(), head, false, r.ID); codeOf(err) != "REPORT_NOT_YOURS" {
			t.Errorf("the registry says %q: %v", now.IIN, err)
		}
	}
	w.heads[bin] = good
	got, err := w.o.Download(t.Context(), head, false, r.ID)
	if w.ok(err); !strings.Contains(string(got.Content), k.Serial) {
		t.Errorf("%s", got.Content)
	}
}

// How the applicant was identified, and where he asked: in words that are there for every kind.
func TestHowKeysWereIssued(t *testing.T) {
	seen := Visit{First: Mark{Hash: "h"}}
	for _, c := range []struct {
		a          Application
		how, where string
	}{
		{Application{Kind: Reissue}, "reports.how.reissue", "reports.where.online"},
		{Application{Kind: FirstHead}, "reports.how.first-head", "reports.where.online"},
		{Application{Kind: FirstHead, Visit: seen}, "reports.how.desk", "reports.where.online"},
		{Application{Kind: Employee}, "reports.how.employee", "reports.where.online"},
		{Application{Kind: Issuance}, "reports.how.issuance", "reports.where.desk"},
		{Application{Kind: Issuance, Visit: seen}, "reports.how.desk", "reports.where.desk"},
		{Application{Kind: "another"}, "reports.how.unknown", ""},
	} {
		if how, where := c.a.how(), c.a.where(); how != c.how || where != c.where {
			t.Errorf("%s: %q, %q", c.a.Kind, how, where)
		}
	}
}
