package notice_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/notice"
)

// NT-19: at the installation's bound reminders wait until tomorrow morning, a link to a new password
// does not; the operator is told at four fifths.
func TestNT19TheDayIsFull(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.with(func(c *notice.SenderConfig) { c.Caps = map[notice.Channel]int{notice.Email: 5, notice.SMS: 1} })
		for i := range 5 {
			h.want("today", h.do(h.notify("N-01", notice.Email, fmt.Sprintf("%d@example.kz", i), "28d")), notice.Sent, "")
			if g := h.report().Day[0]; g.Sent != i+1 || g.Cap != 5 || g.Near() != (i >= 3) {
				t.Errorf("after %d: %+v", i+1, g)
			}
			if told := strings.Count(h.log.String(), "four fifths"); told != map[bool]int{true: 1, false: 0}[i >= 3] {
				t.Errorf("told %d times after %d", told, i+1)
			}
		}
		waits := h.notify("N-01", notice.Email, "late@example.kz", "28d")
		for range 2 {
			o := h.do(waits)
			h.want("the sixth", o, notice.Waiting, "capped")
			if tomorrow := time.Date(2026, 3, 3, 10, 0, 0, 0, lang.Astana); !o.Due.Equal(tomorrow) {
				t.Errorf("it waits until %s", o.Due)
			}
		}
		h.want("a link", h.do(h.notify("N-18", notice.Email, "0@example.kz", "1")), notice.Sent, "")
		h.want("business", h.do(h.notify("N-09", notice.Email, "0@example.kz", "1")), notice.Sent, "")
		h.want("a phone", h.do(h.notify("N-02", notice.SMS, "+77011234567", "1")), notice.Sent, "")
		h.want("another phone", h.do(h.notify("N-02", notice.SMS, "+77011234568", "1")), notice.Waiting, "capped")
		if got := h.recorded("notice.capped"); !slices.Equal(got, []string{"notice.capped(80%)", "notice.capped(capped)", "notice.capped(80%)", "notice.capped(capped)"}) {
			t.Errorf("recorded %q", got)
		}
		h.now = time.Date(2026, 3, 3, 10, 0, 0, 0, lang.Astana)
		h.want("tomorrow", h.do(waits), notice.Sent, "")
		h.with(func(c *notice.SenderConfig) { // another hour of reminders
			c.At, c.Caps = 16*time.Hour+30*time.Minute, map[notice.Channel]int{notice.Email: 1}
		})
		o := h.do(h.notify("N-01", notice.Email, "later@example.kz", "28d"))
		h.want("at the bound again", o, notice.Waiting, "capped")
		if tomorrow := time.Date(2026, 3, 4, 16, 30, 0, 0, lang.Astana); !o.Due.Equal(tomorrow) {
			t.Errorf("it waits until %s", o.Due)
		}
	})
}

// One address gets five reminders and business letters a day, and a phone as many; a code always.
func TestAnAddressHasItsShareOfTheDay(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		for channel, to := range map[notice.Channel]string{notice.Email: "a@example.kz", notice.SMS: "+77011234567"} {
			for i := range 5 {
				h.want("its share", h.do(h.notify(map[notice.Channel]string{notice.Email: "N-09", notice.SMS: "N-04"}[channel], channel, to, fmt.Sprint(i))), notice.Sent, "")
			}
			o := h.do(h.notify(map[notice.Channel]string{notice.Email: "N-01", notice.SMS: "N-02"}[channel], channel, to, "6"))
			h.want("the sixth", o, notice.Waiting, "capped")
			if !o.Due.Equal(noon.Add(24*time.Hour)) || o.Attempts != 0 {
				t.Errorf("it waits until %s after %d attempts", o.Due, o.Attempts)
			}
			h.want("a code", h.do(h.notify("N-21", channel, to, "7")), notice.Sent, "")
			h.want("security", h.do(h.notify("N-14", channel, to, "8")), notice.Sent, "")
		}
	})
}

// NT-22: who wants no reminders gets none by mail; security letters and short messages go on.
func TestNT22NoRemindersAnyMore(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		const to = "enough@example.kz"
		h.do(h.notify("N-01", notice.Email, to, "28d"))
		for range 2 {
			if err := h.sender.Unsubscribe(t.Context(), h.out.letters[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		h.want("N-01", h.do(h.notify("N-01", notice.Email, to, "14d")), notice.Stopped, "unsubscribed")
		h.want("N-14", h.do(h.notify("N-14", notice.Email, to, "1")), notice.Sent, "")
		h.want("N-09", h.do(h.notify("N-09", notice.Email, to, "1")), notice.Sent, "")
		h.want("N-02", h.do(h.notify("N-02", notice.SMS, "+77011234567", "10d")), notice.Sent, "")
		if err := h.sender.Returned(t.Context(), notice.Returned{ID: h.out.letters[0].ID, Fate: notice.Complaint}); err != nil {
			t.Error(err)
		}
		if got := h.recorded("unsubscribed"); !slices.Equal(got, []string{"unsubscribed(link)"}) {
			t.Errorf("recorded %q", got)
		}
		h.do(h.notify("N-01", notice.Email, "angry@example.kz", "28d"))
		if err := h.sender.Returned(t.Context(), notice.Returned{ID: h.out.letters[len(h.out.letters)-1].ID, Fate: notice.Complaint}); err != nil {
			t.Error(err)
		}
		h.want("after a complaint", h.do(h.notify("N-01", notice.Email, "angry@example.kz", "14d")), notice.Stopped, "unsubscribed")
	})
}

// accounts is a cabinet in which the owner of one key set has an account.
type accounts struct{ asked, bad []string }

func (a *accounts) AddressBad(_ context.Context, email string, bad bool) error {
	a.bad = append(a.bad, fmt.Sprint(email, bad))
	return nil
}

func (a *accounts) Unsubscribe(_ context.Context, about, to string) (bool, error) {
	a.asked = append(a.asked, about)
	return about == "keyset:1" || to == "head@example.kz", nil
}

// confirmed is what the cabinet asks for when an address is confirmed.
func (h *house) confirmed(to string) error {
	return h.sender.HearOwner(h.t.Context(), h.owner(to, true))
}

func (h *house) owner(to string, confirmed bool) (o notice.Owner) {
	h.t.Helper()
	err := h.store.Notice().View(h.t.Context(), func(tx notice.Tx) error {
		o = notice.Owner{Who: tx.Hash(to), At: h.now, Confirmed: confirmed}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

// Who ends reminders by the link of a letter about no key set, or an address nobody has an account with, is reminded again once he
// says so: nothing is shut for ever.
func TestNT22UnsubscribedFromAList(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.with(func(c *notice.SenderConfig) { c.Accounts = &accounts{} })
		const head, stranger = "head@example.kz", "stranger@example.kz"
		for i, to := range []string{head, stranger} {
			h.want("a letter about no key set", h.do(h.notify("N-22", notice.Email, to, "1")), notice.Sent, "")
			if err := h.sender.Unsubscribe(t.Context(), h.out.letters[i].ID); err != nil {
				t.Fatal(err)
			}
		}
		h.want("stopped at the account, not at the address", h.do(h.notify("N-01", notice.Email, head, "28d")), notice.Sent, "")
		for i, confirmed := range []bool{false, true} {
			h.want("shut", h.do(h.notify("N-01", notice.Email, stranger, fmt.Sprint("a", i))), notice.Stopped, "unsubscribed")
			h.now = h.now.AddDate(0, 0, 1)
			for range 2 {
				if err := h.sender.HearOwner(t.Context(), h.owner(stranger, confirmed)); err != nil {
					t.Fatal(err)
				}
			}
			sent := h.do(h.notify("N-03", notice.Email, stranger, fmt.Sprint("b", i)))
			h.want("opened", sent, notice.Sent, "")
			late := h.owner(stranger, confirmed)
			h.now = h.now.AddDate(0, 0, 1)
			if err := h.sender.Unsubscribe(t.Context(), h.out.letters[len(h.out.letters)-1].ID); err != nil {
				t.Fatal(err)
			}
			if err := h.sender.HearOwner(t.Context(), late); err != nil {
				t.Fatal(err)
			}
		}
		h.want("a word of before opens nothing", h.do(h.notify("N-01", notice.Email, stranger, "z")), notice.Stopped, "unsubscribed")
	})
}

// Where the reader has an account it is the account that is told, and the address goes on: there he may
// change his mind.
func TestUnsubscribingIsTheAccountsWhereThereIsOne(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		a := &accounts{}
		h.with(func(c *notice.SenderConfig) { c.Accounts = a })
		for i, about := range []string{"keyset:1", "keyset:2"} {
			to := fmt.Sprintf("%d@example.kz", i)
			m := notice.Message{N: "N-01", To: to, Lang: lang.RU, Key: notice.Key("N-01", about, "28d", to), Vars: everyVar(), About: about}
			h.do(h.put(m))
			if err := h.sender.Unsubscribe(t.Context(), h.out.letters[i].ID); err != nil {
				t.Fatal(err)
			}
			m.Key = notice.Key("N-01", about, "14d", to)
			if o := h.do(h.put(m)); (o.State == notice.Sent) != (i == 0) {
				t.Errorf("%s: %s %s", about, o.State, o.Why)
			}
			if i == 0 {
				h.out.letters = h.out.letters[:1]
			}
		}
		if !slices.Equal(a.asked, []string{"keyset:1", "keyset:2"}) {
			t.Errorf("asked %q", a.asked)
		}
	})
}

// NT-28: of a thousand letters one makes the way out panic: the others go, and none goes again.
func TestNT28OneBadAddressStopsNobody(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.out.letter = func(l notice.Letter) error {
			if strings.HasPrefix(l.To, "17@") {
				panic("what is " + l.To)
			}
			return nil
		}
		h.update(func(tx notice.Tx) error {
			for i := range 1000 {
				to := fmt.Sprintf("%d@example.kz", i)
				if err := tx.Notify(t.Context(), notice.Message{N: "N-14", To: to, Lang: lang.RU, Key: notice.Key("N-14", "", "", to), Vars: everyVar()}); err != nil {
					return err
				}
			}
			return nil
		})
		for range 2 {
			var wg sync.WaitGroup
			for part := range int64(4) {
				wg.Go(func() {
					for id := part + 1; id <= 1000; id += 4 {
						if err := h.sender.Do(t.Context(), fmt.Appendf(nil, `{"id":%d}`, id)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
		}
		if r := h.report(); r.Ended[notice.Sent] != 999 || r.Ended[notice.Failed] != 1 || r.Why["panic"] != 1 || len(h.out.letters) != 1000 {
			t.Errorf("%+v after %d hand-overs", r, len(h.out.letters))
		}
		if strings.Contains(h.log.String(), "example.kz") {
			t.Error("the log has the address of the panic")
		}
		if said := h.log.String(); strings.Count(said, "panic") == 0 || !strings.Contains(said, "bounds_test.go") || !strings.Contains(said, "string") {
			t.Errorf("the log does not say where it was, nor of what kind:\n%s", said)
		}
		h.out.text = func(notice.Short) ([]string, notice.Outcome) { panic("half way") }
		h.last = 1000
		h.want("a short message", h.do(h.notify("N-14", notice.SMS, "+77011234567", "1")), notice.Uncertain, "panic")
	})
}

// NT-29: what falls into the night waits until nine; a code goes.
func TestNT29TheNightIsQuiet(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.now = time.Date(2026, 3, 2, 3, 0, 0, 0, lang.Astana)
		id := h.notify("N-02", notice.SMS, "+77011234567", "10d")
		o := h.do(id)
		h.want("at three", o, notice.Waiting, "hours")
		if nine := time.Date(2026, 3, 2, 9, 0, 0, 0, lang.Astana); !o.Due.Equal(nine) {
			t.Errorf("waits until %s", o.Due)
		}
		h.want("a code", h.do(h.notify("N-21", notice.SMS, "+77011234567", "1")), notice.Sent, "")
		h.want("a letter", h.do(h.notify("N-14", notice.Email, "a@example.kz", "1")), notice.Sent, "")
		h.now = o.Due
		h.want("at nine", h.do(id), notice.Sent, "")
		if len(h.out.texts) != 2 {
			t.Errorf("%d texts", len(h.out.texts))
		}
	})
}

// I3: a code is tried while it lives and not longer; a centre that has no room is asked when it says.
func TestRetriesEndWithTheCode(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		h.out.text = func(notice.Short) ([]string, notice.Outcome) {
			return nil, notice.Outcome{State: notice.Throttled, After: 2 * time.Minute}
		}
		m := notice.Message{N: "N-21", Channel: notice.SMS, To: "+77011234567", Key: notice.Key("N-21", "1", "", ""), Vars: everyVar(), Expires: h.now.Add(5 * time.Minute)}
		id := h.put(m)
		o := h.do(id)
		h.want("throttled", o, notice.Waiting, "unreachable")
		if !o.Due.Equal(h.now.Add(2*time.Minute)) || o.Attempts != 1 {
			t.Errorf("again at %s, %d attempts", o.Due, o.Attempts)
		}
		h.want("it would be dead then", h.do(id), notice.Failed, "unreachable")
		m.Key = notice.Key("N-21", "2", "", "")
		late := h.put(m)
		h.now = h.now.Add(5 * time.Minute)
		h.want("too late", h.do(late), notice.Stopped, "expired")
		if len(h.out.texts) != 2 || h.out.texts[0].Text != "Senim: action үшін код 123456. Ешкімге айтпаңыз." {
			t.Errorf("%+v", h.out.texts)
		}
	})
}

// Codes and links go before security letters, those before business, reminders last, when there is more
// than can be sent at once.
func TestClassesHaveAnOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		for i := range 60 {
			for _, n := range []string{"N-01", "N-09", "N-14", "N-18"} {
				if i < 30 || n == "N-01" {
					h.notify(n, notice.Email, fmt.Sprintf("%s%d@example.kz", n, i), "1")
				}
			}
		}
		h.store.Handle(notice.Kind, h.sender.Do)
		if err := h.store.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		deadline := time.NewTimer(time.Minute)
		defer deadline.Stop()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for done := false; !done; {
			select {
			case <-tick.C:
				h.out.mu.Lock()
				done = len(h.out.letters) == 150
				h.out.mu.Unlock()
			case <-deadline.C:
				t.Fatal("not all were sent")
			}
		}
		place := map[notice.Class]int{}
		for i, l := range h.out.letters {
			place[l.Class] += i
		}
		t.Log(place)
		middle := func(c notice.Class, of int) int { return place[c] / of }
		if tr, se, bu, re := middle(notice.Transaction, 30), middle(notice.Security, 30), middle(notice.Business, 30), middle(notice.Reminder, 60); tr >= se || se >= bu || bu >= re || tr > 25 || re < 100 {
			t.Errorf("the middle places of T, S, B, R: %d %d %d %d", tr, se, bu, re)
		}
	})
}

// The cabinet learns of an address that went bad, by a job of the same transaction, and not of one that
// was confirmed meanwhile.
func TestTheCabinetLearnsOfABadAddress(t *testing.T) {
	everywhere(t, func(t *testing.T, h *house) {
		a := &accounts{}
		h.with(func(c *notice.SenderConfig) { c.Accounts = a })
		id := h.notify("N-14", notice.Email, "gone@example.kz", "1")
		h.do(id)
		if err := h.sender.Returned(t.Context(), notice.Returned{ID: h.out.letters[0].ID, Fate: notice.Hard, Status: "5.1.1"}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := h.sender.TellBad(t.Context(), notice.Job{ID: id}); err != nil {
				t.Fatal(err)
			}
			if err := h.confirmed("gone@example.kz"); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(a.bad, []string{"gone@example.kztrue"}) {
			t.Errorf("told %q", a.bad)
		}
		if o := h.read(id); o.Vars != nil {
			t.Errorf("values are kept: %+v", o)
		}
		h.now = h.now.AddDate(0, 0, 15)
		if err := h.sender.Sweep(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if o := h.read(id); o.To != "" {
			t.Errorf("after 15 days the address is kept: %+v", o)
		}
	})
}
