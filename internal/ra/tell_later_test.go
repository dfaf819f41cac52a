package ra

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/notice"
	"senim/internal/trust"
)

// mute answers as the town does, but the mobile base or the register of companies may be silent.
type mute struct {
	*town
	phones, companies bool
}

func (m *mute) Phone(ctx context.Context, by string, iin ident.IIN) PhoneAnswer {
	if m.phones {
		return PhoneAnswer{}
	}
	return m.town.Phone(ctx, by, iin)
}

func (m *mute) Head(ctx context.Context, by string, bin ident.BIN) HeadAnswer {
	if m.companies {
		return HeadAnswer{}
	}
	return m.town.Head(ctx, by, bin)
}

// sms are the numbers of the short messages, with who gets them.
func (w *town) sms() string {
	var all []string
	for _, l := range w.m.d.letters {
		if l.Channel == notice.SMS {
			all = append(all, l.N+" "+l.To)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// tellings are the jobs that ask to tell later.
func (w *town) tellings() (all []Telling) {
	for _, j := range w.m.d.jobs {
		if t, ok := j.Payload.(Telling); ok && j.Kind == JobTell {
			all = append(all, t)
		}
	}
	return all
}

// N-12 and N-14 are of class S: a mobile base that is silent at that moment loses no short message, and its answer
// sends none twice.
func TestShortMessageWaitsForTheMobileBase(t *testing.T) {
	w := newTown(t)
	people := &mute{town: w, phones: true}
	w.o.c.People = people
	p := w.add(w.ca.Individual())
	iin := p.Certificate.Holder().IIN
	w.phones[ident.IIN(iin)] = "+77010000117"
	a := w.signed(p)
	w.ok(w.o.Issue(t.Context(), task(a)))
	_, err := w.o.Installed(t.Context(), iin, a.Number, []string{w.m.d.apps[a.Number].Certificates[0].Serial})
	w.ok(err)
	at, err := w.Revoke(t.Context(), p.Certificate.SerialHex(), "keyCompromise", time.Time{}, "")
	w.ok(err)
	w.ok(w.o.KeyRevoked(t.Context(), p.Certificate.SerialHex()))
	all := w.tellings()
	if w.sms() != "" || len(all) != 2 || !all[1].At.Equal(at) {
		t.Fatalf("messages %s, told later: %+v", w.sms(), all)
	}
	for _, one := range all {
		if err := w.o.TellAgain(t.Context(), one); err == nil {
			t.Error("silence ended the tries")
		}
	}
	people.phones = false
	for range 2 {
		for _, one := range all {
			w.ok(w.o.TellAgain(t.Context(), one))
		}
	}
	if got := w.sms(); got != "N-12 +77010000117, N-14 +77010000117" {
		t.Errorf("messages: %s", got)
	}
}

// A head who could not be found out hears of the revocation later, by e-mail and SMS.
func TestHeadIsToldLater(t *testing.T) {
	w := newTown(t)
	registry := &mute{town: w, companies: true}
	w.o.c.Registry = registry
	e := w.add(w.ca.Employee())
	bin := ident.BIN(e.Certificate.Holder().BIN)
	w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: "D"}
	w.phones["D"] = "+77010000118"
	w.confirmed("D")
	_, err := w.Revoke(t.Context(), e.Certificate.SerialHex(), "certificateHold", time.Time{}, "")
	w.ok(err)
	w.ok(w.o.KeyRevoked(t.Context(), e.Certificate.SerialHex()))
	w.lift(e.Certificate.SerialHex()) // and the hold was lifted before the registry answered
	registry.companies = false
	for _, one := range w.tellings() {
		w.ok(w.o.TellAgain(t.Context(), one))
	}
	if w.sms() != "N-14.hold +77010000118" || w.letters() != "N-14.hold N-14.hold" {
		t.Errorf("messages %s, letters %s", w.sms(), w.letters())
	}
}

// The reminders' own resolution: a bad address is no contact, and SMS about a company's keys go to its head.
func TestContactAsRemindersFindIt(t *testing.T) {
	const bin = "123456789021"
	for name, c := range map[string]struct {
		account Account
		head    HeadAnswer
		phone   string // whose
		key     Key
		want    Contact
	}{
		"an address":             {Account{Email: "p@example.kz", ConfirmedAt: t0}, HeadAnswer{}, "", Key{IIN: "E"}, ContactKnown},
		"a bad one":              {Account{Email: "p@example.kz", ConfirmedAt: t0, Bad: true}, HeadAnswer{}, "", Key{IIN: "E"}, ContactNone},
		"a bad one, and a phone": {Account{Email: "p@example.kz", ConfirmedAt: t0, Bad: true}, HeadAnswer{}, "E", Key{IIN: "E"}, ContactKnown},
		"the head's phone":       {Account{}, HeadAnswer{Verdict: trust.Good, IIN: "D"}, "D", Key{IIN: "E", BIN: bin}, ContactKnown},
		"the employee's phone":   {Account{}, HeadAnswer{Verdict: trust.Good, IIN: "D"}, "E", Key{IIN: "E", BIN: bin}, ContactNone},
		"no head":                {Account{}, HeadAnswer{Verdict: trust.Bad}, "E", Key{IIN: "E", BIN: bin}, ContactNone},
		"an unknown head":        {Account{}, HeadAnswer{}, "E", Key{IIN: "E", BIN: bin}, ContactUnknown},
	} {
		w := newTown(t)
		w.m.d.accounts["E"] = c.account
		w.heads[bin] = c.head
		if c.phone != "" {
			w.phones[ident.IIN(c.phone)] = "+77010000117"
		}
		if got, err := w.o.ContactOf(t.Context(), c.key); err != nil || got != c.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// Keys installed at a desk for a re-issue are followed by N-22 as those installed at home.
func TestDeskInstallRemindsOfTheOldKey(t *testing.T) {
	w := newTown(t)
	a := *paperCase()
	a.Kind, a.State, a.Replaces, a.Certificates = Reissue, Issued, "old", []Certificate{{Serial: "new"}}
	w.m.d.apps[a.Number] = a
	_, err := w.o.InstalledAtDesk(t.Context(), firstOp, a.Number, []string{"another"})
	want(t, "another key", err, "CERT_KEY_MISMATCH")
	if !slices.Contains(w.actions(), "application.install.failed") {
		t.Error("a failed installation left no record")
	}
	_, err = w.o.InstalledAtDesk(t.Context(), firstOp, a.Number, []string{"new"})
	w.ok(err)
	if !slices.ContainsFunc(w.m.d.jobs, func(j job.Job) bool { r, ok := j.Payload.(Reminder); return ok && r.N == "N-22" }) {
		t.Errorf("jobs %+v", w.m.d.jobs)
	}
}

// An approval is a record of its own, once, and a hold its owner sets too.
func TestApprovalAndHoldAreRecorded(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	w.signed(p)
	w.now = w.now.Add(25 * time.Hour)
	w.ok(w.o.Sweep(t.Context())) // asks for the job again: no second approval
	_, err := w.o.Revoke(t.Context(), p.Certificate, Revocation{Serial: p.Certificate.SerialHex(), Reason: "certificateHold"})
	w.ok(err)
	for _, action := range []string{"application.approved", "hold.set"} {
		n := 0
		for _, a := range w.actions() {
			if a == action {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %d records", action, n)
		}
	}
}
