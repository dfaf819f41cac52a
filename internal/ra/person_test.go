package ra

import (
	"errors"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/trust"
)

// renewals are what a valid key is renewed as, with the certificate that signs.
func renewals(w *town) map[string]*pkitest.Leaf {
	return map[string]*pkitest.Leaf{"a person": w.add(w.ca.Individual()), "a head": w.add(w.ca.Head()), "an employee": w.add(w.ca.Employee())}
}

// heads of the test's company: who is renewed as its head, or somebody else.
func (w *town) headed(l *pkitest.Leaf) {
	h := l.Certificate.Holder()
	head := HeadAnswer{Verdict: trust.Good, IIN: "123456789015", Organization: h.Organization}
	if RoleOf(h) == RoleHead {
		head.IIN = h.IIN
	}
	w.heads[ident.BIN(h.BIN)] = head
}

// R4: who died, was excluded or has another name now renews nothing, in whatever capacity.
func TestRenewalAsksTheRegisterOfPersons(t *testing.T) {
	for name := range renewals(newTown(t)) {
		for code, answer := range map[string]PersonAnswer{
			"PERSON_EXCLUDED":     {Verdict: trust.Bad, Code: "PERSON_EXCLUDED"},
			"PERSON_UNKNOWN":      {Verdict: trust.Bad},
			"PERSON_NAME_DIFFERS": {Verdict: trust.Good, Surname: "ДРУГАЯ", Name: "ТЕСТ"},
		} {
			w := newTown(t)
			l := renewals(w)[name]
			w.headed(l)
			iin := ident.IIN(l.Certificate.Holder().IIN)
			good := w.people[iin]
			w.people[iin] = answer
			_, _, err := w.o.Gate(t.Context(), w.ask(l))
			want(t, name+" at the start", err, code)

			w.people[iin] = good // and who was, when he signed, but is not now
			a, xml := w.prepared(l)
			w.people[iin] = answer
			a, err = w.o.Submit(t.Context(), string(iin), a.Number, xml)
			w.ok(err)
			if a.State != AwaitingDesk || a.Reason.Code != code {
				t.Errorf("%s, %s when signed: %s %s", name, code, a.State, a.Reason.Code)
			}
		}
	}
}

// A register that is silent keeps the application: it waits, and goes on by itself when the register answers.
func TestRenewalWaitsForTheRegisterOfPersons(t *testing.T) {
	for name, after := range map[string]State{"a person": Approved, "a head": Approved, "an employee": AwaitingDirector} {
		w := newTown(t)
		l := renewals(w)[name]
		w.headed(l)
		iin := ident.IIN(l.Certificate.Holder().IIN)
		good := w.people[iin]
		for _, silence := range []PersonAnswer{{}, {Verdict: trust.Unknown}} {
			w.people[iin] = silence
			a := w.signed(l)
			if a.State != Signed || a.Reason.Code != "REG_UNAVAILABLE" || len(w.m.d.jobs) == 0 || w.m.d.jobs[len(w.m.d.jobs)-1].Kind != JobRoute {
				t.Fatalf("%s: %s %s", name, a.State, a.Reason.Code)
			}
			if err := w.o.Reroute(t.Context(), task(a)); err == nil {
				t.Errorf("%s: silence ended the tries", name)
			}
			w.people[iin] = good
			w.ok(w.o.Reroute(t.Context(), task(a)))
			if a, _ = w.o.load(t.Context(), a.Number); a.State != after || a.Reason.Code != "" {
				t.Errorf("%s: %s %s", name, a.State, a.Reason.Code)
			}
			_, err := w.o.Withdraw(t.Context(), string(iin), a.Number)
			w.ok(err)
		}
	}
}

// Between the approval and the authority the register is asked once more.
func TestIssueAsksTheRegisterOfPersons(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	iin := ident.IIN(p.Certificate.Holder().IIN)
	a := w.signed(p)
	good := w.people[iin]
	w.people[iin] = PersonAnswer{}
	if err := w.o.Issue(t.Context(), task(a)); err == nil || len(w.orders) != 0 {
		t.Fatalf("silence: %v, orders %v", err, w.orders)
	}
	w.people[iin] = PersonAnswer{Verdict: trust.Bad, Code: "PERSON_EXCLUDED"}
	w.during = func() { t.Error("asked for a dead man's key") }
	w.ok(w.o.Issue(t.Context(), task(a)))
	if a, _ = w.o.load(t.Context(), a.Number); a.State != Rejected || a.Reason.Code != "PERSON_EXCLUDED" {
		t.Errorf("%s %s", a.State, a.Reason.Code)
	}
	w.during, w.people[iin] = nil, good
	w.ok(w.o.Issue(t.Context(), task(a))) // nothing more happens to it
}

// Operators who identified a person passed over his other name, never over his death.
func TestIssueAfterTheDesk(t *testing.T) {
	for code, rejected := range map[string]bool{"PERSON_UNKNOWN": false, "PERSON_EXCLUDED": true} {
		w := newTown(t)
		a := *paperCase()
		a.State, a.Requests, a.Visit = Approved, []Request{{}}, Visit{Second: Mark{Operator: secondOp, Hash: "h"}, Override: "реестр опаздывает"}
		w.people["P"] = PersonAnswer{Verdict: trust.Bad, Code: code}
		w.m.d.apps[a.Number] = a
		w.ok(w.o.Issue(t.Context(), task(a)))
		if got := w.m.d.apps[a.Number].State == Rejected; got != rejected {
			t.Errorf("%s: %s", code, w.m.d.apps[a.Number].State)
		}
	}
}

// C-31: the registry of companies is silent from the start. The draft is kept, without the name nobody has told yet,
// and the application passes by itself when the registry answers.
func TestC31RegistrySilentFromTheStart(t *testing.T) {
	const bin = "123456789021"
	p := pkitest.Person()
	for _, c := range []struct {
		kind  Kind
		head  string
		state State
		code  string
	}{
		{FirstHead, p.IIN, Approved, ""},
		{FirstHead, "123456789015", AwaitingDesk, "HEAD_NOT_IN_REGISTRY"},
		{Employee, "123456789015", AwaitingDirector, ""},
		{Employee, p.IIN, Rejected, "HEAD_APPLIES_AS_HEAD"},
	} {
		w := newTown(t)
		l := w.add(w.ca.Individual())
		w.confirmed(p.IIN)
		ask := w.ask(l)
		ask.Kind, ask.Form.BIN, ask.Form.Role = c.kind, bin, RoleEmployee
		a := w.signedAs(l, ask)
		if a.State != Signed || a.Reason.Code != "REG_UNAVAILABLE" || a.Subject.Organization != "" {
			t.Fatalf("%s: %s %s %q", c.kind, a.State, a.Reason.Code, a.Subject.Organization)
		}
		w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: c.head, Organization: "АО «ТЕСТ»"}
		w.ok(w.o.Reroute(t.Context(), task(a)))
		a, _ = w.o.load(t.Context(), a.Number)
		if a.State != c.state || a.Reason.Code != c.code || a.Subject.Organization != "АО «ТЕСТ»" {
			t.Errorf("%s: %s %s %q", c.kind, a.State, a.Reason.Code, a.Subject.Organization)
		}
		if told := strings.Contains(w.letters(), "N-11"); told != (c.state == Rejected) {
			t.Errorf("%s: letters %s", c.kind, w.letters())
		}
	}
	w := newTown(t) // what it says no to is refused at once
	l := w.add(w.ca.Individual())
	for _, kind := range []Kind{FirstHead, Employee} {
		ask := w.ask(l)
		ask.Kind, ask.Form.BIN, ask.Form.Role = kind, bin, RoleEmployee
		w.heads[bin] = HeadAnswer{Verdict: trust.Bad, Code: "ENTERPRISE_LIQUIDATED", AsOf: time.Unix(1, 0)}
		_, err := w.o.Draft(t.Context(), ask)
		want(t, string(kind), err, "ENTERPRISE_LIQUIDATED")
	}
	if _, err := w.o.load(t.Context(), "260901000011"); !errors.Is(err, ErrNotFound) {
		t.Error("a refused draft was kept")
	}
}
