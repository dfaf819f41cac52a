package e2e

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/ident"
	"senim/internal/participant"
	"senim/internal/robot"
	"senim/pki"
)

// TestHeadChanges walks what follows the change of a company's head, from the new head's letter on: the
// examples share a world, and each leaves X to its next head.
func TestHeadChanges(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	keyA, keyB := w.head(iinA, binX), w.head(iinB, binX)
	stand := func(t *testing.T, a, b participant.Status) {
		t.Helper()
		if w.statusOf(iinA, binX) != a || w.statusOf(iinB, binX) != b {
			t.Errorf("in X A is %q and B is %q, want %q and %q", w.statusOf(iinA, binX), w.statusOf(iinB, binX), a, b)
		}
	}
	w.heads(iinA, iinB)

	t.Run("P-06 revoked before the link", func(t *testing.T) {
		l := w.head(iinB, binX)
		v := w.visitor(t).register(l)
		w.set(func() { w.revoked[l.Certificate.SerialHex()] = true })
		v.finish(w.personal(iinB), passB).refused("CERT_REVOKED")
		stand(t, participant.Active, "")
		if w.sent("N-05")+w.sent("N-06") != 0 {
			t.Error("letters of completion went out")
		}
	})
	t.Run("P-20 a link of 73 hours", func(t *testing.T) {
		v := w.visitor(t).register(keyB)
		w.pass(73 * time.Hour)
		v.at(w.path("N-15")).refused("LINK_STALE").sees("Начать регистрацию")
		stand(t, participant.Active, "")
	})
	t.Run("P-01 P-02 P-21 P-34 the new head completes", func(t *testing.T) {
		w.heads(iinA, iinB)
		x, y := w.beside(t).enter(keyA, passA).stands("/me"), w.beside(t).enter(w.head(iinA, binY), passA).stands("/me")
		x.sees(nameX)
		w.visitor(t).register(keyB).sees("b***@example.kz", "юридического лица")
		link := w.path("N-15")
		for range 3 { // a mail scanner opens every link
			if _, err := robot.Get(t.Context(), w.origin+link); err != nil {
				t.Fatal(err)
			}
		}
		stand(t, participant.Active, "")

		// The database fails at the last moment: nothing of it stays, and the link is as good as before.
		v := w.visitor(t)
		w.set(func() { w.broken = true })
		v.at(link).sees("Войдите, чтобы завершить регистрацию")
		v.sign(keyB).stands("/login/password").sees("123 456 789 011")
		v.password(passB)
		stand(t, participant.Active, "")
		if w.sent("N-05")+w.sent("N-06")+w.recorded("head.changed") != 0 {
			t.Error("something of what failed was told or recorded")
		}
		w.set(func() { w.broken = false })
		v.finish(keyB, passB).stands("/me?done=1").sees("Регистрация завершена", nameX)
		stand(t, participant.HeadChangeBlocked, participant.Active)
		if m, n := w.letter("N-05"), w.letter("N-06"); m.To != "b@example.kz" || n.To != "a@example.kz" || w.recorded("head.changed") != 1 {
			t.Errorf("N-05 to %s, N-06 to %s, head.changed %d times", m.To, n.To, w.recorded("head.changed"))
		}
		x.at("/me").refused("SESSION_HEAD").sees("у предприятия сменился руководитель")
		if got := read(x.tab, "the status", chromedp.Evaluate[int](`performance.getEntriesByType("navigation")[0].responseStatus`)); got != 401 {
			t.Errorf("the closed session gets %d, want 401", got)
		}
		y.at("/me").stands("/me").sees(nameY, "Смена руководителя предприятия")
		w.visitor(t).enter(keyA, passA).sees("Смена руководителя предприятия")

		// P-20: the link is used up, and an ordinary sign-in is offered.
		w.visitor(t).at(link).refused("LINK_STALE").sees("Войти")
	})
	t.Run("P-32 appointed again", func(t *testing.T) {
		w.pass(48 * time.Hour)
		w.heads(iinA, "")
		v := w.visitor(t).begin(participant.LegalEntity).sign(keyA).stands("/2")
		v.sees("Текущий пароль").fill("current", passA).submit("/2")
		v.stands("/3").sign(keyA).stands("/4").finish(keyA, passA).stands("/me?done=1")
		stand(t, participant.Active, participant.HeadChangeBlocked)
		if all, err := w.office.Profiles(t.Context(), iinA); err != nil || len(all) != 2 {
			t.Errorf("A has %d profiles, want the old two (%v)", len(all), err)
		}
	})
	t.Run("P-23 two at the same instant", func(t *testing.T) {
		w.pass(48 * time.Hour)
		w.heads(iinA, iinB)
		both := []*visitor{w.beside(t), w.beside(t)}
		for _, v := range both {
			v.begin(participant.LegalEntity).sign(keyB).stands("/2")
		}
		for _, v := range both {
			v.fill("current", passB).submit("/2")
			v.stands("/3").sign(keyB).stands("/4").at(w.path("N-15")).sign(keyB).stands("/login/password").fill("password", passB)
		}
		var wg sync.WaitGroup
		for _, v := range both {
			wg.Go(func() { v.submit("/login/password") })
		}
		wg.Wait()
		done := 0
		for _, v := range both {
			if v.asks("main [data-code]") {
				codes := read(v.tab, "why", chromedp.Evaluate[[]string](`[...document.querySelectorAll("main [data-code]")].map((e) => e.dataset.code)`))
				if !slices.Contains([]string{"RACE_RETRY", "SUPERSEDED_BY_OTHER"}, codes[0]) {
					t.Errorf("the loser reads %q", codes)
				}
				continue
			}
			v.stands("/me?done=1")
			done++
		}
		if done != 1 {
			t.Errorf("%d registrations completed", done)
		}
		stand(t, participant.HeadChangeBlocked, participant.Active)
	})
}

// TestP15KnownPersonInBrowser: who was here before gives the password of then, and his address stays.
func TestP15KnownPersonInBrowser(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	w.must(w.office.Seed(t.Context(), individual(iinB, "ТЕСТОВ ТЕСТ", "b@example.kz")))
	w.heads(iinA, iinB)
	l := w.head(iinB, binX)
	v := w.visitor(t).begin(participant.LegalEntity).sign(l).stands("/2")
	v.sees("Текущий пароль", "b***@example.kz").fill("current", "wrong-password-1").submit("/2").sees("Пароль не совпадает с ранее заданным")
	v.fill("current", passB).submit("/2")
	v.stands("/3").sign(l).stands("/4").sees("b***@example.kz")
	if a, err := w.office.Account(t.Context(), iinB); err != nil || a.Email != "b@example.kz" || w.letter("N-15").To != "b@example.kz" {
		t.Errorf("the address is %s, the letter went to %s (%v)", a.Email, w.letter("N-15").To, err)
	}
}

// TestP31InvitedInBrowser: the head invites an employee; the head changes, and the new one does nothing for 14 days.
func TestP31InvitedInBrowser(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	w.must(w.office.Seed(t.Context(), individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")))
	keyA, keyB, keyC := w.head(iinA, binX), w.head(iinB, binX), w.key(iinC, binX, pki.RoleEmployee, nil)
	v := w.visitor(t).enter(keyA, passA).at("/org/users/invite")
	v.fill("iin", iinC, "email", "c@example.kz", "proxy", "17/26").date("from", w.time()).date("to", w.time().AddDate(0, 2, 0))
	v.act("a permission", chromedp.Click(css("main .govuk-checkboxes__input")))
	v.submit("/org/users/invite")
	v.sign(keyA).sees("Приглашение отправлено")
	user := w.beside(t).at(w.path("N-24")).sign(w.personal(iinC)).stands("/login/password").password(passB)
	user.stands("/invite/accept").sign(w.personal(iinC)).sees("Приглашение принято")

	w.heads(iinA, iinB)
	w.visitor(t).register(keyB).finish(keyB, passB).stands("/org/users?done=1") // somebody waits for his word
	choose := func() *visitor {
		user.enter(keyC, passB).at("/login/profile")
		user.act("choose X", chromedp.Click(css("main label[for=%q]", "profile-"+profileOf(t, w, iinC, binX))))
		user.submit("/login/profile")
		return user
	}
	choose().at("/me").sees(nameX, "17/26")
	head := w.visitor(t).enter(keyB, passB).at("/org/users")
	head.sees("СЕРИКОВА АЙГУЛЬ", "пригласил прежний руководитель")
	w.pass(14 * 24 * time.Hour)
	w.work()
	if w.statusOf(iinC, binX) != participant.HeadChangeBlocked || w.sent("N-07") != 1 || w.sent("N-07.closed") != 1 {
		t.Errorf("after 14 days C is %q, N-07 %d, closed %d", w.statusOf(iinC, binX), w.sent("N-07"), w.sent("N-07.closed"))
	}
	user.at("/me").refused("SESSION_PROFILE").sees("профиль, в котором вы работали, закрыт")
	user.enter(keyC, passB).at("/login/profile").sees("Не подтверждён новым руководителем")
}

// profileOf is the id of a person's profile for a tin.
func profileOf(t *testing.T, w *world, iin ident.IIN, tin string) string {
	t.Helper()
	all, err := w.office.Profiles(t.Context(), iin)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(p participant.Profile) bool { return p.TIN == tin })
	if at < 0 {
		t.Fatalf("no profile for %s", tin)
	}
	return all[at].ID
}
