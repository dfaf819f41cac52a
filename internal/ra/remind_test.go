package ra

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/pkitest"
	"senim/internal/trust"
	"senim/pki"
)

// live lets days pass, does the reminders that come due, each twice, and tells on which days which letters came.
func (w *town) live(n string, days int) (came []string) {
	w.t.Helper()
	done := 0
	for end := w.now.AddDate(0, 0, days); w.now.Before(end); w.now = w.now.Add(time.Hour) {
		for i := 0; i < len(w.m.d.jobs); i++ {
			j := w.m.d.jobs[i]
			r, ok := j.Payload.(Reminder)
			if !ok || j.At.After(w.now) || i < done {
				continue
			}
			had := len(w.m.d.letters)
			w.ok(w.o.Remind(w.t.Context(), r))
			w.ok(w.o.Remind(w.t.Context(), r))
			for _, l := range w.m.d.letters[had:] {
				if l.N == n {
					came = append(came, w.now.In(lang.Astana).Format("02.01 15h"))
				}
			}
			w.m.d.jobs = slices.Delete(slices.Clone(w.m.d.jobs), i, i+1)
			i--
		}
	}
	return came
}

// day is so many days after the first, at ten in Astana.
func (w *town) day(from time.Time, n int) string {
	y, m, d := from.In(lang.Astana).Date()
	return time.Date(y, m, d+n, 10, 0, 0, 0, lang.Astana).Format("02.01 15h")
}

// N-13: keys that lie there uninstalled are reminded of after 1, 3 and 7 days, and then no more.
func TestNotInstalledIsRemindedOf(t *testing.T) {
	w := newTown(t)
	leaf := w.add(w.ca.Individual())
	w.confirmed(leaf.Certificate.Holder().IIN)
	a := w.signed(leaf)
	w.ok(w.o.Issue(t.Context(), task(a)))
	begin := w.now
	w.now = begin.Truncate(time.Hour)
	if got, want := w.live("N-13", 40), []string{w.day(begin, 1), w.day(begin, 3), w.day(begin, 7)}; !slices.Equal(got, want) {
		t.Errorf("came %q, want %q", got, want)
	}
	letter := w.m.d.letters[len(w.m.d.letters)-1]
	if why, err := w.o.Still(t.Context(), letter.About); why != "" || err != nil {
		t.Errorf("still: %q %v", why, err)
	}
	_, err := w.o.Installed(t.Context(), a.Subject.IIN, a.Number, []string{"serial of " + FormatNumber(a.Number) + "-r1-k0"})
	w.ok(err)
	if why, err := w.o.Still(t.Context(), letter.About); why != "done" || err != nil {
		t.Errorf("after installing: %q %v", why, err)
	}
	if why, err := w.o.Still(t.Context(), "application:1"); why != "" || err != nil {
		t.Errorf("not ours: %q %v", why, err)
	}
}

// N-22: the old key that still works is reminded of 7 and 30 days after the new one was installed; revoked, no more.
func TestReplacedKeyIsRemindedOf(t *testing.T) {
	for name, revoke := range map[string]bool{"kept": false, "revoked": true} {
		w := newTown(t)
		leaf := w.add(w.ca.Individual())
		w.confirmed(leaf.Certificate.Holder().IIN)
		a := w.signed(leaf)
		w.ok(w.o.Issue(t.Context(), task(a)))
		_, err := w.o.Installed(t.Context(), a.Subject.IIN, a.Number, []string{"serial of " + FormatNumber(a.Number) + "-r1-k0"})
		w.ok(err)
		begin := w.now
		w.now = begin.Truncate(time.Hour)
		got := w.live("N-22", 10)
		if revoke {
			_, err := w.Revoke(t.Context(), leaf.Certificate.SerialHex(), "superseded", time.Time{}, "")
			w.ok(err)
		}
		got = append(got, w.live("N-22", 40)...)
		want := []string{w.day(begin, 7), w.day(begin, 30)}
		if revoke {
			want = want[:1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: came %q, want %q", name, got, want)
		}
	}
}

// N-22 urges nobody to revoke the last key that works: a new key revoked ends it, a new key on hold pauses it.
func TestLastWorkingKeyIsNotRemindedOf(t *testing.T) {
	for reason, lifted := range map[string]bool{"keyCompromise": false, "certificateHold": true} {
		w := newTown(t)
		leaf := w.add(w.ca.Individual())
		w.confirmed(leaf.Certificate.Holder().IIN)
		a := w.signed(leaf)
		w.ok(w.o.Issue(t.Context(), task(a)))
		fresh := "serial of " + FormatNumber(a.Number) + "-r1-k0"
		_, err := w.o.Installed(t.Context(), a.Subject.IIN, a.Number, []string{fresh})
		w.ok(err)
		begin := w.now
		w.now = begin.Truncate(time.Hour)
		_, err = w.Revoke(t.Context(), fresh, reason, time.Time{}, "")
		w.ok(err)
		if got := w.live("N-22", 10); len(got) != 0 {
			t.Errorf("%s: came %q", reason, got)
		}
		if why, err := w.o.Still(t.Context(), "N-22:"+FormatNumber(a.Number)); why == "" || err != nil {
			t.Errorf("%s, a letter just before sending: %q %v", reason, why, err)
		}
		var want []string
		if lifted {
			w.lift(fresh)
			want = []string{w.day(begin, 30)}
		}
		if got := w.live("N-22", 40); !slices.Equal(got, want) {
			t.Errorf("%s: later came %q, want %q", reason, got, want)
		}
	}
}

// A hold on day 7 only leaves that letter out: lifted, the one of day 30 comes.
func TestHoldPausesReminders(t *testing.T) {
	w := newTown(t)
	leaf := w.add(w.ca.Individual())
	serial := leaf.Certificate.SerialHex()
	w.confirmed(leaf.Certificate.Holder().IIN)
	a := w.signed(leaf)
	w.ok(w.o.Issue(t.Context(), task(a)))
	_, err := w.o.Installed(t.Context(), a.Subject.IIN, a.Number, []string{"serial of " + FormatNumber(a.Number) + "-r1-k0"})
	w.ok(err)
	begin := w.now
	w.now = begin.Truncate(time.Hour)
	_, err = w.Revoke(t.Context(), serial, "certificateHold", time.Time{}, "")
	w.ok(err)
	if got := w.live("N-22", 10); len(got) != 0 {
		t.Errorf("on hold came %q", got)
	}
	about := "N-22:" + FormatNumber(a.Number)
	if why, err := w.o.Still(t.Context(), about); why == "" || err != nil {
		t.Errorf("a letter just before sending: %q %v", why, err)
	}
	w.lift(serial)
	if got := w.live("N-22", 40); !slices.Equal(got, []string{w.day(begin, 30)}) {
		t.Errorf("lifted, came %q", got)
	}
}

// staff gives an organisation people with keys that end one after the other.
func (w *town) staff(bin string, n int, end time.Time) {
	leaf := w.ca.Issue(pkitest.Spec{Holder: pki.Holder{CommonName: "АХМЕТОВА ДИНАРА", Surname: "АХМЕТОВА", Given: "СЕРИКОВНА", IIN: "123456789013", BIN: bin,
		Organization: "АО «ТЕСТ»", Country: "KZ", Roles: []pki.Role{pki.RoleLegal, pki.RoleEmployee}}})
	for i := range n {
		serial := fmt.Sprintf("%s-%03d", bin, i)
		w.keys[serial] = Key{Serial: serial, Profile: RoleEmployee, IIN: fmt.Sprintf("%012d", i), BIN: bin, NotBefore: end.AddDate(-1, 0, 0),
			NotAfter: end.Add(time.Duration(i) * time.Minute), Raw: leaf.Certificate.Raw}
	}
}

func TestNT15ListIsCut(t *testing.T) {
	w := newTown(t)
	const bin, head = "123456789021", "123456789011"
	w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: head}
	w.confirmed(head)
	account := w.m.d.accounts[head]
	account.Lang = lang.RU
	w.m.d.accounts[head] = account
	w.o.c.Companies = func(_ context.Context, _, _ time.Time, after string, _ int) ([]string, error) {
		if after < bin {
			return []string{bin}, nil
		}
		return nil, nil
	}
	w.now = time.Date(2026, 9, 7, 9, 0, 0, 0, lang.Astana) // a Monday before ten belongs to the week before
	w.staff(bin, 250, w.now.AddDate(0, 0, 20))
	for ; w.now.Before(time.Date(2026, 9, 14, 9, 59, 0, 0, lang.Astana)); w.now = w.now.Add(3 * time.Hour) {
		w.ok(w.o.SendLists(t.Context()))
	}
	lists := w.m.d.letters
	if len(lists) != 2 { // one of the week that was ending, one of this
		t.Fatalf("%d letters", len(lists))
	}
	l := lists[1]
	rows := strings.Split(l.Vars["list"], "\n")
	if l.N != "N-25" || l.Vars["n"] != "250" || len(rows) != 250 || !slices.IsSorted(rows[:10]) {
		t.Errorf("%s of %s keys:\n%s", l.N, l.Vars["n"], l.Vars["list"])
	}
	if !strings.HasPrefix(rows[0], "27.09.2026 · АХМЕТОВА Д. С. · ") || strings.Contains(l.Vars["list"], "ДИНАРА") {
		t.Errorf("row %q", rows[0])
	}
	if letter, err := notice.Render(l, "Senim"); err != nil || !strings.Contains(letter.Text, "и ещё 240") || !strings.HasSuffix(l.Vars["link"], "/company") || l.Vars["org"] == "" || letter.Class != notice.Reminder {
		t.Errorf("%v\n%s", err, letter.Text)
	}
}

// Orders of other programs are named as they like: keys of two people are two rows, whatever their orders share.
func TestNT15OrdersOfOtherPrograms(t *testing.T) {
	w := newTown(t)
	const bin = "123456789021"
	w.staff(bin, 3, w.now.AddDate(0, 0, 20))
	for serial, k := range w.keys {
		k.Order = "hr/emp-kz-" + k.IIN[9:]
		w.keys[serial] = k
	}
	all, err := w.OfCompany(t.Context(), bin)
	w.ok(err)
	if sets := Together(all); len(sets) != 3 {
		t.Errorf("%d sets of three people", len(sets))
	}
	for serial, k := range w.keys {
		k.Order = "hr/emp-k1"
		w.keys[serial] = k
	}
	if all, err = w.OfCompany(t.Context(), bin); err != nil || len(Together(all)) != 3 {
		t.Errorf("%v: sets of one order of three people: %d", err, len(Together(all)))
	}
}

// N-29: who asked for it gets one letter a day about his own keys and those he looks after; nothing when none ends.
func TestDailyList(t *testing.T) {
	w := newTown(t)
	const bin, accountant = "123456789021", "009900000910"
	w.now = time.Date(2026, 9, 7, 9, 0, 0, 0, lang.Astana)
	w.confirmed(accountant)
	w.staff(bin, 3, w.now.AddDate(0, 0, 20))
	days := func() int {
		had := len(w.m.d.letters)
		for end := w.now.AddDate(0, 0, 3); w.now.Before(end); w.now = w.now.Add(2 * time.Hour) {
			w.ok(w.o.SendLists(t.Context()))
		}
		return len(w.m.d.letters) - had
	}
	if n := days(); n != 0 {
		t.Errorf("%d letters nobody asked for", n)
	}
	w.ok(w.o.SetDigest(t.Context(), accountant, true))
	if n := days(); n != 0 {
		t.Errorf("%d letters about nothing", n)
	}
	w.ok(w.m.LookAfter(t.Context(), accountant, []Holder{{IIN: "000000000001", BIN: bin}, {IIN: "000000000002", BIN: "another"}}, w.now))
	if n := days(); n != 3 {
		t.Errorf("%d letters in three days", n)
	}
	if l := w.m.d.letters[len(w.m.d.letters)-1]; l.N != "N-29" || l.Vars["n"] != "1" || !strings.Contains(l.Vars["list"], "АО «ТЕСТ»") {
		t.Errorf("%+v", l)
	}
	// A delegate of the organisation looks after all its keys.
	own := w.keys["123456789021-000"]
	own.Serial, own.IIN, own.Profile = "own", accountant, RoleSignRight+"-sign"
	w.keys["own"] = own
	own.Profile = RoleSignRight
	w.heads[bin] = HeadAnswer{Verdict: trust.Good, IIN: "head"}
	w.keys["own"] = own
	w.ok(w.m.PutDelegation(t.Context(), Delegation{ID: "d", BIN: bin, Head: "head", IIN: accountant, Powers: []string{PowerRevoke}, From: w.now, Until: w.now.AddDate(1, 0, 0)}))
	days()
	if l := w.m.d.letters[len(w.m.d.letters)-1]; l.Vars["n"] != "4" {
		t.Errorf("a delegate sees %s keys", l.Vars["n"])
	}
	// One that was replaced and has force still is no more to be renewed, but to be revoked: a sentence says so.
	old := own
	old.Serial, old.NotAfter = "old", own.NotAfter.AddDate(0, 0, -1)
	w.keys["old"] = old
	days()
	l := w.m.d.letters[len(w.m.d.letters)-1]
	l.Lang = lang.RU
	if read, err := notice.Render(l, "Senim"); err != nil || l.Vars["n"] != "4" || !strings.Contains(read.Text, "Заменены, но ещё действуют ключей: 1.") {
		t.Errorf("%+v %v", l, err)
	}
	w.ok(w.o.SetDigest(t.Context(), accountant, false))
	if n := days(); n != 0 {
		t.Errorf("%d letters after switching off", n)
	}
}
