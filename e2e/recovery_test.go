package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/participant"
)

// askEmail fills «Изменить e-mail» and stands where the signature is asked.
func (v *visitor) askEmail(iin, email string) *visitor {
	v.t.Helper()
	v.at("/login/change-email").fill("iin", iin, "email", email, "email2", email).submit("/login/change-email")
	return v.stands("/login/change-email/sign")
}

// askReset fills «Сменить пароль»; the letter is the work of a job.
func (v *visitor) askReset(iin, email string) *visitor {
	v.t.Helper()
	v.at("/login/reset-password").fill("iin", iin, "email", email).submit("/login/reset-password")
	return v.stands("/login/reset-password/sent")
}

// source is the page as it came.
func (v *visitor) source() string {
	v.t.Helper()
	return read(v.tab, "the source", chromedp.Evaluate[string](`fetch(location.href).then((r) => r.text())`, chromedp.EvalAwaitPromise))
}

// TestRecovery walks the ways back in: another's key changes nothing, and who asks learns nothing of others.
func TestRecovery(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, func(c *participant.Config) { c.EmailChangeDelay = 24 * time.Hour })
	mine, other := w.personal(iinA), w.personal(iinC)

	t.Run("P-27 the same answer", func(t *testing.T) {
		seen := map[string]bool{}
		for _, who := range [][2]string{{iinC, "c@example.kz"}, {iinA, "x@example.kz"}, {iinA, "a@example.kz"}} {
			v := w.visitor(t).askReset(who[0], who[1])
			v.sees("Если данные верны, мы отправили письмо")
			seen[v.source()] = true
		}
		if w.work(); len(seen) != 1 || w.sent("N-18") != 1 || w.letter("N-18").To != "a@example.kz" {
			t.Errorf("%d different pages, %d letters", len(seen), w.sent("N-18"))
		}
	})
	t.Run("P-28 the certificate of another", func(t *testing.T) {
		v := w.visitor(t).askEmail(iinA, "thief@example.kz").sign(other)
		v.refused("CERT_OTHER_PERSON").sees("Ничего не изменено")
		if v.silent(iinA, "a***@example.kz"); w.sent("N-16")+w.sent("N-17") != 0 {
			t.Error("letters went out")
		}
	})
	t.Run("P-30 a reset signed by another", func(t *testing.T) {
		set := func() *visitor {
			v := w.visitor(t).at(w.path("N-18"))
			v.fill("password", "calm-river-77", "password2", "calm-river-77").submit("/login/reset-password/set")
			return v
		}
		set().sign(other).refused("CERT_OTHER_PERSON").sees("Ничего не изменено")
		if a, err := w.office.Account(t.Context(), iinA); err != nil || a.Password != "plain:"+passA {
			t.Errorf("the password was changed (%v)", err)
		}
		set().sign(mine).stands("/login/reset-password/done")
		w.visitor(t).enter(w.head(iinA, binX), "calm-river-77").stands("/me")
	})
	change := func(t *testing.T, after time.Duration) *visitor {
		t.Helper()
		w.visitor(t).askEmail(iinA, "new@example.kz").sign(mine).stands("/sent")
		w.visitor(t).at(w.path("N-16")).submit("/login/change-email/confirm").sees("начнёт действовать")
		w.pass(after)
		return w.visitor(t).at(w.path("N-17"))
	}
	stays := func(t *testing.T, want string) {
		t.Helper()
		w.pass(2 * time.Hour)
		w.work()
		if a, err := w.office.Account(t.Context(), iinA); err != nil || a.Email != want {
			t.Errorf("the address is %s, want %s (%v)", a.Email, want, err)
		}
	}
	t.Run("P-29 not me after 23 hours", func(t *testing.T) {
		change(t, 23*time.Hour).submit("/login/change-email/not-me").sees("Смена e-mail отменена", "ЦОН", "Отозвать ключ")
		if stays(t, "a@example.kz"); w.recorded("email.change.disputed") != 1 {
			t.Errorf("%d events email.change.disputed", w.recorded("email.change.disputed"))
		}
	})
	t.Run("P-29 not me after 25 hours", func(t *testing.T) {
		change(t, 25*time.Hour).sees("E-mail уже изменён", "ЦОН", "Отозвать ключ")
		stays(t, "new@example.kz")
	})
}
