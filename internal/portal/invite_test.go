package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/pki"
)

const passC = "warm-bread-63"

// individual registers C, as a person who was there before.
func (w *world) individual(iin ident.IIN, name, email string) {
	w.t.Helper()
	w.must(w.office.Seed(w.t.Context(), participant.Seeded{IIN: iin, Name: name, Email: email, Password: passC, Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.Individual, TIN: string(iin), Name: name}}}))
}

func (w *world) employee(iin, bin string) *pkitest.Leaf {
	h := pkitest.Member(pki.RoleEmployee)
	h.IIN, h.BIN = iin, bin
	return w.authority.Issue(pkitest.Spec{Holder: h})
}

// day is a day from now, as a browser's field gives it.
func (w *world) day(n int) string {
	return w.time().In(lang.Astana).AddDate(0, 0, n).Format(time.DateOnly)
}

// fillInvite fills the form for C and stands on the page that asks for the signature.
func (b *browser) fillInvite(from, to int, more ...string) *browser {
	b.w.t.Helper()
	fields := append([]string{"iin", iinC, "email", "c@example.kz", "may_VIEW", "yes", "may_ISSUE", "yes", "proxy", "17/26",
		"from", b.w.day(from), "to", b.w.day(to)}, more...)
	return b.get("/org/users/invite").at("/org/users/invite").post("/org/users/invite", fields...)
}

// invitedC is X with C among its users, and C's letter used up.
func invitedC(t *testing.T) (*world, *browser) {
	t.Helper()
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	head := w.browser()
	head.login(w.head(iinA, binX), passA).at("/me").says("Пользователи предприятия")
	head.fillInvite(0, 30).says("Проверьте и подпишите").sign(w.head(iinA, binX)).says("Приглашение отправлено")
	w.browser().get(w.path("N-24")).acceptAs(w.personal(iinC)).says("Приглашение принято")
	return w, head
}

// acceptAs signs in from the link's page with the key and accepts.
func (b *browser) acceptAs(l *pkitest.Leaf) *browser {
	b.w.t.Helper()
	return b.sign(l).at("/login/password").post("/login/password", "password", passC).at("/invite/accept").sign(l)
}

func (w *world) profileOf(iin ident.IIN, tin string) participant.Profile {
	w.t.Helper()
	all, err := w.office.Profiles(w.t.Context(), iin)
	w.must(err)
	for _, p := range all {
		if p.TIN == tin {
			return p
		}
	}
	return participant.Profile{}
}

// enterX signs C in with an employee's key and chooses X.
func (b *browser) enterX() *browser {
	b.w.t.Helper()
	return b.login(b.w.employee(iinC, binX), passC).get("/login/profile").at("/login/profile").post("/login/profile", "profile", b.w.profileOf(iinC, binX).ID)
}

// An invitation from the form to the first entry of the invited person, and his removal.
func TestInviteStory(t *testing.T) {
	w, head := invitedC(t)
	m := w.letter("N-24")
	if m.To != "c@example.kz" || m.Vars["org"] != "АО «ТЕСТ»" || !m.Expires.Equal(w.time().Add(7*24*time.Hour)) {
		t.Errorf("N-24: %+v", m)
	}
	p := w.profileOf(iinC, binX)
	if p.Type != participant.TypeUser || p.Status != participant.Active || p.Grant.Proxy != "17/26" || !slices.Equal(p.Grant.Permissions, []participant.Permission{participant.MayView, participant.MayIssue}) {
		t.Errorf("profile %+v", p)
	}
	head.get("/org/users").says("СЕРИКОВА АЙГУЛЬ").says("123 456 789 013").says("Просмотр счетов-фактур").says("17/26").says("Активный")
	user := w.browser()
	user.enterX().at("/me").says("Пользователь предприятия").says("17/26")
	user.get("/org/users").refused("NO_REQUIRED_PERMISSIONS") // a USER never invites
	user.post("/org/users/invite", "iin", iinB).refused("NO_REQUIRED_PERMISSIONS")
	w.browser().get("/org/users").at("/login")

	key := w.head(iinA, binX)
	head.get("/org/users/sign?do=remove&user=" + p.ID).says("СЕРИКОВА АЙГУЛЬ").sign(key).at("/org/users").says("Отозвано руководителем")
	if p = w.profileOf(iinC, binX); p.Status != participant.Blocked || p.Reason != participant.ReasonRemoved {
		t.Errorf("profile %+v", p)
	}
	user.get("/me").closed("SESSION_PROFILE")
	user.login(w.employee(iinC, binX), passC).get("/login/profile").says("Отозвано руководителем").silentAbout("администратором")
	if w.audited("invite.sent") != 1 || w.audited("invite.accepted") != 1 || w.audited("invite.removed") != 1 {
		t.Errorf("events %v", w.events)
	}
	head.get("/org/users/sign?do=remove&user=" + p.ID).refused("USERS_OTHER") // once is enough

	head.fillInvite(0, 10).sign(key).says("Приглашение отправлено") // and back again
	w.browser().get(w.path("N-24")).acceptAs(w.personal(iinC)).says("Приглашение принято")
	if again := w.profileOf(iinC, binX); again.Status != participant.Active || again.ID != p.ID {
		t.Errorf("profile %+v", again)
	}
}

// NT-30: the link opened by a person with another IIN: refused, counted, and still good for its own.
func TestNT30InvitationOfAnother(t *testing.T) {
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	w.individual(iinB, "ТЕСТОВ ТЕСТ", "b@example.kz")
	head := w.browser()
	head.login(w.head(iinA, binX), passA).fillInvite(0, 30).sign(w.head(iinA, binX)).says("Приглашение отправлено")
	thief := w.browser()
	thief.get(w.path("N-24")).silentAbout("АО «ТЕСТ»", iinC, "123 456 789 013").signAnyway(w.personal(iinB)).refused("CERT_OTHER_PERSON").says("не тронуто").
		silentAbout("АО «ТЕСТ»", "123 456 789 013")
	thief.get("/login").sign(w.personal(iinB)).post("/login/password", "password", passC).at("/me")
	thief.get(w.path("N-24")).says("Войдите своим ключом").silentAbout("АО «ТЕСТ»")
	thief.post("/invite/accept", "t", token(w.path("N-24")), "answer", answerOf("<a/>")).refused("CERT_OTHER_PERSON")

	// C stands on the page, and B's key signs.
	c := w.browser()
	c.get(w.path("N-24")).sign(w.personal(iinC)).at("/login/password").post("/login/password", "password", passC).at("/invite/accept").
		says("ТЕСТТОВ ТЕСТТ").says("АО «ТЕСТ»").says("17/26").says("Просмотр счетов-фактур")
	c.signAnyway(w.personal(iinB)).refused("CERT_OTHER_PERSON")
	if s := w.statusOf(iinB, binX) + w.statusOf(iinC, binX); s != "" {
		t.Errorf("somebody became a user: %s", s)
	}
	var failed int
	w.must(w.store.Participant().View(t.Context(), func(tx participant.Tx) error {
		i, err := tx.InvitationByLink(t.Context(), string(participant.KeyOf(token(w.path("N-24")))))
		failed = i.Failed
		return err
	}))
	if failed != 2 {
		t.Errorf("%d other people counted, want the two signatures", failed)
	}
	c.get("/invite/accept").sign(w.personal(iinC)).says("Приглашение принято").says("123 456 789 021")
	if w.statusOf(iinC, binX) != participant.Active {
		t.Error("the invited person could not accept any more")
	}
	c.get(w.path("N-24")).refused("LINK_STALE")
}

// NT-23: a mail scanner opens the link of N-24 three times; nothing is accepted and nothing is written.
func TestNT23ScannerOfInvitations(t *testing.T) {
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	head := w.browser()
	head.login(w.head(iinA, binX), passA).fillInvite(0, 30).sign(w.head(iinA, binX)).says("Приглашение отправлено")
	c := w.browser()
	c.login(w.personal(iinC), passC).at("/me")
	w.mu.Lock()
	before := w.updates
	w.mu.Unlock()
	for range 3 {
		w.browser().get(w.path("N-24")).says("Приглашение в предприятие")
		c.get(w.path("N-24")).says("приглашает вас")
	}
	w.browser().get("/invite?t=AAAA").refused("LINK_STALE")
	w.browser().get("/invite/accept").at("/login")
	w.mu.Lock()
	wrote := w.updates - before
	w.mu.Unlock()
	if wrote != 0 || w.statusOf(iinC, binX) != "" {
		t.Errorf("%d writes, C is %q", wrote, w.statusOf(iinC, binX))
	}
	c.get(w.path("N-24")).sign(w.personal(iinC)).says("Приглашение принято") // signed in already: no second password
}

// P-31: the head changes and the new one does nothing for 14 days.
func TestP31InvitedUserUnconfirmed(t *testing.T) {
	w, _ := invitedC(t)
	user := w.browser()
	user.enterX().at("/me")
	w.changeHead()
	if n := w.count("N-07") + w.count("N-07.closed"); n != 1 || w.letter("N-07").To != "c@example.kz" {
		t.Errorf("%d letters at the change", n)
	}
	w.pass(14*24*time.Hour - time.Minute)
	w.runJobs()
	user = w.browser()
	user.enterX().at("/me")
	if w.statusOf(iinC, binX) != participant.Active {
		t.Error("closed before the fourteen days")
	}
	w.pass(time.Minute)
	w.runJobs()
	if p := w.profileOf(iinC, binX); p.Status != participant.HeadChangeBlocked || p.Reason != participant.ReasonReconfirm {
		t.Errorf("after 14 days: %+v", p)
	}
	if w.count("N-07") != 1 || w.count("N-07.closed") != 1 || w.letter("N-07.closed").To != "c@example.kz" {
		t.Error("N-07 did not go twice: asked, closed")
	}
	user.get("/me").closed("SESSION_PROFILE")
	user.login(w.employee(iinC, binX), passC).get("/login/profile").says("Не подтверждён новым руководителем")
	// the new head may still confirm him
	b := w.browser()
	b.login(w.head(iinB, binX), passB).get("/org/users/sign?do=reconfirm&user=" + w.profileOf(iinC, binX).ID).sign(w.head(iinB, binX)).at("/org/users")
	if w.statusOf(iinC, binX) != participant.Active {
		t.Error("the new head could not confirm him afterwards")
	}
}

// changeHead makes B the head of X.
func (w *world) changeHead() {
	w.t.Helper()
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).at("/login/password").post("/login/password", "password", passB).at("?done=1")
	if !strings.Contains(b.page, `data-rule="G7" data-verdict="good"`) { // what was checked stands where he lands
		w.t.Errorf("%s does not show the gate:\n%s", b.path, text(b.page))
	}
	if strings.HasPrefix(b.path, "/org/users") {
		if b.get("/org/users"); strings.Contains(b.page, "data-rule=") {
			w.t.Error("the gate stands on the page of users for ever")
		}
	}
}

// P-31: the new head sees the users at once and confirms them with one signature: nothing closes.
func TestP31NewHeadConfirms(t *testing.T) {
	w, old := invitedC(t)
	w.changeHead()
	old.get("/org/users").closed("SESSION_HEAD")
	b := w.browser()
	id := w.profileOf(iinC, binX).ID
	b.login(w.head(iinB, binX), passB).at("/me").says("Этих людей пригласил прежний руководитель").get("/org/users").says("пригласил прежний руководитель").says("Ждёт вашего подтверждения до")
	b.get("/org/users/sign?do=reconfirm&user=" + id).says("СЕРИКОВА АЙГУЛЬ").signAnyway(w.head(iinA, binX)).refused("CERT_OTHER_PERSON")
	b.get("/org/users/sign?do=reconfirm&user=" + id).signAnyway(w.head(iinB, binY)).refused("CERT_WRONG_BIN")
	_, signed, fields := b.get("/org/users/sign?do=reconfirm&user=" + id).signature(w.head(iinB, binX))
	b.post("/org/users/sign", "do", "remove", "users", id, "answer", signed).refused("SIGNATURE_INVALID") // another act
	b.post("/org/users/sign", append(fields, "answer", signed)...).at("/org/users").silentAbout("Ждёт вашего подтверждения")
	b.post("/org/users/sign", append(fields, "answer", signed)...).refused("USERS_OTHER") // not twice
	w.pass(15 * 24 * time.Hour)
	w.runJobs()
	if p := w.profileOf(iinC, binX); p.Status != participant.Active || p.Reason != participant.ReasonReconfirmed || !p.ReconfirmBy.IsZero() {
		t.Errorf("confirmed, and then %+v", p)
	}
	if w.count("N-07.closed") != 0 || w.audited("invite.reconfirmed") == 0 {
		t.Error("a confirmed user was told that he is closed, or nothing was recorded")
	}
	// He acts by what the new head signed, which names the same permissions.
	act, files, err := w.office.PowerOfAttorney(t.Context(), w.profileOf(iinC, binX), id)
	if err != nil || act.Kind != participant.ActUsers || act.IIN != iinB || len(files) != 2 || !strings.Contains(string(files[0].Body), "<proxy>17/26</proxy>") {
		t.Errorf("the power of attorney: %s, %d files, %v", act.Kind, len(files), err)
	}
}

// rereg.invited_users: keep leaves users alone, block closes them at once.
func TestP31OtherSettings(t *testing.T) {
	for fate, want := range map[participant.Fate]participant.Status{participant.Keep: participant.Active, participant.Block: participant.HeadChangeBlocked} {
		w := newWorldWith(t, func(c *participant.Config) { c.Invited = fate })
		w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
		head := w.browser()
		head.login(w.head(iinA, binX), passA).fillInvite(0, 30).sign(w.head(iinA, binX)).says("Приглашение отправлено")
		w.browser().get(w.path("N-24")).acceptAs(w.personal(iinC)).says("Приглашение принято")
		w.changeHead()
		w.pass(15 * 24 * time.Hour)
		w.runJobs()
		if s := w.statusOf(iinC, binX); s != want {
			t.Errorf("%s: %s", fate, s)
		}
		closed := map[participant.Fate]int{participant.Block: 1}[fate]
		if w.count("N-07") != 0 || w.count("N-07.closed") != closed {
			t.Errorf("%s: %d asked, %d closed", fate, w.count("N-07"), w.count("N-07.closed"))
		}
	}
}

// The term: PROXY_NOT_YET before it, PERMISSIONS_EXPIRED after it, on the days of Astana.
func TestInviteTerm(t *testing.T) {
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	head := w.browser()
	head.login(w.head(iinA, binX), passA).fillInvite(2, 3).sign(w.head(iinA, binX)).says("Приглашение отправлено")
	w.browser().get(w.path("N-24")).acceptAs(w.personal(iinC)).says("Приглашение принято")
	g := w.profileOf(iinC, binX).Grant
	w.browser().enterX().refused("PROXY_NOT_YET").says("Срок действий от имени предприятия начнётся " + lang.RU.Date(g.From))
	w.browser().login(w.employee(iinC, binX), passC).get("/login/profile").says("начнётся " + lang.RU.Date(g.From))
	w.pass(g.From.Sub(w.time()))
	w.browser().enterX().at("/me").says("АО «ТЕСТ»")
	w.pass(g.To.Sub(w.time()) - time.Second)
	b := w.browser()
	b.enterX().at("/me").says("АО «ТЕСТ»")
	w.pass(time.Second)
	b.get("/me").at("/login/profile").says("Срок действий от имени предприятия истёк: последний день " + lang.RU.Date(g.LastDay()))
	b.post("/login/profile", "profile", w.profileOf(iinC, binX).ID).refused("PERMISSIONS_EXPIRED")
}

// Every bad input of the form, all at once, and everything typed is kept.
func TestInviteForm(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	b.post("/org/users/invite")
	for _, want := range []string{"ИИН приглашаемого", "E-mail", "Отметьте хотя бы одно право", "Номер доверенности"} {
		b.says(want)
	}
	if b.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", b.status)
	}
	for _, c := range []struct{ field, value, says string }{
		{"iin", iinA, "Нельзя пригласить самого себя"}, {"iin", "123", "ошибка в контрольной цифре"}, {"email", "c.example.kz", "Проверьте адрес"},
		{"proxy", strings.Repeat("1", 41), "Слишком длинный"}, {"from", "31.02.2026", "Проверьте дату"}, {"to", w.day(-1), "Последний день уже прошёл"},
		{"to", w.day(3 * 366), "не дольше чем на три года"},
	} {
		b.fillInvite(0, 30, c.field, c.value).says(c.says)
		if b.status != http.StatusUnprocessableEntity || !strings.Contains(b.page, `value="17/26"`) && c.field != "proxy" {
			t.Errorf("%s %q: status %d, or what was typed is lost", c.field, c.value, b.status)
		}
	}
	b.fillInvite(9, 8).says("Последний день раньше первого")
	b.fillInvite(0, 30, "proxy", `<b>"'&</b>`).says(`<b>"'&</b>`)
	if strings.Contains(b.page, "<b>\"") {
		t.Error("what was typed stands unescaped")
	}
}

// The head's signature: only his, only of the company, only over what we show; then nothing is sent.
func TestInviteSignature(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).fillInvite(0, 30)
	page := b.path
	b.signAnyway(w.head(iinB, binX)).refused("CERT_OTHER_PERSON")
	b.get(page).signAnyway(w.head(iinA, binY)).refused("CERT_WRONG_BIN")
	b.get(page).signAnyway(w.personal(iinA)).refused("CERT_WRONG_BIN")
	revoked := w.head(iinA, binX)
	w.revoke(revoked)
	b.get(page).sign(revoked).refused("CERT_REVOKED")
	w.silent(true)
	b.get(page).sign(w.head(iinA, binX)).refused("CHECK_UNAVAILABLE")
	w.silent(false)
	action, signed, _ := b.get(page).signature(w.head(iinA, binX))
	b.post(action, "answer", strings.Replace(signed, "17/26", "18/26", 1)).refused("SIGNATURE_INVALID")
	b.post(action, "answer", "nonsense").refused("SIGNATURE_INVALID")
	other := w.browser() // of another company: not his draft
	other.login(w.head(iinA, binY), passA).post(action, "answer", signed)
	if other.status != http.StatusNotFound || w.count("N-24") != 0 {
		t.Errorf("status %d, %d letters", other.status, w.count("N-24"))
	}
	b.post(action, "answer", signed).says("Приглашение отправлено")
	if b.post(action, "answer", signed); b.status != http.StatusNotFound || w.count("N-24") != 1 {
		t.Errorf("twice: status %d, %d letters", b.status, w.count("N-24"))
	}
}

// A newer invitation replaces the former; a withdrawn one, an old one, and one of a former head are stale.
func TestInviteEnds(t *testing.T) {
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	b := w.browser()
	key := w.head(iinA, binX)
	invite := func() string {
		b.login(key, passA).fillInvite(0, 300).sign(key).says("Приглашение отправлено")
		return w.path("N-24")
	}
	first := invite()
	second := invite()
	w.browser().get(first).refused("LINK_STALE")
	w.browser().get(second).says("Приглашение в предприятие")
	b.get("/org/users").says("Приглашения, которые ждут ответа").says("c@example.kz")
	id := between(b.page, `name="id" value="`, `"`)
	w.browser().post("/org/users/withdraw", "id", id).at("/login")
	other := w.browser()
	if other.login(w.head(iinA, binY), passA).post("/org/users/withdraw", "id", id); other.status != http.StatusNotFound {
		t.Errorf("another company withdrew it: %d", other.status)
	}
	b.post("/org/users/withdraw", "id", id).at("/org/users").silentAbout("c@example.kz")
	w.browser().get(second).refused("LINK_STALE")
	third := invite()
	w.pass(7 * 24 * time.Hour)
	w.browser().get(third).refused("LINK_STALE")
	fourth := invite()
	w.changeHead()
	w.browser().get(fourth).refused("LINK_STALE").says("при смене руководителя")
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// Who is not registered is told to register first; the invitation waits for him.
func TestInviteStranger(t *testing.T) {
	w := newWorld(t)
	head := w.browser()
	head.login(w.head(iinA, binX), passA).fillInvite(0, 30).sign(w.head(iinA, binX)).says("Приглашение отправлено")
	link := w.path("N-24")
	b := w.browser()
	b.get(link).sign(w.personal(iinC)).refused("NOT_REGISTERED").says("откройте ссылку из письма ещё раз").silentAbout("АО «ТЕСТ»")
	b.begin(participant.Individual).sign(w.personal(iinC)).at("/2").fill("c@example.kz", passC).at("/3").sign(w.personal(iinC)).at("/4")
	b.follow().sign(w.personal(iinC)).post("/login/password", "password", passC).at("/me?done=1")
	w.browser().get(link).acceptAs(w.personal(iinC)).says("Приглашение принято")
}

// One link and one signature, pressed by many at once: accepted once.
func TestInviteAcceptedOnce(t *testing.T) {
	w := newWorld(t)
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	head := w.browser()
	head.login(w.head(iinA, binX), passA).fillInvite(0, 30).sign(w.head(iinA, binX)).says("Приглашение отправлено")
	b := w.browser()
	b.login(w.personal(iinC), passC).get(w.path("N-24"))
	_, _, document, _ := b.asked()
	_, answer, _ := b.signature(w.personal(iinC))
	signed := unanswered(t, answer)
	if !strings.Contains(document, "<acceptance>") {
		t.Fatalf("signed: %s", document)
	}
	key := participant.KeyOf(token(w.path("N-24")))
	var done atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := w.office.Accept(context.WithoutCancel(t.Context()), key, iinC, signed); err == nil {
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || w.statusOf(iinC, binX) != participant.Active {
		t.Errorf("accepted %d times", done.Load())
	}
}

func unanswered(t *testing.T, answer string) []byte {
	t.Helper()
	var all []string
	if err := json.Unmarshal([]byte(answer), &all); err != nil || len(all) != 1 {
		t.Fatalf("answer %q: %v", answer, err)
	}
	return []byte(all[0])
}

// Every page says its words in three languages, and no GET writes.
func TestInvitePagesGets(t *testing.T) {
	w, _ := invitedC(t)
	w.changeHead()
	b := w.browser()
	b.login(w.head(iinB, binX), passB).at("/me")
	b.fillInvite(0, 30).sign(w.head(iinB, binX)).says("Приглашение отправлено")
	b.fillInvite(0, 30)
	draft := b.path
	c := w.browser()
	c.login(w.personal(iinC), passC).at("/me")
	id := w.profileOf(iinC, binX).ID
	w.mu.Lock()
	before := w.updates
	w.mu.Unlock()
	for _, l := range []string{"kk", "ru", "en"} {
		for path, who := range map[string]*browser{"/org/users?lang=" + l: b, "/org/users/invite?lang=" + l: b, draft + "?lang=" + l: b, w.path("N-24") + "&lang=" + l: c,
			"/org/users/sign?do=remove&user=" + id + "&lang=" + l: b, "/org/users/sign?do=reconfirm&user=" + id + "&lang=" + l: b, "/me?lang=" + l: b} {
			who.get(path)
			if who.status != http.StatusOK {
				t.Errorf("%s: %d %s", path, who.status, text(who.page))
			}
			for _, key := range []string{"[invite.", "[portal.", "[codes.", "[web."} {
				if strings.Contains(who.page, key) {
					t.Errorf("%s shows a key %s", path, key)
				}
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.updates != before {
		t.Errorf("%d GETs wrote", w.updates-before)
	}
}
