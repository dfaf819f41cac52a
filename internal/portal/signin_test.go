package portal

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/pki"
)

// Keys that are not good at the door: each refused by its name, and no password is asked (S1, S2).
func TestSignInBadKeys(t *testing.T) {
	w := newWorld(t)
	now := w.time()
	revoked := w.personal(iinA)
	w.revoke(revoked)
	for _, c := range []struct {
		name, code, says string
		key              *pkitest.Leaf
	}{
		{"expired", "CERT_EXPIRED", now.AddDate(0, 0, -1).Format("02.01.2006"), w.issue(iinA, binX, pki.RoleFirstHead, func(s *pkitest.Spec) {
			s.NotBefore, s.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1)
		})},
		{"not yet valid", "CERT_NOT_YET_VALID", now.AddDate(0, 0, 1).Format("02.01.2006"), w.issue(iinA, binX, pki.RoleFirstHead, func(s *pkitest.Spec) {
			s.NotBefore, s.NotAfter = now.AddDate(0, 0, 1), now.AddDate(1, 0, 0)
		})},
		{"revoked", "CERT_REVOKED", "Отозван", revoked},
		{"foreign authority", "CERT_UNTRUSTED", "неизвестным центром", w.authority.Foreign()},
		{"nobody known", "", "ИИН", w.personal(iinC)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.browser()
			b.get("/login").sign(c.key)
			if c.code == "" {
				b.refused("NOT_REGISTERED").says("Начать регистрацию")
				return
			}
			b.refused(c.code).says(c.says)
			b.get("/login/password").refused("SIGNIN_STALE")
			b.post("/login/password", "password", passA).refused("SIGNIN_STALE")
		})
	}
	t.Run("cannot check", func(t *testing.T) {
		w.silent(true)
		defer w.silent(false)
		b := w.browser()
		b.get("/login").sign(w.personal(iinA)).refused("CHECK_UNAVAILABLE").says("Не удалось проверить")
	})
}

// P-24: a classic AUTH key signs in and signs no agreement; a modern GOST512 one does both.
func TestP24WhichKeyWhere(t *testing.T) {
	w := newWorld(t)
	h := pkitest.Person()
	h.IIN = iinA
	_, signIn := w.authority.ClassicPair(h)
	w.browser().get("/login").sign(signIn).at("/login/password")
	h.IIN = iinC
	_, signIn = w.authority.ClassicPair(h)
	modern := w.personal(iinC)
	b := w.browser()
	b.begin(participant.Individual).sign(modern).at("/2").fill("c@example.kz", passB).at("/3")
	b.sign(signIn).refused("CERT_NOT_FOR_SIGNING")
	b.begin(participant.Individual).sign(modern).at("/2").fill("c@example.kz", passB).at("/3").sign(modern).at("/4")
	b.follow().sign(modern).at("/login/password")
}

// P-25: a classic signing key does not sign in; the page names the file to take.
func TestP25SigningKey(t *testing.T) {
	w := newWorld(t)
	h := pkitest.Person()
	h.IIN = iinA
	sign, _ := w.authority.ClassicPair(h)
	b := w.browser()
	b.get("/login").sign(sign).refused("CERT_NOT_FOR_AUTH").says("AUTH_RSA256_")
	b.get("/login/password").refused("SIGNIN_STALE")
}

// P-19: a challenge of one browser's session, answered in another's.
func TestP19AnotherSession(t *testing.T) {
	w := newWorld(t)
	one, two := w.browser(), w.browser()
	action, answer, _ := one.get("/login").signature(w.head(iinA, binX))
	two.post(action, "answer", answer).refused("CHALLENGE_STALE")
	two.post(action, "answer", answer).refused("CHALLENGE_STALE")
	two.get("/login/password").refused("SIGNIN_STALE")
	one.post(action, "answer", answer).at("/login/password")
}

// P-18: an answer is good once, in its own browser, for five minutes, for its purpose and for our
// origin.
func TestP18Challenges(t *testing.T) {
	w := newWorld(t)
	key := w.head(iinA, binX)
	t.Run("posted twice", func(t *testing.T) {
		b := w.browser()
		action, answer, _ := b.get("/login").signature(key)
		b.post(action, "answer", answer).at("/login/password")
		b.post(action, "answer", answer).refused("CHALLENGE_STALE")
		b.post(action, "answer", answer).refused("CHALLENGE_STALE")
		b.get("/me").at("/login")
	})
	t.Run("in another browser", func(t *testing.T) {
		one, two := w.browser(), w.browser()
		action, answer, _ := one.get("/login").signature(key)
		two.get("/login").post(action, "answer", answer).refused("SIGNATURE_INVALID")
		two.get("/login/password").refused("SIGNIN_STALE")
		w.browser().post(action, "answer", answer).refused("CHALLENGE_STALE")
	})
	t.Run("too late", func(t *testing.T) {
		b := w.browser()
		action, answer, _ := b.get("/login").signature(key)
		w.pass(5*time.Minute + time.Second)
		b.post(action, "answer", answer).refused("CHALLENGE_STALE")
	})
	t.Run("replaced by a newer one", func(t *testing.T) {
		b := w.browser()
		action, answer, _ := b.get("/login").signature(key)
		b.get("/login").post(action, "answer", answer).refused("SIGNATURE_INVALID")
	})
	t.Run("for another purpose", func(t *testing.T) {
		b := w.browser()
		action, answer, _ := b.get("/login").signature(key)
		b.begin(participant.LegalEntity).post(b.path, "answer", answer).refused("SIGNATURE_INVALID")
		_ = action
	})
	t.Run("for another origin", func(t *testing.T) {
		b := w.browser()
		action, _, data, _ := b.get("/login").asked()
		relayed := strings.Replace(unbase64(t, data), "http://localhost:8081", "http://evil.example", 1)
		b.post(action, "answer", answerOf(w.signText(key, base64of(relayed)))).refused("SIGNATURE_INVALID")
	})
	t.Run("tampered", func(t *testing.T) {
		b := w.browser()
		action, _, data, _ := b.get("/login").asked()
		signed := []byte(unbase64(t, w.signText(key, data)))
		signed[len(signed)-5] ^= 1
		b.post(action, "answer", answerOf(base64of(string(signed)))).refused("SIGNATURE_INVALID")
		b.get("/login").post(action, "answer", "not an answer").refused("AGENT_ANSWER")
		b.get("/login").post(action, "answer", "").refused("AGENT_ANSWER")
	})
}

// P-26: five wrong passwords lock for a quarter of an hour, then the right one is taken; only a
// proved key counts.
func TestP26Lock(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.get("/login").sign(w.head(iinA, binX)).at("/login/password")
	for i := range 5 {
		b.post("/login/password", "password", "wrong-password")
		if i < 4 {
			b.says("Неверный пароль").says("123 456 789 012")
		}
	}
	b.refused("ACCOUNT_LOCKED")
	b.post("/login/password", "password", passA).refused("ACCOUNT_LOCKED")
	if m := w.letter("N-20"); m.To != "a@example.kz" {
		t.Errorf("N-20 to %s", m.To)
	}
	w.pass(15 * time.Minute)
	b.get("/login").sign(w.head(iinA, binX)).at("/login/password").post("/login/password", "password", passA).at("/me")
	stranger := w.browser()
	stranger.post("/login/password", "password", "x").refused("SIGNIN_STALE")
}

// Another person's key on the letter's link: refused, and the link is still good.
func TestLinkOtherPerson(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	a := w.browser()
	a.follow().sign(w.head(iinA, binX)).refused("CERT_OTHER_PERSON").silentAbout("Пароль")
	a.post("/login/password", "password", passA) // his own sign-in, if he goes on: not of this registration
	c := w.browser()
	c.follow().sign(w.personal(iinC)).refused("CERT_OTHER_PERSON") // not "you are not registered"
	if w.audited("reg.refused") != 2 {
		t.Error("a foreign key on the link is not recorded")
	}
	if w.statusOf(iinA, binX) != participant.Active {
		t.Error("A was touched")
	}
	plain := w.browser() // without the link the account waits
	plain.login(w.personal(iinB), passB).refused("REGISTRATION_WAITS")
	b.follow().sign(w.head(iinB, binX)).post("/login/password", "password", "wrong-password")
	if b.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", b.status)
	}
	b.says("Неверный пароль").post("/login/password", "password", passB).at("/me?done=1")
}

// Enterprise profiles need a key of their BIN (S4); a profile is not entered by its id alone.
func TestS4KeyOfEnterprise(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.personal(iinA), passA).at("/login/profile").says("Нужен ключ с БИН этого предприятия")
	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	b.post("/login/profile", "profile", all[0].ID).refused("CERT_NOT_OF_ENTERPRISE")
	b.get("/me").at("/login/profile")
	c := w.browser()
	c.begin(participant.Individual).sign(w.personal(iinC)).at("/2").fill("c@example.kz", passB).at("/3").sign(w.personal(iinC)).at("/4")
	c.follow().sign(w.personal(iinC)).post("/login/password", "password", passB).at("/me?done=1")
	c.post("/login/profile", "profile", all[0].ID)
	if c.status != http.StatusNotFound {
		t.Errorf("somebody else's profile: status %d", c.status)
	}
}
