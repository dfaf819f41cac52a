package e2e

import (
	"testing"
	"time"

	"senim/internal/participant"
)

// TestStepsAreLookedAt walks a registration, a change of head and the ways back in, and looks at every page on the
// way, with refusals: in three languages, on a phone and on a desk, with the accessibility checker.
func TestStepsAreLookedAt(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, func(c *participant.Config) { c.EmailChangeDelay = 24 * time.Hour })
	keyA, keyB, mineB := w.head(iinA, binX), w.head(iinB, binX), w.personal(iinB)
	v := w.visitor(t)
	p := lookingWith(t, v.tab)
	here := func(name string) {
		t.Helper()
		page := v.where()
		p.lookAfter(name, func() { v.at(page).stands(page) })
	}

	// The gate refuses, could not check, and lets the new head in.
	v.begin(participant.LegalEntity)
	here("step-1")
	p.lookAfter("step-1-other-head", func() {
		w.pass(time.Minute)
		v.sign(keyB).refused("REGISTRY_OTHER_HEAD")
	})
	w.set(func() { w.down = true })
	p.lookAfter("step-1-unchecked", func() {
		w.pass(time.Minute)
		v.sign(keyB).refused("CHECK_UNAVAILABLE")
	})
	w.set(func() { w.down = false })
	w.heads(iinA, iinB)
	w.pass(time.Minute)
	v.sign(keyB).stands("/2")
	here("step-2")
	p.lookAfter("step-2-mistakes", func() {
		v.fill("email", "b@example.kz", "email2", "c@example.kz", "password", "short", "password2", passB).submit("/2")
		v.stands("/2")
	})
	v.step2("b@example.kz")
	here("step-3")
	p.lookAfter("step-3-other-person", func() {
		w.pass(time.Minute)
		v.sign(w.head(iinC, binX)).stands("/3")
	})
	v.sign(keyB).stands("/4")
	here("step-4")
	link := w.path("N-15")
	p.lookAfter("complete", func() { v.at(link) })
	v.sign(keyB).stands("/login/password")
	here("complete-password")
	p.lookAfter("complete-password-wrong", func() {
		v.password("wrong-password").stands("/login/password")
	})
	v.password(passB)
	here("completed")

	// What the new head then signs.
	v.at("/me/details").fill("phone", "+77010000000").submit("/me/details")
	v.stands("/me/details/sign")
	here("details-sign")
	v.at("/me/agreements").follow("/me/agreements/")
	here("agreement")
	v.at("/org/users")
	here("users")

	// The ways back in.
	v = w.visitor(t)
	v.askEmail(iinA, "new@example.kz")
	here("email-sign")
	p.lookAfter("email-sign-other-person", func() {
		w.pass(time.Minute)
		v.at("/login/change-email/sign").sign(mineB).refused("CERT_OTHER_PERSON")
	})
	v = w.visitor(t)
	v.askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).stands("/sent")
	here("email-sent")
	link = w.path("N-16")
	p.lookAfter("email-confirm", func() { v.at(link) })
	v.submit("/login/change-email/confirm").sees("начнёт действовать")
	link = w.path("N-17")
	p.lookAfter("email-not-me", func() { v.at(link) })
	v.submit("/login/change-email/not-me").sees("Смена e-mail отменена")

	v = w.visitor(t)
	v.askReset(iinB, "b@example.kz")
	here("reset-sent")
	w.work()
	link = w.path("N-18")
	p.lookAfter("reset-set", func() { v.at(link) })
	p.lookAfter("reset-set-mistakes", func() {
		v.at(link).fill("password", "short", "password2", "other").submit("/login/reset-password/set")
	})
	v.at(link).fill("password", "calm-river-77", "password2", "calm-river-77").submit("/login/reset-password/set").sees("Подпишите новый пароль")
	here("reset-sign")
	v.sign(mineB).stands("/login/reset-password/done")
	here("reset-done")

	// Both profiles of somebody; one of them belongs to a former head now.
	v = w.visitor(t)
	v.enter(keyA, passA)
	here("former-head")
	v.at("/login/profile")
	here("profiles")
	p.lookAfter("locked", func() {
		w.visitor(t)
		v.at("/login").sign(keyB)
		for range 5 {
			if v.asks("main [name=password]") {
				v.password("wrong-password")
			}
		}
		v.refused("ACCOUNT_LOCKED")
	})
}
