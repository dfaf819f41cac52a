package ra

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/trust"
)

// sent are the messages of a number, with what belongs to it.
func (w *town) sent(n string) (all []notice.Message) {
	for _, l := range w.m.d.letters {
		if number, _, _ := strings.Cut(l.N, "."); number == n {
			all = append(all, l)
		}
	}
	return all
}

// N-12 goes as a short message too, where the mobile base names a phone; a silent base stops nothing.
func TestInstalledKeysAreToldBySMS(t *testing.T) {
	for name, c := range map[string]struct {
		phone  ident.Phone
		silent bool
		want   int
	}{"a phone": {"+77010000013", false, 2}, "none": {"", false, 1}, "a silent base": {"+77010000013", true, 1}} {
		w := newTown(t)
		p := w.add(w.ca.Individual())
		iin := p.Certificate.Holder().IIN
		w.confirmed(iin)
		if c.phone != "" {
			w.phones[ident.IIN(iin)] = c.phone
		}
		a := w.signed(p)
		w.ok(w.o.Issue(t.Context(), task(a)))
		if c.silent {
			w.o.c.People = asked{w}
		}
		_, err := w.o.Installed(t.Context(), iin, a.Number, []string{w.m.d.apps[a.Number].Certificates[0].Serial})
		w.ok(err)
		got := w.sent("N-12")
		if len(got) != c.want {
			t.Errorf("%s: %d messages", name, len(got))
			continue
		}
		for _, m := range got[1:] {
			text, err := notice.RenderShort(m, "Senim", lang.RU)
			if err != nil || m.Channel != notice.SMS || m.To != string(c.phone) || !strings.Contains(text, "01.09.2027") {
				t.Errorf("%s: %+v, %q, %v", name, m, text, err)
			}
		}
	}
}

// Codes and links say until when they are worth sending.
func TestCodesAndLinksExpire(t *testing.T) {
	w := guarded(t, FactorSMS)
	w.phones["1"] = "+77010000013"
	_, err := w.o.StartFactor(t.Context(), "1", about, FactorSMS)
	w.ok(err)
	_, err = w.o.Register(t.Context(), "1", "p@example.kz", "Алматы", "ru")
	w.ok(err)
	if code, link := w.sent("N-21"), w.sent("N-16"); !code[0].Expires.Equal(t0.Add(FactorTTL)) || !link[0].Expires.Equal(t0.Add(LinkTTL)) {
		t.Errorf("the code dies %v, the link %v", code[0].Expires, link[0].Expires)
	}
}

// Lists are reminders: none for who wants none, or to an address that is bad.
func TestNT22ListsStopToo(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Account)
		want   int
	}{
		"as usual":     {func(*Account) {}, 1},
		"unsubscribed": {func(a *Account) { a.NoReminders = true }, 0},
		"bad address":  {func(a *Account) { a.Bad = true }, 0},
	} {
		w := newTown(t)
		const bin, head = "123456789021", "123456789011"
		w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: head}
		w.confirmed(head)
		account := w.m.d.accounts[head]
		c.change(&account)
		w.m.d.accounts[head] = account
		w.o.c.Companies = func(_ context.Context, _, _ time.Time, after string, _ int) ([]string, error) {
			return slices.DeleteFunc([]string{bin}, func(b string) bool { return b <= after }), nil
		}
		w.now = time.Date(2026, 9, 7, 11, 0, 0, 0, lang.Astana)
		w.staff(bin, 3, w.now.AddDate(0, 0, 20))
		w.ok(w.o.SetDigest(t.Context(), head, true))
		w.ok(w.m.LookAfter(t.Context(), head, []Holder{{IIN: "000000000001", BIN: bin}}, w.now))
		w.ok(w.o.SendLists(t.Context()))
		if weekly, daily := len(w.sent("N-25")), len(w.sent("N-29")); weekly != c.want || daily != c.want {
			t.Errorf("%s: %d weekly and %d daily lists", name, weekly, daily)
		}
	}
}

// N-10 is over once the application waits no more, or another revision does.
func TestAskingToConfirmIsCheckedBeforeSending(t *testing.T) {
	w := newTown(t)
	a := Application{Number: "260901000017", Revision: 2, State: AwaitingDirector}
	still := func(about string) string {
		t.Helper()
		why, err := w.o.Still(t.Context(), about)
		w.ok(err)
		return why
	}
	w.confirmed("1")
	w.ok(w.m.Update(t.Context(), func(tx Tx) error {
		account, err := tx.Account(t.Context(), "1")
		if err != nil {
			return err
		}
		w.ok(tx.Put(t.Context(), a))
		return w.o.write(t.Context(), tx, &a, "N-10", account, lang.RU, nil)
	}))
	asked := w.sent("N-10")[0].About
	if why := still(asked); why != "" {
		t.Errorf("it waits, and the letter is stopped: %s", why)
	}
	for _, change := range []func(*Application){
		func(a *Application) { a.Revision = 3 }, func(a *Application) { a.State = Approved }, func(a *Application) { a.State = Withdrawn },
	} {
		b := a
		change(&b)
		w.m.d.apps[a.Number] = b
		if still(asked) != "done" {
			t.Errorf("revision %d is %s, and the letter goes", b.Revision, b.State)
		}
	}
	if delete(w.m.d.apps, a.Number); still(asked) != "gone" {
		t.Error("no application, and the letter goes")
	}
}
