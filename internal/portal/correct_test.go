package portal

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/lang"
	"senim/internal/oidc"
	"senim/internal/participant"
	"senim/internal/registry"
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

// Who is a participant under his IIN already registers for trade under the same IIN: the new profile is the one he
// enters, and invites for.
func TestFinishedProfileIsEntered(t *testing.T) {
	w := newWorld(t)
	w.individual(iinB, "ТЕСТОВ ТЕСТ", "b@example.kz")
	w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxEntrepreneur, NameRU: "ИП ТЕСТОВ", IPFrom: "2020-01-01"})
	key := w.personal(iinB)
	b := w.browser()
	b.begin(participant.SoleProprietor).sign(key).at("/2").post(b.path, "current", passC)
	b.finish(key, passC).at("/me?done=1").says("Пользователи предприятия")
	b.get("/org/users/invite").at("/org/users/invite")
}

// rereg.block_previous_at agreement: the new head gives his first registration up and completes another; the
// change of head is told of the head whom the first one blocked, once.
func TestBlockAtAgreementBegunAgain(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.BlockPreviousAt = participant.AtAgreement })
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.post(strings.TrimSuffix(b.path, "4") + "cancel").at("/register")
	w.pass(time.Minute)
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).post("/login/password", "password", passB).at("/me?done=1")
	if w.audited("head.changed") != 1 || w.statusOf(iinA, binX) != participant.HeadChangeBlocked {
		t.Errorf("head.changed %d times, A is %s", w.audited("head.changed"), w.statusOf(iinA, binX))
	}
	w.pass(time.Hour) // the head after him is followed by a third: A is of the past
	w.heads(iinA, iinC)
	c := w.browser()
	c.begin(participant.LegalEntity).sign(w.head(iinC, binX)).at("/2").fill("c@example.kz", passC).at("/3").sign(w.head(iinC, binX)).at("/4")
	c.follow().sign(w.head(iinC, binX)).post("/login/password", "password", passC).at("/me?done=1")
	if w.audited("head.changed") != 2 || w.statusOf(iinB, binX) != participant.HeadChangeBlocked {
		t.Errorf("head.changed %d times, B is %s", w.audited("head.changed"), w.statusOf(iinB, binX))
	}
}

// S5 holds on the pages of services too: a session begun with an old password gets no code and no list.
func TestS5Services(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	b.get(oidc.PathServices).at(oidc.PathServices)
	w.reset("calm-river-77")
	b.get(oidc.PathServices).closed("SESSION_PASSWORD")
}

// Section 14: a session that is older than a new version of the agreement opens nothing but its page after the day.
func TestResignInAnOlderSession(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	text := map[lang.Tag]string{lang.RU: "Новый текст.", lang.KK: "Жаңа мәтін.", lang.EN: "New text."}
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "2.0", From: w.time().Add(time.Minute), MustResignBy: w.time().Add(12 * time.Minute), Text: text}))
	w.pass(10 * time.Minute)
	b.get("/me/details").at("/me/details")
	w.pass(3 * time.Minute)
	for _, path := range []string{"/me/details", "/me/password", "/me", "/org/users", oidc.PathServices} {
		if b.get(path); !strings.HasPrefix(b.path, "/me/agreements/sign/") {
			t.Errorf("%s opens %s", path, b.path)
		}
	}
	b.sign(w.head(iinA, binX)).at("/me/agreements")
	b.get("/me/details").at("/me/details")
}

// reg.resend: after the last letter a correction is refused and the links sent so far stay good; the registration
// is not lost. What one person's registrations send in a day is bounded over all of them.
func TestLettersAreBounded(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) {
		c.Register = participant.RegisterConfig{MaxLetters: 3, DayLetters: 5, ResendWait: 2 * time.Minute}
	})
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	step4 := b.path
	step2 := strings.TrimSuffix(step4, "4") + "2"
	link := w.path("N-15")
	w.pass(time.Minute)
	b.post(step4).refused("LETTER_TOO_SOON")
	b.again(step4)
	w.pass(time.Minute)
	b.again(step4)
	w.pass(2 * time.Minute)
	b.wrong(step2, "email", "x@example.kz", "email2", "x@example.kz").says("Больше писем по этой регистрации отправить нельзя")
	b.get(step4).at("/4").says("b***@example.kz")
	w.browser().get(link).says("Войдите, чтобы завершить регистрацию")
	if n := w.count("N-15"); n != 3 {
		t.Fatalf("%d letters", n)
	}

	for i, address := range []string{"one@example.kz", "two@example.kz", "three@example.kz"} { // another draft each, to another address
		c := w.browser()
		c.begin(participant.Individual).sign(w.personal(iinB)).at("/2").fill(address, passB).at("/3").sign(w.personal(iinB))
		if i == 2 {
			c.refused("LETTERS_TODAY")
			w.pass(24 * time.Hour)
			c.get(c.path).sign(w.personal(iinB)).at("/4")
		}
	}
	if n := w.count("N-15"); n != 6 {
		t.Errorf("%d letters", n)
	}
}

// The browser that signed in the last hour of a draft still comes back to step 4 as long as the link lives.
func TestStep4LivesAsLongAsTheLink(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.Individual).sign(w.personal(iinB)).at("/2").fill("b@example.kz", passB).at("/3")
	w.pass(71 * time.Hour)
	page := b.path
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.get(page).sign(w.personal(iinB))
	cookies := (&http.Response{Header: b.header}).Cookies()
	if !slices.ContainsFunc(cookies, func(c *http.Cookie) bool {
		return strings.HasPrefix(c.Name, "senim-registration-") && c.MaxAge == int((72*time.Hour).Seconds())
	}) {
		t.Errorf("cookies after signing: %v", cookies)
	}
}
