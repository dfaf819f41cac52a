package ra

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

func TestDelegationRules(t *testing.T) {
	good := func() Delegation {
		return Delegation{Head: "D", IIN: "S", BIN: "X", Powers: []string{PowerConfirm}, From: t0, Until: t0.AddDate(1, 0, 0)}
	}
	for _, c := range []struct {
		name, want string
		change     func(*Delegation)
	}{
		{"a year", "", func(*Delegation) {}},
		{"a year and the last day", "", func(d *Delegation) { d.Until = t0.AddDate(1, 0, 1) }},
		{"longer", "DELEGATION_TERM", func(d *Delegation) { d.Until = t0.AddDate(1, 0, 1).Add(time.Second) }},
		{"over", "DELEGATION_TERM", func(d *Delegation) { d.From, d.Until = t0.Add(-time.Hour), t0 }},
		{"the other way round", "DELEGATION_TERM", func(d *Delegation) { d.From, d.Until = t0.Add(2*time.Hour), t0.Add(time.Hour) }},
		{"since last week", "DELEGATION_TERM", func(d *Delegation) { d.From = t0.AddDate(0, 0, -7) }},
		{"no power", "DELEGATION_POWERS", func(d *Delegation) { d.Powers = nil }},
		{"unknown power", "DELEGATION_POWERS", func(d *Delegation) { d.Powers = []string{"delegate"} }},
		{"one power twice", "DELEGATION_POWERS", func(d *Delegation) { d.Powers = []string{PowerRevoke, PowerRevoke} }},
		{"himself", "DELEGATE_SELF", func(d *Delegation) { d.IIN = d.Head }},
	} {
		d := good()
		c.change(&d)
		want(t, c.name, d.Check(t0), c.want)
	}
	d := good()
	want(t, "end", d.End(EndHeadChanged, t0), "")
	want(t, "end twice", d.End(EndWithdrawn, t0.Add(time.Hour)), "DELEGATION_ENDED")
	if d.Ended != EndHeadChanged || !d.EndedAt.Equal(t0) || d.Living(t0) || !d.Over(t0) {
		t.Errorf("%+v", d)
	}
}

// A delegation lives exactly within its term and before its end, whatever else is asked.
func TestDelegationLives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hour := func(name string) time.Time {
			return t0.Add(time.Duration(rapid.IntRange(-100, 100).Draw(t, name)) * time.Hour)
		}
		d := Delegation{From: hour("from"), Until: hour("until"), Powers: []string{PowerConfirm}}
		at := hour("at")
		if ended := rapid.Bool().Draw(t, "ended"); ended {
			if err := d.End(EndWithdrawn, hour("end")); err != nil {
				t.Fatal(err)
			}
		}
		if want := d.Ended == "" && !at.Before(d.From) && at.Before(d.Until); d.Living(at) != want || want && d.Over(at) {
			t.Fatalf("%+v at %v: %v", d, at, d.Living(at))
		}
	})
}

// The key that a delegation stands on signs: the sign-in key of a classic pair is not enough.
func TestDelegationNeedsASigningKey(t *testing.T) {
	key := func(profile string) []Key {
		return []Key{{BIN: "X", Profile: profile, NotBefore: t0.Add(-time.Hour), NotAfter: t0.Add(time.Hour)}}
	}
	d := Delegation{BIN: "X", Until: t0.Add(time.Hour)}
	for profile, want := range map[string]Ending{RoleSignRight: "", RoleSignRight + "-sign": "", RoleSignRight + "-auth": EndKey, RoleEmployee: EndKey} {
		if got := d.due(key(profile), t0); got != want {
			t.Errorf("%s: %q", profile, got)
		}
	}
	if got := d.due(key(RoleSignRight), t0.Add(2*time.Hour)); got != EndTerm {
		t.Error(got)
	}
	hold := key(RoleSignRight)
	hold[0].RevokedAt, hold[0].Reason = t0, "certificateHold"
	if got := d.due(hold, t0); got != "" || d.held(hold, t0) {
		t.Errorf("on hold: %q, gives %v", got, d.held(hold, t0))
	}
	long := Delegation{BIN: "X", Until: t0.Add(3 * time.Hour)}
	if got := long.due(hold, t0.Add(2*time.Hour)); got != EndKey {
		t.Errorf("on hold, past its end: %q", got)
	}
	if hold[0].Reason = "keyCompromise"; d.due(hold, t0) != EndKey {
		t.Error("a hold made final holds it")
	}
	other := key(RoleSignRight)
	other[0].BIN = "Y"
	if d.due(other, t0) != EndKey {
		t.Error("a key of another organisation holds it")
	}
}

// The document names everything that was decided: another field is another document.
func TestDelegationDocument(t *testing.T) {
	d := Delegation{ID: "i", BIN: "x", Organization: "o", Head: "h", IIN: "s", Name: "n", Powers: []string{"confirm"}, From: t0, Until: t0.AddDate(0, 1, 0), Made: t0}
	seen := map[string]bool{d.Document("give", "https://a"): true}
	for i, change := range []func(*Delegation){
		func(d *Delegation) { d.ID = "j" }, func(d *Delegation) { d.BIN = "y" }, func(d *Delegation) { d.Organization = "p" }, func(d *Delegation) { d.Head = "g" },
		func(d *Delegation) { d.IIN = "t" }, func(d *Delegation) { d.Name = "m" }, func(d *Delegation) { d.Powers = []string{"confirm", "revoke"} },
		func(d *Delegation) { d.From = t0.Add(time.Hour) }, func(d *Delegation) { d.Until = t0.AddDate(0, 2, 0) }, func(d *Delegation) { d.Made = t0.Add(time.Second) },
	} {
		other := d
		change(&other)
		if text := other.Document("give", "https://a"); seen[text] {
			t.Errorf("change %d makes no other document", i)
		} else {
			seen[text] = true
		}
	}
	if seen[d.Document("end", "https://a")] || seen[d.Document("give", "https://b")] {
		t.Error("act and origin are not in the document")
	}
}

func TestAutoRevokeSetting(t *testing.T) {
	for in, want := range map[string]AutoRevoke{"offer": {}, "now": {On: true}, "after_days:7": {On: true, Days: 7}} {
		var a AutoRevoke
		if err := a.Set(in); err != nil || a != want || a.String() != in {
			t.Errorf("%s: %+v, %v", in, a, err)
		}
	}
	for _, in := range []string{"", "after_days:", "after_days:0", "after_days:-1", "after_days:366", "later"} {
		var a AutoRevoke
		if a.Set(in) == nil {
			t.Errorf("%q was taken as %s", in, a)
		}
	}
}

// The setting decides whether a job revokes the former head's keys, and when.
func TestC32AutoRevoke(t *testing.T) {
	const bin, former = "123456789021", "123456789011"
	for setting, after := range map[AutoRevoke]time.Duration{{}: -1, {On: true}: 0, {On: true, Days: 3}: 72 * time.Hour} {
		w := newTown(t)
		w.o.c.AutoRevoke = setting
		h := pkitest.Member(pki.RoleFirstHead)
		h.IIN, h.BIN = former, bin
		old := w.add(w.ca.Issue(pkitest.Spec{Holder: h}))
		w.heads[bin] = HeadAnswer{Verdict: trust.Bad, Code: "REGISTRY_NO_HEAD"}
		w.ok(w.o.HeadChanged(t.Context(), bin, "0"))
		offered := func() (n int) {
			for _, e := range w.m.d.events {
				if e.Action == "head_change.offered" {
					n++
				}
			}
			return n
		}
		if offered() != 0 {
			t.Error("the keys were offered while nobody heads it")
		}
		w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: "B"} // who comes after nobody
		w.ok(w.o.HeadChanged(t.Context(), bin, "1"))
		w.ok(w.o.HeadChanged(t.Context(), bin, "1"))
		if offered() != 1 {
			t.Errorf("offered %d times", offered())
		}
		var due []time.Duration
		for _, j := range w.m.d.jobs {
			if j.Kind == JobPreviousHead {
				due = append(due, j.At.Sub(w.now))
			}
		}
		if after < 0 && len(due) != 0 || after >= 0 && !slices.Equal(due, []time.Duration{after}) {
			t.Errorf("%s: jobs after %v", setting, due)
		}
		w.heads[bin] = HeadAnswer{Verdict: trust.Bad, Code: "REGISTRY_NO_HEAD"}
		w.ok(w.o.RevokePrevious(t.Context(), CompanyTask{bin}))
		w.heads[bin] = HeadAnswer{}
		if w.o.RevokePrevious(t.Context(), CompanyTask{bin}) == nil {
			t.Error("a silent registry is asked again")
		}
		w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: former} // he is head again
		w.ok(w.o.RevokePrevious(t.Context(), CompanyTask{bin}))
		if k := w.keys[old.Certificate.SerialHex()]; !k.RevokedAt.IsZero() {
			t.Errorf("%s: the keys of a head were revoked", setting)
		}
	}
}

// What was begun before a dismissal stops where it is: at the signature, and at issuing.
func TestDismissedWhileApplying(t *testing.T) {
	const bin = "123456789021"
	w := newTown(t)
	w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: "D", Organization: "АО «ТЕСТ»"}
	h := pkitest.Member(pki.RoleEmployee)
	h.BIN = bin
	e := w.add(w.ca.Issue(pkitest.Spec{Holder: h}))
	a := w.signed(e)
	if a.State != AwaitingDirector {
		t.Fatal(a.State)
	}
	a.State = Approved
	w.m.d.apps[a.Number] = a
	w.m.d.staff.dismissals[bin+h.IIN] = Dismissal{ID: "d", BIN: bin, IIN: h.IIN}
	w.ok(w.o.Issue(t.Context(), task(a)))
	if a, _ = w.o.load(t.Context(), a.Number); a.State != Rejected || a.Reason.Code != "NOT_EMPLOYED" || len(w.orders) != 0 {
		t.Errorf("%s %s, orders %v", a.State, a.Reason.Code, w.orders)
	}
	_, _, err := w.o.Gate(t.Context(), w.ask(e))
	want(t, "renewal", err, "NOT_EMPLOYED")
	ask := w.ask(w.add(w.ca.Individual()))
	ask.Kind, ask.Form.BIN, ask.Form.Role = Employee, bin, RoleEmployee
	n := ask.Signer.Holder()
	given, _ := strings.CutPrefix(n.CommonName, n.Surname+" ")
	w.people[ident.IIN(n.IIN)] = PersonAnswer{Verdict: trust.Good, Surname: n.Surname, Name: given}
	if ask.Signer.Holder().IIN == h.IIN {
		_, _, err = w.o.Gate(t.Context(), ask)
		want(t, "a new application", err, "NOT_EMPLOYED")
	} else {
		t.Error("the test's people are two")
	}
	head := pkitest.Member(pki.RoleFirstHead)
	head.BIN = bin
	_, _, err = w.o.Gate(t.Context(), w.ask(w.add(w.ca.Issue(pkitest.Spec{Holder: head}))))
	want(t, "as head by the registry", err, "")
}

// answersOnce knows who heads an organisation the first time it is asked, and is silent afterwards.
type answersOnce struct {
	head  HeadAnswer
	asked int
}

func (a *answersOnce) Head(context.Context, string, ident.BIN) HeadAnswer {
	if a.asked++; a.asked > 1 {
		return HeadAnswer{}
	}
	return a.head
}

// TestC32SilenceLosesNothing: a registry that falls silent in the middle of following a change of head is no
// reason to believe that the former head has no keys, which would never be looked at again.
func TestC32SilenceLosesNothing(t *testing.T) {
	w := newTown(t)
	l := w.add(w.ca.Issue(pkitest.Spec{Holder: pkitest.Member(pki.RoleFirstHead)}))
	bin := l.Certificate.Holder().BIN
	next := HeadAnswer{Verdict: trust.Good, IIN: "009900000008"}
	w.o.c.Registry = &answersOnce{head: next}
	w.ok(w.o.HeadChanged(t.Context(), bin, "1"))
	if last := w.m.d.events[len(w.m.d.events)-1]; last.Action != "head_change.offered" || last.Detail["keys"] != "1" {
		t.Errorf("%+v", last)
	}
	w.o.c.Registry = &answersOnce{head: next}
	had := len(w.m.d.events)
	w.ok(w.o.RevokePrevious(t.Context(), CompanyTask{BIN: bin}))
	if !slices.ContainsFunc(w.m.d.events[had:], func(e audit.Event) bool {
		return e.Action == "cert.revocation.done" && e.Object == l.Certificate.SerialHex()
	}) {
		t.Errorf("not revoked: %+v", w.m.d.events[had:])
	}
}
