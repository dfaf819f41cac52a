package portal

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"senim/internal/participant"
)

// again asks for the letter of step 4 once more and gives where it went.
func (b *browser) again(step4 string) string {
	b.w.t.Helper()
	b.w.pass(time.Minute)
	b.post(step4).says("Письмо отправлено ещё раз")
	return b.w.letter("N-15").To
}

// wrong posts a form that has mistakes.
func (b *browser) wrong(path string, fields ...string) *browser {
	b.w.t.Helper()
	if b.post(path, fields...).status != http.StatusUnprocessableEntity {
		b.w.t.Fatalf("%s: status %d", path, b.status)
	}
	return b
}

// R9: a correction with mistakes changes nothing: the letter goes where the good form said, never to what was
// typed beside it.
func TestR9MistakesChangeNothing(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	step4 := b.path
	step2 := strings.TrimSuffix(step4, "4") + "2"
	b.wrong(step2, "email", "other@example.kz", "email2", "another@example.kz").wrong(step2, "email", "other@example.kz", "email2", "other@example.kz", "phone", "12")
	if !strings.Contains(b.page, `value="other@example.kz"`) {
		t.Error("what was typed is lost")
	}
	b.get(step4).says("b***@example.kz")
	if to := b.again(step4); to != "b@example.kz" {
		t.Errorf("the letter went to %s", to)
	}

	c := w.browser() // the same between steps 2 and 3
	c.begin(participant.Individual).sign(w.personal(iinC)).at("/2").fill("c@example.kz", passB).at("/3")
	step3 := c.path
	c.wrong(strings.TrimSuffix(step3, "3")+"2", "email", "x@example.kz", "email2", "y@example.kz")
	c.get(step3).sign(w.personal(iinC)).at("/4")
	if to := w.letter("N-15").To; to != "c@example.kz" {
		t.Errorf("the first letter went to %s", to)
	}
}

// A wrong present password of a known person, given after signing, sends no letter to a posted address.
func TestR9WrongCurrentPassword(t *testing.T) {
	w := newWorld(t)
	w.individual(iinB, "ТЕСТОВ ТЕСТ", "b@example.kz")
	w.heads(iinA, iinB)
	key := w.head(iinB, binX)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(key).at("/2").post(b.path, "current", passC).at("/3").sign(key).at("/4")
	step4 := b.path
	b.wrong(strings.TrimSuffix(step4, "4")+"2", "current", "wrong-password-1", "email", "thief@example.kz", "email2", "thief@example.kz")
	b.get(step4).says("b***@example.kz")
	if to := b.again(step4); to != "b@example.kz" {
		t.Errorf("the letter went to %s", to)
	}
}

// One person has two registrations open at once: each link completes with the address, the phone and the
// password of its own, whichever was signed last.
func TestTwoRegistrationsOfOnePerson(t *testing.T) {
	for _, first := range []bool{true, false} {
		w := newWorld(t)
		w.heads(iinA, iinB)
		one, two := w.browser(), w.browser()
		w.register(one, "first@example.kz", passB)
		link := w.path("N-15")
		two.begin(participant.Individual).sign(w.personal(iinB)).at("/2").
			post(two.path, "email", "second@example.kz", "email2", "second@example.kz", "phone", "+77011234567", "password", passC, "password2", passC).at("/3").
			sign(w.personal(iinB)).at("/4")
		email, phone, password, other := "first@example.kz", "", passB, passC
		if !first {
			link, email, phone, password, other = w.path("N-15"), "second@example.kz", "+77011234567", passC, passB
		}
		b := w.browser()
		b.get(link).sign(w.head(iinB, binX)).at("/login/password").wrong("/login/password", "password", other)
		b.post("/login/password", "password", password).at("/me?done=1")
		if a := w.account(iinB); a.Email != email || a.Phone != phone || a.EmailConfirmed.IsZero() {
			t.Errorf("the account has %q, %q", a.Email, a.Phone)
		}
		w.browser().login(w.head(iinB, binX), password).at("/me")
		if w.letter("N-05").To != email {
			t.Errorf("N-05 to %s", w.letter("N-05").To)
		}
	}
}
