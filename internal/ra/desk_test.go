package ra

import (
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
)

// Two operators and the day a person came.
var (
	firstOp  = Operator{IIN: "O1", Serial: "s1", Name: "ОРЫНБАЕВА С. К."}
	secondOp = Operator{IIN: "O2", Serial: "s2", Name: "КИМ Д. О."}
)

const docNumber = "045678901"

func paperCase() *Application {
	return &Application{Number: "261124000017", Revision: 1, Kind: Issuance, State: AwaitingDesk, Role: RoleIndividual, SignedAt: t0, Subject: Subject{IIN: "P"}}
}

func found() Finding {
	return Finding{Number: docNumber, Expires: "2036-01-01", Surname: "Иванов", Name: "Пётр", Patronymic: ""}
}

func known() PersonAnswer {
	return PersonAnswer{Verdict: "good", Surname: "ИВАНОВ", Name: "ПЁТР"}
}

// An application on paper waits whole days: until the end of the thirtieth, in Astana.
func TestPaperWaitsThirtyCalendarDays(t *testing.T) {
	a := paperCase()
	a.SignedAt = time.Date(2026, 11, 1, 23, 50, 0, 0, lang.Astana)
	end := time.Date(2026, 12, 2, 0, 0, 0, 0, lang.Astana)
	if !a.Deadline(ConfirmTTL).Equal(end) {
		t.Errorf("deadline %s", a.Deadline(ConfirmTTL))
	}
	want(t, "on the last day", a.Expire(ConfirmTTL, end), "APPLICATION_STATE")
	want(t, "a second later", a.Expire(ConfirmTTL, end.Add(time.Second)), "")
	signed := &Application{Kind: FirstHead, State: AwaitingDesk, SignedAt: t0}
	if !signed.Deadline(ConfirmTTL).Equal(t0.Add(ConfirmTTL)) {
		t.Errorf("signed: %s", signed.Deadline(ConfirmTTL))
	}
	if !(&Application{State: Installed}).Deadline(ConfirmTTL).IsZero() {
		t.Error("an application that does not wait has a deadline")
	}
	late := paperCase()
	want(t, "served too late", late.Examine(firstOp, found(), Scan{}, known(), HeadAnswer{}, t0.AddDate(0, 0, 32)), "APPLICATION_STATE")
}

func TestCompareWithRegistries(t *testing.T) {
	head := func(iin string) HeadAnswer { return HeadAnswer{Verdict: "good", IIN: iin} }
	for _, c := range []struct {
		name, role, bin string
		person          PersonAnswer
		head            HeadAnswer
		code            string
		overridable     bool
	}{
		{"the same", RoleIndividual, "", known(), HeadAnswer{}, "", false},
		{"another name", RoleIndividual, "", PersonAnswer{Verdict: "good", Surname: "ИВАНОВА", Name: "ПЁТР"}, HeadAnswer{}, "NAME_DIFFERS", true},
		{"a patronymic on one side", RoleIndividual, "", PersonAnswer{Verdict: "good", Surname: "ИВАНОВ", Name: "ПЁТР", Patronymic: "ИВАНОВИЧ"}, HeadAnswer{}, "NAME_DIFFERS", true},
		{"unknown person", RoleIndividual, "", PersonAnswer{Verdict: "bad"}, HeadAnswer{}, "PERSON_UNKNOWN", true},
		{"dead", RoleIndividual, "", PersonAnswer{Verdict: "bad", Code: "PERSON_EXCLUDED"}, HeadAnswer{}, "PERSON_EXCLUDED", false},
		{"silence", RoleIndividual, "", PersonAnswer{Verdict: "unknown"}, HeadAnswer{}, "CHECK_UNAVAILABLE", false},
		{"no answer at all", RoleIndividual, "", PersonAnswer{}, HeadAnswer{}, "CHECK_UNAVAILABLE", false},
		{"the head", RoleHead, "X", known(), head("P"), "", false},
		{"another head", RoleHead, "X", known(), head("D"), "HEAD_NOT_IN_REGISTRY", true},
		{"head, silence", RoleHead, "X", known(), HeadAnswer{}, "CHECK_UNAVAILABLE", false},
		{"another name, and silence about the head", RoleHead, "X", PersonAnswer{Verdict: "good", Surname: "ИВАНОВА", Name: "ПЁТР"}, HeadAnswer{}, "CHECK_UNAVAILABLE", false},
		{"unknown person, and silence about the head", RoleHead, "X", PersonAnswer{Verdict: "bad"}, HeadAnswer{}, "CHECK_UNAVAILABLE", false},
		{"staff", RoleEmployee, "X", known(), head("D"), "", false},
		{"staff of nobody", RoleEmployee, "X", known(), HeadAnswer{Verdict: "bad"}, "ENTERPRISE_UNKNOWN", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := paperCase()
			a.Role, a.Subject.BIN = c.role, c.bin
			got := a.compare(found(), c.person, c.head)
			if got.Code != c.code || got.Overridable() != c.overridable || (got.Verdict == "good") != (c.code == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// What a visit lacks is named, and each step waits for the one before.
func TestVisitInOrder(t *testing.T) {
	a := paperCase()
	sign := []byte("<signed/>")
	good := Comparison{Verdict: "good"}
	want(t, "identify unexamined", a.Identify(firstOp, sign, t0), "NOT_EXAMINED")
	want(t, "keys unexamined", a.DeskRequests(firstOp, []Request{{}}, t0), "APPLICATION_STATE")
	want(t, "own", a.Examine(Operator{IIN: "P"}, found(), Scan{}, known(), HeadAnswer{}, t0), "OPERATOR_SELF")
	want(t, "nobody", a.Examine(Operator{}, found(), Scan{}, known(), HeadAnswer{}, t0), "OPERATOR_SELF")
	want(t, "examine", a.Examine(firstOp, found(), Scan{}, known(), HeadAnswer{}, t0), "")
	if a.Subject.CommonName != "ИВАНОВ ПЁТР" {
		t.Errorf("name %q", a.Subject.CommonName)
	}
	want(t, "no scan", a.Identify(firstOp, sign, t0), "SCAN_MISSING")
	want(t, "examine", a.Examine(firstOp, found(), Scan{Hash: "h"}, known(), HeadAnswer{}, t0), "")
	want(t, "no keys", a.Identify(firstOp, sign, t0), "KEYS_MISSING")
	want(t, "keys", a.DeskRequests(firstOp, []Request{{}}, t0), "")
	want(t, "another signs", a.Identify(secondOp, sign, t0), "NOT_EXAMINED")
	want(t, "approve early", a.Approve(secondOp, good, "", sign, t0), "NOT_IDENTIFIED")
	want(t, "document out of date meanwhile", a.Identify(firstOp, sign, time.Date(2036, 1, 3, 0, 0, 0, 0, time.UTC)), "APPLICATION_STATE")
	short := *a
	short.Visit.Expires = t0.Format(time.DateOnly)
	want(t, "document out of date meanwhile", short.Identify(firstOp, sign, t0.AddDate(0, 0, 2)), "DOCUMENT_EXPIRED")
	want(t, "identify", a.Identify(firstOp, sign, t0), "")
	want(t, "identify twice", a.Identify(firstOp, sign, t0), "ALREADY_IDENTIFIED")
	want(t, "other keys afterwards", a.DeskRequests(firstOp, []Request{{}}, t0), "APPLICATION_STATE")
	want(t, "the same operator", a.Approve(firstOp, good, "", sign, t0), "SAME_OPERATOR")
	want(t, "silence", a.Approve(secondOp, Comparison{Verdict: "unknown", Code: "CHECK_UNAVAILABLE"}, "хочу", sign, t0), "CHECK_UNAVAILABLE")
	want(t, "mismatch without a reason", a.Approve(secondOp, Comparison{Verdict: "bad", Code: "NAME_DIFFERS"}, "", sign, t0), "NAME_DIFFERS")
	want(t, "a reason for nothing", a.Approve(secondOp, good, "хочу", sign, t0), "NOTHING_TO_OVERRIDE")
	want(t, "approve", a.Approve(secondOp, good, "", sign, t0), "")
	want(t, "approve twice", a.Approve(secondOp, good, "", sign, t0), "APPLICATION_STATE")
	want(t, "refuse afterwards", a.Refuse(secondOp, "поздно", t0), "APPLICATION_STATE")
	if a.State != Approved || !a.Visit.Second.Done() || a.overridden() {
		t.Errorf("%s %+v", a.State, a.Visit)
	}
}

// le.head_first_issue=desk sends every head to a desk, and nobody else.
func TestHeadFirstIssueAtTheDesk(t *testing.T) {
	o := &Office{c: Config{HeadAtDesk: true}}
	for kind, state := range map[Kind]State{FirstHead: AwaitingDesk, Reissue: Approved} {
		a := &Application{Kind: kind, State: Signed, Role: RoleHead, Subject: Subject{IIN: "E", BIN: "X"}}
		want(t, "route", o.route(a, HeadAnswer{Verdict: "good", IIN: "E"}, t0), "")
		if a.State != state {
			t.Errorf("%s: %s", kind, a.State)
		}
	}
}

// A hold is not lifted where the authority is elsewhere, and no operator signs for nothing.
func TestHoldsElsewhere(t *testing.T) {
	w := newTown(t)
	l := w.add(w.ca.Individual())
	serial := l.Certificate.SerialHex()
	if _, err := w.Revoke(t.Context(), serial, "certificateHold", time.Time{}, ""); err != nil {
		t.Fatal(err)
	}
	_, err := w.o.BeginAct(t.Context(), firstOp, KeyAct{Serial: serial, Act: ActLift, Document: docNumber, Text: "ошибка"})
	want(t, "begin", err, "HOLDS_ELSEWHERE")
}

func TestPlacesInACity(t *testing.T) {
	all := []Place{{ID: "a", City: Words{"ru": "Астана", "en": "Astana"}}, {ID: "b", City: Words{"ru": "Алматы"}}}
	for city, n := range map[string]int{"": 2, "astana": 1, " Алматы ": 1, "Орал": 2} {
		if got := len(PlacesIn(all, city)); got != n {
			t.Errorf("%q: %d places, want %d", city, got, n)
		}
	}
	if got := all[0].City.In("kk"); got != "Астана" {
		t.Errorf("a text that is missing: %q", got)
	}
}

func TestPapersChecked(t *testing.T) {
	rules := ident.Rules{TestIdentities: []string{"123456789011", "123456789013"}}
	good := Attorney{Name: "ИВАНОВ", IIN: "123456789011", Number: "17", Notary: "Петрова", Date: "2026-01-10"}
	for _, c := range []struct {
		name   string
		change func(*Finding)
		code   string
	}{
		{"good", func(*Finding) {}, ""},
		{"by a representative", func(f *Finding) { f.Attorney = &good }, ""},
		{"no date", func(f *Finding) { f.Expires = "" }, "DOCUMENT_DATE"},
		{"a date of nonsense", func(f *Finding) { f.Expires = "9999-01-01" }, "DOCUMENT_DATE"},
		{"expired yesterday", func(f *Finding) { f.Expires = t0.AddDate(0, 0, -2).Format(time.DateOnly) }, "DOCUMENT_EXPIRED"},
		{"short number", func(f *Finding) { f.Number = "12" }, "DOCUMENT_INVALID"},
		{"markup for a number", func(f *Finding) { f.Number = "<b>123456</b>" }, "DOCUMENT_INVALID"},
		{"no name", func(f *Finding) { f.Surname, f.Name = " ", "" }, "NAME_INVALID"},
		{"the applicant as his own representative", func(f *Finding) { p := good; p.IIN = "123456789013"; f.Attorney = &p }, "ATTORNEY_INVALID"},
		{"no notary", func(f *Finding) { p := good; p.Notary = ""; f.Attorney = &p }, "ATTORNEY_INVALID"},
		{"of tomorrow", func(f *Finding) { p := good; p.Date = t0.AddDate(0, 0, 2).Format(time.DateOnly); f.Attorney = &p }, "ATTORNEY_DATE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := found()
			c.change(&f)
			want(t, "check", f.check(rules, "123456789013", t0), c.code)
		})
	}
}

// TestOverrideCoversWhatWasSeen: whoever passes over a mismatch of the person has said nothing about the
// head, who is looked at again before issuing.
func TestOverrideCoversWhatWasSeen(t *testing.T) {
	another := known()
	another.Name = "ПАВЕЛ"
	for _, c := range []struct {
		code   string
		person PersonAnswer
		head   HeadAnswer
		want   bool
	}{
		{"HEAD_NOT_IN_REGISTRY", known(), HeadAnswer{Verdict: "good", IIN: "D"}, true},
		{"ENTERPRISE_UNKNOWN", known(), HeadAnswer{Verdict: "bad"}, true},
		{"NAME_DIFFERS", another, HeadAnswer{Verdict: "good", IIN: "D"}, false},
		{"PERSON_UNKNOWN", PersonAnswer{Verdict: "bad"}, HeadAnswer{Verdict: "bad"}, false},
	} {
		a := paperCase()
		a.Role, a.Subject.BIN = RoleHead, "X"
		a.Visit = Visit{Override: "the registry is late", Second: Mark{Operator: secondOp, Hash: "h"}, Registry: a.compare(found(), c.person, c.head)}
		if a.Visit.Registry.Code != c.code || a.overridden() != c.want {
			t.Errorf("%+v: the head is passed over: %v", a.Visit.Registry, !c.want)
		}
	}
}
