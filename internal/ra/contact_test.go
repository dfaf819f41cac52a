package ra

import (
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/notice"
	"senim/internal/trust"
)

// token is the secret of the newest link.
func (w *town) token() string {
	w.t.Helper()
	link := ""
	for _, l := range w.m.d.letters {
		if l.N == "N-16" {
			link = l.Vars["link"]
		}
	}
	if link == "" {
		w.t.Fatal("no link was sent")
	}
	return link[strings.LastIndex(link, "/")+1:]
}

// TestC38EmailLink: good once and for a day, for the address it was sent to; looking confirms nothing (NT-23).
func TestC38EmailLink(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	register := func(email string) string {
		t.Helper()
		_, err := w.o.Register(ctx, "1", email, "Алматы", "ru")
		w.ok(err)
		return w.token()
	}
	token := register("first@example.kz")
	if len(token) != 43 || w.letters() != "N-16" {
		t.Fatalf("token of %d, letters %s", len(token), w.letters())
	}
	for range 3 { // a scanner follows the link
		_, err := w.o.Link(ctx, token)
		w.ok(err)
	}
	account := func() Account { a, err := w.o.Account(ctx, "1"); w.ok(err); return a }
	if account().Confirmed() != "" {
		t.Error("looking at the link confirmed the address")
	}
	w.now = w.now.Add(25 * time.Hour)
	refused(t, "after 25 h", w.o.ConfirmEmail(ctx, token), "LINK_STALE")
	if a := account(); a.Confirmed() != "" || a.Address(notice.Reminder) != "" {
		t.Error("a late link confirmed the address")
	}
	w.ok(w.o.SendLink(ctx, "1"))
	token = w.token()
	w.ok(w.o.ConfirmEmail(ctx, token))
	if account().Confirmed() != "first@example.kz" {
		t.Error("the address is not confirmed")
	}
	refused(t, "used", w.o.ConfirmEmail(ctx, token), "LINK_STALE")

	old := register("second@example.kz")
	register("third@example.kz")
	refused(t, "link for another address", w.o.ConfirmEmail(ctx, old), "LINK_STALE")
}

// TestAddressStaysUntilTheNextIsConfirmed: the old one is told, and gets letters; the new one gets
// nothing but its link.
func TestAddressStaysUntilTheNextIsConfirmed(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	w.m.d.accounts["1"] = Account{IIN: "1", Email: "old@example.kz", ConfirmedAt: t0.Add(-time.Hour), Bad: true}
	change := func(email string) Account {
		t.Helper()
		a, err := w.o.Register(ctx, "1", email, "", "ru")
		w.ok(err)
		return a
	}
	a := change("new@example.kz")
	if a.Confirmed() != "old@example.kz" || a.Awaits() != "new@example.kz" || w.letters() != "N-17 N-16" {
		t.Fatalf("%+v, letters %s", a, w.letters())
	}
	if told, link := w.m.d.letters[0], w.m.d.letters[1]; told.To != "old@example.kz" || told.Vars["masked"] != "n***@example.kz" || link.To != "new@example.kz" {
		t.Errorf("%+v %+v", told, link)
	}
	if a = change("new@example.kz"); w.letters() != "N-17 N-16" || a.Awaits() != "new@example.kz" {
		t.Errorf("typed again: letters %s", w.letters())
	}
	if a = change("old@example.kz"); a.Next != "" {
		t.Error("going back does not cancel the change")
	}
	refused(t, "a cancelled change", w.o.ConfirmEmail(ctx, w.token()), "LINK_STALE")
	change("new@example.kz")
	w.ok(w.o.ConfirmEmail(ctx, w.token()))
	a, err := w.o.Account(ctx, "1")
	w.ok(err)
	if a.Confirmed() != "new@example.kz" || a.Awaits() != "" || a.Bad || !a.ConfirmedAt.Equal(t0) {
		t.Errorf("after the link %+v", a)
	}
	a = change("")
	last := w.m.d.letters[len(w.m.d.letters)-1]
	if a.Email != "" || last.N != "N-17" || last.To != "new@example.kz" || last.Vars["masked"] != "@profile.email.removed" {
		t.Errorf("removed: %+v, %+v", a, last)
	}
}

func TestLinksAreLimited(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	refused(t, "no account", w.o.SendLink(ctx, "1"), "NOTHING_TO_CONFIRM")
	_, err := w.o.Register(ctx, "1", "a@example.kz", "", "ru")
	w.ok(err)
	refused(t, "at once", w.o.SendLink(ctx, "1"), "LINK_SOON", "n", "60")
	for range 4 {
		w.now = w.now.Add(time.Minute)
		w.ok(w.o.SendLink(ctx, "1"))
	}
	w.now = w.now.Add(time.Minute)
	until := t0.Add(24 * time.Hour).Format(time.RFC3339)
	refused(t, "a sixth", w.o.SendLink(ctx, "1"), "LINK_LIMIT", "until", until)
	_, err = w.o.Register(ctx, "1", "b@example.kz", "", "ru")
	refused(t, "to another address", err, "LINK_LIMIT", "until", until)
	w.ok(w.o.ConfirmEmail(ctx, w.token()))
	refused(t, "confirmed", w.o.SendLink(ctx, "1"), "NOTHING_TO_CONFIRM")
}

// TestBadAddress: no business letters and reminders there, a banner, and the link clears it (I5).
func TestBadAddress(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	for _, iin := range []string{"1", "2"} {
		w.m.d.accounts[iin] = Account{IIN: iin, Email: "p@example.kz", ConfirmedAt: t0.Add(-time.Hour)}
	}
	reach := func() Reach { r, _, err := w.o.Reach(ctx, "1"); w.ok(err); return r }
	if reach() != Reachable {
		t.Error("not reachable by a confirmed address")
	}
	w.ok(w.o.AddressBad(ctx, "unknown@example.kz", true))
	w.ok(w.o.AddressBad(ctx, "p@example.kz", true))
	w.ok(w.o.AddressBad(ctx, "p@example.kz", true))
	a, err := w.o.Account(ctx, "2")
	w.ok(err)
	for class, want := range map[notice.Class]string{notice.Reminder: "", notice.Business: "", notice.Security: "p@example.kz", notice.Transaction: "p@example.kz"} {
		if got := a.Address(class); got != want {
			t.Errorf("class %s goes to %q", class, got)
		}
	}
	if reach() != Bouncing || len(w.m.d.events) != 2 || w.m.d.events[0].Action != "address.bad" {
		t.Errorf("reach %d, recorded %+v", reach(), w.m.d.events)
	}
	w.ok(w.o.SendLink(ctx, "1"))
	w.ok(w.o.ConfirmEmail(ctx, w.token()))
	if a, _ := w.o.Account(ctx, "1"); reach() != Reachable || !a.ConfirmedAt.Equal(t0.Add(-time.Hour)) {
		t.Error("the link did not clear it, or made the address young")
	}
	w.ok(w.o.AddressBad(ctx, "p@example.kz", false))
	if a, _ := w.o.Account(ctx, "2"); a.Bad {
		t.Error("not cleared")
	}
}

// TestReach: D1; a base that does not answer is not "no phone".
func TestReach(t *testing.T) {
	w := newTown(t)
	reach := func() Reach { r, _, err := w.o.Reach(t.Context(), "1"); w.ok(err); return r }
	if reach() != Reachable {
		t.Error("a person on his first visit is warned")
	}
	w.m.d.accounts["1"] = Account{IIN: "1", Email: "p@example.kz"}
	if reach() != Unreachable {
		t.Error("an address that is not confirmed and no phone count as a way")
	}
	w.o.c.People = asked{w}
	if reach() != Reachable {
		t.Error("a silent base was taken for no phone")
	}
	w.o.c.People = w
	w.phones[ident.IIN("1")] = "+77010000013"
	if reach() != Reachable || w.o.Phone(t.Context(), "1", "1").Verdict != trust.Good {
		t.Error("the phone does not count")
	}
}

func TestReminders(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	refused(t, "no account", w.o.Unsubscribe(ctx, "1"), "NO_ACCOUNT")
	w.m.d.accounts["1"] = Account{IIN: "1"}
	w.ok(w.o.Unsubscribe(ctx, "1"))
	w.ok(w.o.Unsubscribe(ctx, "1"))
	if a, _ := w.o.Account(ctx, "1"); !a.NoReminders {
		t.Error("still subscribed")
	}
	w.ok(w.o.Resubscribe(ctx, "1"))
	if a, _ := w.o.Account(ctx, "1"); a.NoReminders || len(w.m.d.events) != 2 {
		t.Errorf("%+v, %d events", a, len(w.m.d.events))
	}
	// N-22, N-25 and N-29 end by the address of their reader; he is heard by the outbox when he changes his mind,
	// in the transaction that takes his word, and when he confirms the address (I5).
	w.m.d.accounts["1"] = Account{IIN: "1", Email: "p@example.kz", ConfirmedAt: t0, NoReminders: false}
	w.m.d.accounts["2"] = Account{IIN: "2", Email: "p@example.kz"} // has not confirmed it
	for to, want := range map[string]bool{"": false, "nobody@example.kz": false, "p@example.kz": true} {
		known, err := w.o.UnsubscribeAddress(ctx, to)
		w.ok(err)
		if known != want {
			t.Errorf("%q is known: %t", to, known)
		}
	}
	if a, b := w.m.d.accounts["1"], w.m.d.accounts["2"]; !a.NoReminders || b.NoReminders {
		t.Errorf("%+v %+v", a, b)
	}
	w.ok(w.o.Resubscribe(ctx, "1"))
	w.ok(w.o.Resubscribe(ctx, "1")) // on already: the address may be shut all the same
	w.ok(w.o.SendLink(ctx, "2"))
	w.ok(w.o.ConfirmEmail(ctx, w.token()))
	owner := notice.Owner{Who: w.m.Hash("p@example.kz"), At: w.now}
	want := []job.Job{{Kind: notice.OwnerKind, Payload: owner}, {Kind: notice.OwnerKind, Payload: owner}}
	owner.Confirmed = true
	if want = append(want, job.Job{Kind: notice.OwnerKind, Payload: owner}); !slices.Equal(w.m.d.jobs, want) {
		t.Errorf("jobs %+v", w.m.d.jobs)
	}
}
