package portal

import (
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
)

// register walks B through the four steps for X, up to the letter.
func (w *world) register(b *browser, email, password string) *browser {
	w.t.Helper()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2")
	b.fill(email, password).at("/3")
	b.sign(w.head(iinB, binX)).at("/4") // another key of the same pair (R6)
	return b
}

// P-01, P-02: the new head registers; the old one loses X and keeps Y.
func TestP01P02HeadChanges(t *testing.T) {
	w := newWorld(t)
	x, y := w.browser(), w.browser()
	x.login(w.head(iinA, binX), passA).at("/me").says("АО «ТЕСТ»")
	y.login(w.head(iinA, binY), passA).at("/me").says("ТОО «ДОСТЫК»")

	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB).says("b***@example.kz").says("юридического лица")
	if w.statusOf(iinA, binX) != participant.Active {
		t.Error("the head was blocked before the new one completed")
	}
	if m := w.letter("N-08"); m.To != "a@example.kz" {
		t.Errorf("the warning went to %s", m.To)
	}
	if m := w.letter("N-15"); m.To != "b@example.kz" || !strings.HasPrefix(m.Vars["link"], "http://localhost:8081/register/confirm?t=") {
		t.Errorf("N-15: %+v", m)
	}

	// Another browser finishes: the certificate, not the cookie, proves the person.
	other := w.browser()
	other.follow().says("Войдите, чтобы завершить регистрацию")
	other.sign(w.personal(iinB)).at("/login/password").says("123 456 789 011")
	other.post("/login/password", "password", passB).says("Регистрация завершена")

	if s := w.statusOf(iinB, binX); s != participant.Active {
		t.Errorf("B is %s", s)
	}
	if s := w.statusOf(iinA, binX); s != participant.HeadChangeBlocked {
		t.Errorf("A is %s in X", s)
	}
	if s := w.statusOf(iinA, binY); s != participant.Active {
		t.Errorf("A is %s in Y", s)
	}
	if m := w.letter("N-05"); m.To != "b@example.kz" || m.Vars["org"] != "АО «ТЕСТ»" || m.Vars["category"] != "Юридическое лицо" {
		t.Errorf("N-05: %+v", m)
	}
	if m := w.letter("N-06"); m.To != "a@example.kz" {
		t.Errorf("N-06: %+v", m)
	}

	// P-02: the session of X gets 401 on the next request, and is told why; that of Y works.
	closed := w.time()
	x.get("/me/entries").closed("SESSION_HEAD").says("Сеанс завершён " + lang.RU.DateTime(closed) + ": у предприятия сменился руководитель")
	x.sign(w.head(iinA, binX)).at("/login/password").post("/login/password", "password", passA).at("/login/profile")
	y.get("/me").at("/me").says("ТОО «ДОСТЫК»").says("Смена руководителя предприятия")
	again := w.browser()
	again.login(w.head(iinA, binX), passA).at("/login/profile").says("Профиль АО «ТЕСТ» закрыт с").says("Смена руководителя предприятия").says("Заблокированный при смене руководителя предприятия")
	again.get("/me").at("/login/profile")
	again.login(w.head(iinA, binY), passA).at("/me")
	head := w.browser()
	head.login(w.head(iinB, binX), passB).at("/me").says("АО «ТЕСТ»").says("b***@example.kz").silentAbout("b@example.kz")
	head.post("/logout")
	head.get("/me").at("/login")
}

// P-32: A is appointed again; his old row is revived, B's is blocked.
func TestP32BackAgain(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).at("/login/password").post("/login/password", "password", passB).at("/me?done=1")
	w.pass(48 * time.Hour)
	w.heads(iinA, "")

	a := w.browser()
	a.begin(participant.LegalEntity).sign(w.head(iinA, binX)).at("/2").says("Текущий пароль")
	a.post(a.path, "current", passA).at("/3").sign(w.head(iinA, binX)).at("/4").says("a***@example.kz")
	a.follow().sign(w.head(iinA, binX)).post("/login/password", "password", passA).at("/me?done=1")
	if w.statusOf(iinA, binX) != participant.Active || w.statusOf(iinB, binX) != participant.HeadChangeBlocked {
		t.Errorf("A %s, B %s", w.statusOf(iinA, binX), w.statusOf(iinB, binX))
	}
	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	if len(all) != 2 {
		t.Errorf("A has %d profiles, want the old two", len(all))
	}
	for iin, want := range map[ident.IIN]string{iinA: "registered>ACTIVE head-change>ENTERPRISE_ADMIN_CHANGE_BLOCKED revived>ACTIVE",
		iinB: "registered>ACTIVE head-change>ENTERPRISE_ADMIN_CHANGE_BLOCKED"} {
		w.must(w.store.Participant().View(t.Context(), func(tx participant.Tx) error {
			changes, err := tx.Changes(t.Context(), w.profileOf(iin, binX).ID)
			var kept []string
			for _, c := range changes {
				kept = append(kept, c.Reason+">"+string(c.To))
			}
			if got := strings.Join(kept, " "); got != want {
				t.Errorf("the history of %s: %s", iin, got)
			}
			return err
		}))
	}
}

// P-15: the person has an account already: the password of it is asked, its address stays.
func TestP15KnownPerson(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.Individual).sign(w.personal(iinB)).at("/2").
		post(b.path, "email", "b@example.kz", "email2", "b@example.kz", "password", passB, "password2", passB, "docnumber", "N 012345678", "docdate", "01.02.2020", "docissuer", "МВД РК").at("/3").sign(w.personal(iinB)).at("/4")
	b.follow().sign(w.personal(iinB)).post("/login/password", "password", passB).at("/me?done=1")

	w.heads(iinA, iinB)
	b = w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2").says("Текущий пароль").says("b***@example.kz").silentAbout("name=\"email\"")
	b.post(b.path, "current", "wrong-password-1")
	if b.status != 422 {
		t.Fatalf("status %d", b.status)
	}
	b.says("Пароль не совпадает с ранее заданным")
	b.silentAbout(`name="phone"`, `name="docnumber"`).says("Телефон и документ меняются в разделе «Мои реквизиты»")
	b.post(b.path, "current", passB, "email", "thief@example.kz", "email2", "thief@example.kz", "phone", "+77011234567", "docnumber", "N 1").at("/3").sign(w.head(iinB, binX)).at("/4").says("b***@example.kz")
	if m := w.letter("N-15"); m.To != "b@example.kz" {
		t.Errorf("the letter went to %s", m.To)
	}
	b.follow().sign(w.head(iinB, binX)).post("/login/password", "password", passB).at("/me?done=1")
	a, err := w.office.Account(t.Context(), iinB)
	w.must(err)
	if a.Email != "b@example.kz" {
		t.Errorf("the account's address became %s", a.Email)
	}
	// What the account holds is changed under a signature only (section 13), not by step 2.
	d, err := w.office.Details(t.Context(), iinB)
	w.must(err)
	if want := (participant.Document{Number: "N 012345678", Issued: "01.02.2020", Issuer: "МВД РК"}); d.Phone != "" || d.Document != want {
		t.Errorf("details became %+v", d)
	}
}

// P-21: mail scanners follow links; a GET changes nothing.
func TestP21Scanner(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	for range 3 {
		w.browser().follow()
	}
	b.follow().sign(w.head(iinB, binX)).post("/login/password", "password", passB).at("/me?done=1")
}

// P-20: a link that is too old, and one that was used.
func TestP20StaleLink(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).at("/login/password")
	key := w.head(iinB, binX)
	w.pass(73 * time.Hour)
	late := w.browser()
	late.follow().refused("LINK_STALE").says("Начать регистрацию")
	late.post("/register/confirm", "t", "x").refused("LINK_STALE")
	token := strings.TrimPrefix(w.letter("N-15").Vars["link"], "http://localhost:8081/register/confirm?t=")
	late.post("/register/confirm", "t", token).refused("LINK_STALE")
	w.must(w.store.Participant().View(t.Context(), func(tx participant.Tx) error {
		r, err := tx.RegistrationByLink(t.Context(), string(participant.KeyOf(token)))
		if r.State != participant.StateExpired {
			t.Errorf("the registration is %s", r.State)
		}
		return err
	}))
	if w.statusOf(iinA, binX) != participant.Active {
		t.Error("A was touched")
	}
	w.heads(iinA, iinB)
	b = w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(key).post("/login/password", "password", passB).at("/me?done=1")
	w.browser().follow().refused("LINK_STALE").says("Войти")
}

// P-06: revoked between step 3 and the link.
func TestP06RevokedBeforeLink(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	key := w.head(iinB, binX)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(key).at("/2").fill("b@example.kz", passB).at("/3").sign(key).at("/4")
	w.revoke(key)
	b.follow().sign(w.personal(iinB)).at("/login/password").post("/login/password", "password", passB).refused("CERT_REVOKED")
	if w.statusOf(iinA, binX) != participant.Active || w.statusOf(iinB, binX) != "" {
		t.Errorf("A %s, B %q", w.statusOf(iinA, binX), w.statusOf(iinB, binX))
	}
	if w.count("N-05")+w.count("N-06") != 0 {
		t.Error("letters of completion went out")
	}
	w.must(w.store.Participant().View(t.Context(), func(tx participant.Tx) error {
		r, err := tx.RegistrationByLink(t.Context(), string(participant.KeyOf(token(w.path("N-15")))))
		if r.State != participant.StateRefused || r.Reason != "CERT_REVOKED" {
			t.Errorf("the registration is %s, %s", r.State, r.Reason)
		}
		return err
	}))
}

// A check that cannot be made at completion leaves the link good.
func TestP06CannotCheck(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).at("/login/password")
	w.silent(true)
	b.post("/login/password", "password", passB).refused("CHECK_UNAVAILABLE")
	w.silent(false)
	b.checkAgain().at("/me?done=1")
}

// The letter is sent again at most once a minute; a typo in the address is corrected in step 2 and
// the signature is kept (R9).
func TestR9LetterAgain(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "tpyo@example.kz", passB)
	step4 := b.path
	b.post(step4).refused("LETTER_TOO_SOON")
	w.pass(time.Minute)
	b.post(step4).says("Письмо отправлено ещё раз")
	first := w.letter("N-15")
	step2 := strings.TrimSuffix(step4, "4") + "2"
	b.get(step2).at("/2")
	b.wrong(step2, "email", "right@example.kz", "email2", "right@example.kz").says("Письмо только что отправлено") // a correction is a letter too
	w.browser().get(strings.TrimPrefix(first.Vars["link"], "http://localhost:8081")).says("Войдите, чтобы завершить регистрацию")
	w.pass(time.Minute)
	b.post(step2, "email", "right@example.kz", "email2", "right@example.kz").at("/4").says("r***@example.kz")
	if m := w.letter("N-15"); m.To != "right@example.kz" {
		t.Errorf("the letter went to %s", m.To)
	}
	w.browser().get(strings.TrimPrefix(first.Vars["link"], "http://localhost:8081")).refused("LINK_STALE")
	b.follow().sign(w.head(iinB, binX)).post("/login/password", "password", passB).at("/me?done=1")
}
