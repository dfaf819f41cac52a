package e2e

import (
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/pkitest"
)

// TestEntry walks the portal's door: which keys open it, and for whom an answer is good.
func TestEntry(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	person := pkitest.Person()
	person.IIN = iinA
	sign, signIn := w.authority.ClassicPair(person)
	key := w.head(iinA, binX)

	t.Run("P-24 a classic key for sign-in and a modern key", func(t *testing.T) {
		w.visitor(t).at("/login").sign(signIn).stands("/login/password").sees("123 456 789 012")
		w.visitor(t).at("/login").sign(key).stands("/login/password")
	})
	t.Run("P-25 a classic signing key", func(t *testing.T) {
		v := w.visitor(t).at("/login").sign(sign)
		v.refused("CERT_NOT_FOR_AUTH").sees("AUTH_RSA256_")
		v.at("/login/password").refused("SIGNIN_STALE")
	})
	t.Run("P-18 an answer posted twice", func(t *testing.T) {
		v := w.visitor(t).at("/login")
		answer := v.signature(key)
		v.answer(answer)
		v.stands("/login/password").at("/login").answer(answer)
		v.refused("SIGNATURE_INVALID") // the page asked anew: what it asked is not what was signed
		v.repost("/login", answer)
		v.refused("CHALLENGE_STALE")
		v.at("/me").stands("/login")
	})
	t.Run("P-19 another session's challenge", func(t *testing.T) {
		one, two := w.visitor(t).at("/login"), w.beside(t).at("/")
		answer := one.signature(key)
		two.repost("/login", answer)
		two.refused("CHALLENGE_STALE")
		two.at("/login/password").refused("SIGNIN_STALE")
		two.at("/me").stands("/login")
		one.answer(answer)
		one.stands("/login/password")
	})
	t.Run("P-26 five wrong passwords", func(t *testing.T) {
		v := w.visitor(t).at("/login").sign(key)
		for range 4 {
			v.password("wrong-password").sees("Неверный пароль")
		}
		v.password("wrong-password").refused("ACCOUNT_LOCKED")
		v.sees(lang.RU.DateTime(w.time().Add(15 * time.Minute)))
		v.at("/login").sign(key).refused("ACCOUNT_LOCKED") // no field to try the right one in
		w.pass(15 * time.Minute)
		v.enter(key, passA).stands("/me")
	})
}
