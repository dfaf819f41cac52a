package portal

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/participant"
)

var againForm = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)">\s*<input type="hidden" name="([^"]*)" value="([^"]*)">\s*<button[^>]*>\s*Повторить проверку`)

// checkAgain presses «Повторить проверку».
func (b *browser) checkAgain() *browser {
	b.w.t.Helper()
	m := againForm.FindStringSubmatch(b.page)
	if m == nil {
		b.w.t.Fatalf("%s (%d) does not offer to check again:\n%s", b.path, b.status, text(b.page))
	}
	return b.post(m[1], m[2], html.UnescapeString(m[3]))
}

// gateShown checks that all nine rules are on the page, whatever became of them.
func (b *browser) gateShown() *browser {
	b.w.t.Helper()
	for _, rule := range []string{"G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9"} {
		if !strings.Contains(b.page, `data-rule="`+rule+`"`) {
			b.w.t.Errorf("%s does not show %s", b.path, rule)
		}
	}
	return b.says("Протокол сохранён под номером")
}

// A gate that could not check at step 3 and at completion is asked again by a button, with neither another signature
// nor the password; all it looked at is shown, also when it passes.
func TestCheckedAgain(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	key := w.head(iinB, binX)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(key).at("/2").fill("b@example.kz", passB).at("/3")
	w.silent(true)
	b.sign(key).refused("CHECK_UNAVAILABLE").gateShown().checkAgain().refused("CHECK_UNAVAILABLE")
	if w.count("N-15") != 0 {
		t.Error("a letter went out")
	}
	w.silent(false)
	b.checkAgain().at("/4").follow().sign(key).at("/login/password")
	w.silent(true)
	b.post("/login/password", "password", passB).refused("CHECK_UNAVAILABLE").gateShown().checkAgain().refused("CHECK_UNAVAILABLE")
	page := *b
	w.silent(false)
	b.checkAgain().at("/me?done=1").gateShown()
	b.get("/me").gateShown()
	e := b.page
	if !strings.Contains(e, `data-evidence="`+w.profileOf(iinB, binX).Evidence+`"`) {
		t.Error("another run of the gate is shown")
	}
	page.checkAgain().refused("SIGNIN_STALE") // the proof went with the session that completed

	// Who gave no password gains nothing by the button.
	c := w.browser()
	c.get("/login").sign(key).at("/login/password").post("/login/password", "act", "recheck").at("/login/password")
	c.get("/me").at("/login")
}

// A password changed, or time gone by, since the gate could not check: it is asked for again.
func TestCheckedAgainNeedsThePassword(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	w.individual(iinB, "ТЕСТОВ ТЕСТ", "b@example.kz")
	key := w.head(iinB, binX)
	stand := func() *browser {
		b := w.browser()
		b.begin(participant.LegalEntity).sign(key).at("/2").post(b.path, "current", passC).at("/3").sign(key).at("/4").follow().sign(key).at("/login/password")
		w.silent(true)
		b.post("/login/password", "password", passC).refused("CHECK_UNAVAILABLE")
		w.silent(false)
		return b
	}
	b := stand()
	w.pass(proofLife + time.Second)
	b.checkAgain().refused("SIGNIN_STALE")
	b = stand()
	w.must(w.store.Participant().Update(t.Context(), func(tx participant.Tx) error {
		a, err := tx.Account(t.Context(), iinB)
		if err != nil {
			return err
		}
		a.PasswordChanged = w.time().Add(time.Second)
		return tx.PutAccount(t.Context(), a)
	}))
	b.checkAgain().at("/login/password")
	if w.statusOf(iinB, binX) != "" {
		t.Error("a registration was completed without the password in force")
	}
}

// What stops a completion for good is shown whole, and not offered again.
func TestRefusedCompletionShowsTheGate(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	w.heads(iinA, "")
	b.follow().sign(w.head(iinB, binX)).at("/login/password").post("/login/password", "password", passB).refused("REGISTRY_OTHER_HEAD").gateShown().
		silentAbout("Повторить проверку", "СКРЫТАЯ", iinA)
}

// A draft is found again from «Регистрация пользователя» in the browser that began it, and in no other.
func TestDraftsAreFoundAgain(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.get("/register").silentAbout("Продолжить:")
	b.begin(participant.Individual).sign(w.personal(iinB)).at("/2")
	page := b.path
	b.begin(participant.SoleProprietor)
	b.get("/register").says("Регистрации, которые вы начали").says("Продолжить: Физическое лицо Шаг 2 из 4 · Регистрационные данные").says("Продолжить: Индивидуальный предприниматель Шаг 1 из 4")
	m := regexp.MustCompile(`href="(/register/[^"]+)">Продолжить: Физическое`).FindStringSubmatch(b.page)
	if m == nil {
		t.Fatal(b.page)
	}
	b.get(m[1])
	if b.path != page {
		t.Errorf("stands at %s, want %s", b.path, page)
	}
	w.browser().get("/register").silentAbout("Продолжить:")
	b.post(strings.TrimSuffix(page, "2") + "cancel").get("/register").silentAbout("Физическое лицо Шаг")
	w.pass(73 * time.Hour)
	b.get("/register").silentAbout("Продолжить:")
}

// Every session that goes on can be ended by itself, however many sign-ins came after it.
func TestOldOpenSessionsAreListed(t *testing.T) {
	w := newWorld(t)
	key := w.head(iinA, binX)
	old := w.browser()
	old.login(key, passA).at("/me")
	b := w.browser()
	for range participant.KeptEntries {
		b.login(key, passA).at("/me")
		w.pass(time.Second)
	}
	b.get("/me/entries")
	open := regexp.MustCompile(`data-entry="([^"]+)" data-open`).FindAllStringSubmatch(b.page, -1)
	if len(open) != 2 {
		t.Fatalf("%d open sessions are listed, want the present and the first", len(open))
	}
	if n := strings.Count(b.page, "data-entry="); n != 2+shownEntries-1 {
		t.Errorf("%d sign-ins are listed", n)
	}
	b.post("/me/sessions/end", "entry", open[1][1])
	old.get("/me").closed("SESSION_PERSON")
	b.get("/me").at("/me")
}
