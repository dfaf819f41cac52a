package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/pki"
)

// path is where a letter's link leads, on our own server.
func (w *world) path(n string) string {
	w.t.Helper()
	link, err := url.Parse(w.letter(n).Vars["link"])
	w.must(err)
	return link.RequestURI()
}

// askEmail fills «Изменить e-mail» and stands on the page that asks for the signature.
func (b *browser) askEmail(iin, email string) *browser {
	b.w.t.Helper()
	return b.get("/login/change-email").post("/login/change-email", "iin", iin, "email", email, "email2", email).at("/login/change-email/sign")
}

func (w *world) account(iin ident.IIN) participant.Account {
	w.t.Helper()
	a, err := w.office.Account(w.t.Context(), iin)
	w.must(err)
	return a
}

// runJobs does the work that waits of a kind, as the store would.
func (w *world) runJobs() {
	w.t.Helper()
	w.mu.Lock()
	waiting := w.jobs
	w.jobs = nil
	w.mu.Unlock()
	for _, j := range waiting {
		switch p := j.Payload.(type) {
		case participant.ReconfirmJob:
			if j.At.After(w.time()) {
				w.mu.Lock()
				w.jobs = append(w.jobs, j)
				w.mu.Unlock()
				continue
			}
			w.must(w.office.CloseUnconfirmed(w.t.Context(), p.Profile))
		case participant.ResetJob:
			w.must(w.office.SendReset(w.t.Context(), p.ID))
		case participant.EmailJob:
			if j.At.After(w.time()) {
				w.mu.Lock()
				w.jobs = append(w.jobs, j)
				w.mu.Unlock()
				continue
			}
			w.must(w.office.ApplyEmail(w.t.Context(), p.ID))
		}
	}
}

// askReset fills «Сменить пароль» and runs the job behind it.
func (b *browser) askReset(iin, email string) *browser {
	b.w.t.Helper()
	b.get("/login/reset-password").post("/login/reset-password", "iin", iin, "email", email).at("/login/reset-password/sent")
	page := b.page
	b.w.runJobs()
	b.page = page
	return b
}

// E1 to E3: change of address, with the signing key alone.
func TestE3ChangeEmail(t *testing.T) {
	w := newWorld(t)
	signedIn := w.browser()
	signedIn.login(w.head(iinA, binX), passA).at("/me")
	b := w.browser()
	b.askEmail("123 456 789 012", "new@example.kz").says("new@example.kz").says("action: change-email").says("email: new@example.kz")
	_, call, _, _ := b.asked()
	if got := call.Args.(map[string]any)["signerParams"].(map[string]any)["iin"]; got != iinA {
		t.Errorf("the agent shows keys of %v", got)
	}
	b.sign(w.personal(iinA)).at("/login/change-email/sent").says("n***@example.kz").silentAbout("new@example.kz", "a***@example.kz")
	if m := w.letter("N-16"); m.To != "new@example.kz" || !strings.HasPrefix(m.Vars["link"], "http://localhost:8081/login/change-email/confirm?t=") {
		t.Errorf("N-16: %+v", m)
	}
	if m := w.letter("N-17"); m.To != "a@example.kz" || m.Vars["masked"] != "n***@example.kz" {
		t.Errorf("N-17: %+v", m)
	}
	for range 3 { // a mail scanner follows both links (NT-23)
		w.browser().get(w.path("N-16")).says("Подтвердить")
		w.browser().get(w.path("N-17")).says("Это не я")
	}
	if a := w.account(iinA); a.Email != "a@example.kz" {
		t.Fatalf("changed to %s before it was confirmed", a.Email)
	}
	c := w.browser()
	c.get(w.path("N-16")).post("/login/change-email/confirm", "t", token(w.path("N-16"))).says("E-mail изменён").says("Шаг 2")
	if a := w.account(iinA); a.Email != "new@example.kz" || !a.EmailConfirmed.Equal(w.time()) {
		t.Errorf("account has %s", a.Email)
	}
	signedIn.get("/me").closed("SESSION_EMAIL") // S5
	c.get(w.path("N-16")).refused("LINK_STALE").says("новый запрос отменяет прежний")
	c.post("/login/change-email/confirm", "t", token(w.path("N-16"))).refused("LINK_STALE")
	c.get(w.path("N-17")).says("E-mail уже изменён")
}

func token(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		panic(err)
	}
	return u.Query().Get("t")
}

// P-28: another person's certificate.
func TestP28OtherPerson(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.askEmail(iinA, "thief@example.kz").signAnyway(w.personal(iinC)).refused("CERT_OTHER_PERSON").says("Ничего не изменено")
	b.silentAbout(iinA, "123 456 789 012", "a***@example.kz")
	if n := w.count("N-16") + w.count("N-17"); n != 0 {
		t.Errorf("%d letters", n)
	}
	b.get("/login/change-email/sign").sign(w.head(iinA, binX)).at("/login/change-email/sent") // what was typed is kept
}

// Every bad input at the signature of a change of e-mail: refused by its name, nothing sent.
func TestE2BadSignatures(t *testing.T) {
	w := newWorld(t)
	now := w.time()
	h := pkitest.Person()
	h.IIN = iinA
	classic, signIn := w.authority.ClassicPair(h)
	revoked := w.personal(iinA)
	w.revoke(revoked)
	for _, c := range []struct {
		name, code string
		key        *pkitest.Leaf
	}{
		{"expired", "CERT_EXPIRED", w.issue(iinA, binX, pki.RoleFirstHead, func(s *pkitest.Spec) { s.NotBefore, s.NotAfter = now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1) })},
		{"revoked", "CERT_REVOKED", revoked},
		{"foreign", "CERT_UNTRUSTED", w.authority.Foreign()},
		{"AUTH key", "CERT_NOT_FOR_SIGNING", signIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.browser().askEmail(iinA, "new@example.kz").signAnyway(c.key).refused(c.code)
		})
	}
	key := w.personal(iinA)
	t.Run("cannot check", func(t *testing.T) {
		w.silent(true)
		defer w.silent(false)
		w.browser().askEmail(iinA, "new@example.kz").sign(key).refused("CHECK_UNAVAILABLE")
	})
	t.Run("tampered", func(t *testing.T) {
		b := w.browser().askEmail(iinA, "new@example.kz")
		action, _, data, _ := b.asked()
		signed := []byte(unbase64(t, w.signText(key, data)))
		signed[len(signed)-5] ^= 1
		b.post(action, "answer", answerOf(base64of(string(signed)))).refused("SIGNATURE_INVALID")
		b.get(action).post(action, "answer", "").refused("AGENT_ANSWER")
	})
	t.Run("another address than shown", func(t *testing.T) {
		b := w.browser().askEmail(iinA, "new@example.kz")
		action, answer, _ := b.signature(key)
		b.post("/login/change-email", "iin", iinA, "email", "thief@example.kz", "email2", "thief@example.kz")
		b.post(action, "answer", answer).refused("SIGNATURE_INVALID")
	})
	t.Run("exchanged without a new page", func(t *testing.T) {
		b := w.browser().askEmail(iinA, "new@example.kz")
		action, answer, _ := b.signature(key)
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.post("/login/change-email", "iin", iinA, "email", "thief@example.kz", "email2", "thief@example.kz")
		b.post(action, "answer", answer).refused("SIGNATURE_INVALID")
	})
	t.Run("sign-in's answer", func(t *testing.T) {
		b := w.browser()
		_, answer, _ := b.get("/login").signature(key)
		b.askEmail(iinA, "new@example.kz").post("/login/change-email/sign", "answer", answer).refused("SIGNATURE_INVALID")
	})
	t.Run("too late", func(t *testing.T) {
		b := w.browser().askEmail(iinA, "new@example.kz")
		action, answer, _ := b.signature(key)
		w.pass(5*time.Minute + time.Second)
		b.post(action, "answer", answer).refused("CHALLENGE_STALE")
		w.pass(15 * time.Minute)
		b.get(action).refused("ACT_STALE")
	})
	t.Run("another browser", func(t *testing.T) {
		b := w.browser().askEmail(iinA, "new@example.kz")
		action, answer, _ := b.signature(key)
		w.browser().post(action, "answer", answer).refused("CHALLENGE_STALE")
		w.browser().get(action).refused("ACT_STALE")
	})
	t.Run("nobody known", func(t *testing.T) {
		w.browser().askEmail(iinC, "c@example.kz").sign(w.personal(iinC)).refused("NOT_REGISTERED")
	})
	t.Run("the same address", func(t *testing.T) {
		w.browser().askEmail(iinA, "A@example.kz").sign(key).refused("EMAIL_SAME")
	})
	if n := w.count("N-16") + w.count("N-17"); n != 0 {
		t.Errorf("%d letters", n)
	}
	t.Run("replay", func(t *testing.T) {
		b := w.browser().askEmail(iinA, "new@example.kz")
		action, answer, _ := b.signature(classic)
		b.post(action, "answer", answer).at("/sent")
		b.post(action, "answer", answer).refused("CHALLENGE_STALE")
		b.get(action).refused("ACT_STALE")
		if n := w.count("N-16"); n != 1 {
			t.Errorf("%d letters", n)
		}
	})
	t.Run("the form", func(t *testing.T) {
		b := w.browser()
		b.get("/login/change-email").post("/login/change-email", "iin", "12", "email", "x", "email2", "")
		if b.status != http.StatusUnprocessableEntity {
			t.Errorf("status %d", b.status)
		}
		b.says("Проверьте номер").says("Проверьте адрес")
		b.post("/login/change-email", "iin", iinA, "email", "a@example.kz", "email2", "b@example.kz").says("различаются")
		for _, bad := range []string{"", "x", strings.Repeat("x", 500)} {
			b.get("/login/change-email/confirm?t=" + bad).refused("LINK_STALE")
			b.post("/login/change-email/confirm", "t", bad).refused("LINK_STALE")
			b.get("/login/change-email/not-me?t=" + bad).refused("LINK_STALE")
			b.post("/login/change-email/not-me", "t", bad).refused("LINK_STALE")
			b.get("/login/reset-password/set?t=" + bad).refused("LINK_STALE")
			b.post("/login/reset-password/set", "t", bad, "password", "tall-birch-93", "password2", "tall-birch-93").refused("LINK_STALE")
		}
	})
}

// The link of a change is good for a day, and a newer signature takes its place; the two letters'
// links do not stand in for each other.
func TestE3Links(t *testing.T) {
	w := newWorld(t)
	key := w.personal(iinA)
	w.browser().askEmail(iinA, "one@example.kz").sign(key).at("/sent")
	first := w.path("N-16")
	w.browser().get("/login/change-email/confirm?t=" + token(w.path("N-17"))).refused("LINK_STALE")
	w.browser().get("/login/change-email/not-me?t=" + token(first)).refused("LINK_STALE")
	w.browser().askEmail(iinA, "two@example.kz").sign(key).at("/sent")
	w.browser().post("/login/change-email/confirm", "t", token(first)).refused("LINK_STALE")
	w.pass(24*time.Hour + time.Second)
	w.browser().post("/login/change-email/confirm", "t", token(w.path("N-16"))).refused("LINK_STALE")
	if a := w.account(iinA); a.Email != "a@example.kz" {
		t.Errorf("changed to %s", a.Email)
	}
	w.browser().askEmail(iinA, "three@example.kz").sign(key).at("/sent")
	w.browser().post("/login/change-email/not-me", "t", token(w.path("N-17"))).says("Смена e-mail отменена")
	w.browser().post("/login/change-email/confirm", "t", token(w.path("N-16"))).refused("LINK_STALE")
	for _, s := range []string{"4", "5", "6"} {
		w.browser().askEmail(iinA, "n"+s+"@example.kz").sign(key)
	}
	b := w.browser().askEmail(iinA, "n7@example.kz")
	b.sign(key).at("/sent")
	w.browser().askEmail(iinA, "n8@example.kz").sign(key).refused("RECOVERY_TOO_OFTEN")
}

// P-29: with a delay of a day, «Это не я» after 23 hours cancels; after 25 it shows the way out.
func TestP29NotMe(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		says  string
		email string
	}{{23 * time.Hour, "Смена e-mail отменена", "a@example.kz"}, {25 * time.Hour, "E-mail уже изменён", "new@example.kz"}} {
		t.Run(c.after.String(), func(t *testing.T) {
			w := newWorldWith(t, func(p *participant.Config) { p.EmailChangeDelay = 24 * time.Hour })
			w.browser().askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).at("/sent")
			w.browser().post("/login/change-email/confirm", "t", token(w.path("N-16"))).says("начнёт действовать")
			w.runJobs()
			if a := w.account(iinA); a.Email != "a@example.kz" {
				t.Fatalf("changed before the delay: %s", a.Email)
			}
			w.pass(c.after) // the job that follows may be late: the moment decides
			b := w.browser()
			b.get(w.path("N-17")).post("/login/change-email/not-me", "t", token(w.path("N-17"))).says(c.says).says("ЦОН").says("Отозвать ключ")
			w.pass(2 * time.Hour)
			w.runJobs()
			if a := w.account(iinA); a.Email != c.email {
				t.Errorf("address is %s, want %s", a.Email, c.email)
			}
			if n := w.audited("email.change.disputed"); n != 1 {
				t.Errorf("%d events email.change.disputed", n)
			}
		})
	}
}

// P-27: unknown number, known number with another address, and the right one: the same bytes; the
// letter goes only in the right case.
func TestP27SameAnswer(t *testing.T) {
	w := newWorld(t)
	seen, work := map[string]string{}, map[[2]int]string{}
	did := func() [2]int { // what takes the time of an answer: transactions that write, and jobs left for later
		w.mu.Lock()
		defer w.mu.Unlock()
		return [2]int{w.updates, len(w.jobs)}
	}
	for name, c := range map[string][2]string{"unknown": {iinC, "c@example.kz"}, "wrong address": {iinA, "x@example.kz"}, "right": {iinA, "a@example.kz"}} {
		b := w.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		before := did()
		b.post("/login/reset-password", "iin", c[0], "email", c[1])
		after := did()
		work[[2]int{after[0] - before[0], after[1] - before[1]}] = name
		answer := b.whole()
		b.client.CheckRedirect = nil
		b.get("/login/reset-password/sent")
		answer += b.whole()
		b.says("Если данные верны, мы отправили письмо")
		sum := sha256.Sum256([]byte(answer))
		seen[hex.EncodeToString(sum[:])] = name
		if w.count("N-18") != 0 {
			t.Error("a letter was written while the page was answered")
		}
	}
	if len(seen) != 1 {
		t.Errorf("%d different answers", len(seen))
	}
	if len(work) != 1 || work[[2]int{1, 1}] == "" {
		t.Errorf("the answers take different work: %v", work)
	}
	// The address is changed by the key alone: what is typed is answered the same, known or not.
	clear(seen)
	for _, iin := range []string{iinC, iinA} {
		b := w.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.post("/login/change-email", "iin", iin, "email", "new@example.kz", "email2", "new@example.kz")
		seen[b.whole()] = iin
	}
	if len(seen) != 1 {
		t.Errorf("%d different answers to a change of address", len(seen))
	}
	w.runJobs()
	if n := w.count("N-18"); n != 1 || w.letter("N-18").To != "a@example.kz" {
		t.Errorf("%d letters", n)
	}
	for range 5 { // three links in an hour
		w.browser().askReset(iinA, "A@example.kz")
	}
	if n := w.count("N-18"); n != 3 {
		t.Errorf("%d letters in an hour, want 3", n)
	}
	w.pass(time.Hour + time.Second)
	w.browser().askReset(iinA, "a@example.kz")
	if n := w.count("N-18"); n != 4 {
		t.Errorf("%d letters, want 4", n)
	}
}

// newPassword opens the newest link and stands where the signature is asked.
func (b *browser) newPassword(password string) *browser {
	b.w.t.Helper()
	b.get(b.w.path("N-18"))
	b.post("/login/reset-password/set", "t", token(b.w.path("N-18")), "password", password, "password2", password)
	if !strings.HasPrefix(b.path, "/login/reset-password/sign") {
		b.w.t.Fatalf("stands at %s\n%s", b.path, text(b.page))
	}
	return b
}

// E5, E6: link and certificate of the same person; every session of his ends, a lock is lifted.
func TestE6ResetPassword(t *testing.T) {
	w := newWorld(t)
	x, y, locked := w.browser(), w.browser(), w.browser()
	x.login(w.head(iinA, binX), passA).at("/me")
	y.login(w.head(iinA, binY), passA).at("/me")
	locked.get("/login").sign(w.head(iinA, binX)).at("/login/password")
	for range 5 {
		locked.post("/login/password", "password", "wrong-password")
	}
	locked.refused("ACCOUNT_LOCKED").says("Восстановить доступ")
	w.browser().askReset(iinA, "a@example.kz")
	second := w.path("N-18")
	w.browser().askReset(iinA, "a@example.kz")
	if m := w.letter("N-18"); m.Vars["time"] == "" {
		t.Errorf("N-18: %+v", m)
	}
	for range 3 {
		w.browser().get(w.path("N-18")).says("Новый пароль").silentAbout(iinA, "123 456 789 012", "ТЕСТТОВ")
	}
	b := w.browser()
	b.newPassword("calm-river-77").says("action: reset-password").silentAbout(iinA, "calm-river-77", "123 456 789 012")
	x.get("/me").at("/me") // nothing yet
	b.sign(w.personal(iinA)).at("/login/reset-password/done").says("Все сеансы закрыты")
	x.get("/me").closed("SESSION_PASSWORD")
	y.get("/me").closed("SESSION_PASSWORD")
	if m := w.letter("N-19"); m.To != "a@example.kz" {
		t.Errorf("N-19: %+v", m)
	}
	w.browser().login(w.head(iinA, binX), passA).says("Неверный пароль")
	w.browser().login(w.head(iinA, binX), "calm-river-77").at("/me")
	b.get(w.path("N-18")).refused("LINK_STALE").says("Запросить новую ссылку")
	b.get(second).refused("LINK_STALE")
}

// P-30: another person's signature on a good link: refused, counted, the link still good.
func TestP30OtherPerson(t *testing.T) {
	w := newWorld(t)
	w.browser().askReset(iinA, "a@example.kz")
	b := w.browser()
	b.newPassword("calm-river-77").signAnyway(w.personal(iinC)).refused("CERT_OTHER_PERSON").says("Ничего не изменено")
	if a := w.account(iinA); a.Password != "plain:"+passA {
		t.Fatal("the password was changed")
	}
	b.newPassword("calm-river-77").sign(w.personal(iinA)).at("/login/reset-password/done")

	w.browser().askReset(iinA, "a@example.kz")
	for range 5 {
		b.newPassword("calm-river-78").signAnyway(w.personal(iinC)).refused("CERT_OTHER_PERSON")
	}
	b.get(w.path("N-18")).refused("LINK_STALE")
	b.get("/login/reset-password/sign").sign(w.personal(iinA)).refused("LINK_STALE")
}

// Bad input behind a reset link.
func TestE5BadReset(t *testing.T) {
	w := newWorld(t)
	key := w.personal(iinA)
	w.browser().askReset(iinA, "a@example.kz")
	b := w.browser()
	set := func(p, again string) *browser {
		return b.post("/login/reset-password/set", "t", token(w.path("N-18")), "password", p, "password2", again)
	}
	for _, c := range [][3]string{{"", "", "Новый пароль: заполните это поле"}, {"short", "short", "короче 10"}, {"qwertyuiop", "qwertyuiop", "подберут первым"}, {iinA, iinA, "ИИН"},
		{iinC, iinC, "ИИН"}, {"calm-river-77", "calm-river-78", "различаются"}, {strings.Repeat("a1", 70), "", "длиннее"}} {
		if set(c[0], c[1]).says(c[2]); b.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: status %d", c[0], b.status)
		}
	}
	t.Run("tampered, replayed, of another browser", func(t *testing.T) {
		b.newPassword("calm-river-77")
		action, _, data, _ := b.asked()
		signed := []byte(unbase64(t, w.signText(key, data)))
		signed[len(signed)-5] ^= 1
		b.post(action, "answer", answerOf(base64of(string(signed)))).refused("SIGNATURE_INVALID")
		b.newPassword("calm-river-77")
		_, answer, _ := b.signature(key)
		other := w.browser().newPassword("thief-river-77")
		other.post(action, "answer", answer).refused("SIGNATURE_INVALID")
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		set("other-river-77", "other-river-77") // exchanged after the page was signed
		b.client.CheckRedirect = nil
		b.post(action, "answer", answer).refused("SIGNATURE_INVALID")
		b.post(action, "answer", answer).refused("CHALLENGE_STALE")
		if a := w.account(iinA); a.Password != "plain:"+passA {
			t.Error("the password was changed")
		}
	})
	t.Run("NT-24 a link of 61 minutes", func(t *testing.T) {
		b.newPassword("calm-river-77")
		w.pass(58 * time.Minute)
		w.browser().askReset(iinA, "a@example.kz")
		w.pass(3 * time.Minute)
		w.browser().get(w.path("N-18")).says("Новый пароль")
		old := w.first("N-18")
		w.browser().get(old).refused("LINK_STALE").says("Запросите новую ссылку")
		w.browser().post("/login/reset-password/set", "t", token(old), "password", "calm-river-77", "password2", "calm-river-77").refused("LINK_STALE")
	})
	t.Run("the address changed meanwhile", func(t *testing.T) {
		w.browser().askEmail(iinA, "new@example.kz").sign(key).at("/sent")
		w.browser().post("/login/change-email/confirm", "t", token(w.path("N-16"))).says("E-mail изменён")
		w.browser().get(w.path("N-18")).refused("LINK_STALE")
		before := w.count("N-18")
		w.browser().askReset(iinA, "a@example.kz")
		if w.count("N-18") != before {
			t.Error("a link went to the old address")
		}
	})
}

// E7: both steps in the right order; every page that shuts somebody out leads there.
func TestE7Recover(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, page := range []string{"/login", "/login/change-email", "/login/reset-password"} {
		if b.get(page); !strings.Contains(b.page, `href="/login/recover"`) {
			t.Errorf("%s does not lead to recovery", page)
		}
	}
	b.get("/esf-web/changeEmail").at("/login/recover").says("Шаг 1").says("Шаг 2")
	if i, j := strings.Index(b.page, "/login/change-email"), strings.Index(b.page, "/login/reset-password"); i < 0 || j < i {
		t.Error("the steps are in the wrong order")
	}
	b.get("/esf-web/login/").says("Восстановить доступ")
	for fragment, to := range map[string]string{"change-email": "/login/change-email", "reset-password": "/login/reset-password"} {
		if !strings.Contains(b.page, `href="`+to+`" data-fragment="`+fragment+`"`) {
			t.Errorf("#!/%s does not lead to %s", fragment, to)
		}
	}
	b.begin(participant.LegalEntity).sign(w.head(iinA, binX))
	if !strings.Contains(b.page, `href="/login/recover"`) {
		t.Error("ALREADY_SAME_HEAD does not lead to recovery")
	}
	b.get("/register/confirm?t=x").refused("LINK_STALE").says("Восстановить доступ")

	b.askEmail(iinA, "new@example.kz").sign(w.head(iinA, binX)).at("/sent")
	b.post("/login/change-email/confirm", "t", token(w.path("N-16"))).says("Шаг 2: сменить пароль")
	b.askReset(iinA, "new@example.kz")
	b.newPassword("calm-river-77").sign(w.head(iinA, binX)).at("/done")
	b.login(w.head(iinA, binX), "calm-river-77").at("/me").says("n***@example.kz")
}

// Section 13: every save is signed, old and new listed; password; sign-ins; all sessions end.
func TestMyDetails(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, page := range []string{"/me/password", "/me/details", "/me/entries", "/me/password/sign", "/me/details/sign"} {
		b.get(page).at("/login")
	}
	b.login(w.head(iinA, binX), passA).at("/me").says("Мои входы")
	b.get("/login/change-email")
	if !strings.Contains(b.page, `value="`+iinA+`"`) {
		t.Error("the number of who is signed in is not there")
	}
	b.get("/me/details").post("/me/details", "lang", "ru", "phone", "").says("Ничего не изменено")
	b.post("/me/details", "lang", "xx", "phone", "12").says("Выберите язык")
	b.post("/me/details", "lang", "kk", "phone", "8 701 123 45 67").at("/me/details/sign").says("Русский → Қазақша").says("— → +77011234567")
	b.signAnyway(w.personal(iinC)).refused("CERT_OTHER_PERSON")
	b.get("/me/details/sign").sign(w.personal(iinA)).at("/me")
	if a := w.account(iinA); a.Lang != lang.KK || a.Phone != "+77011234567" {
		t.Errorf("account: %s %s", a.Lang, a.Phone)
	}
	b.get("/me/entries").says(w.serialOf(b)).says("127.0.0.0/24")

	other := w.browser()
	other.login(w.head(iinA, binY), passA).at("/me")
	b.get("/me/password").post("/me/password", "current", "wrong-password", "password", iinA, "password2", iinA).says("Пароль не совпадает с ранее заданным").says("не должен быть")
	b.post("/me/password", "current", passA, "password", "calm-river-77", "password2", "calm-river-77").at("/me/password/sign")
	other.get("/me").at("/me")
	b.sign(w.personal(iinA)).at("/login/reset-password/done")
	other.get("/me").closed("SESSION_PASSWORD")
	b.get("/me").closed("SESSION_PASSWORD")
	if m := w.letter("N-19"); m.To != "a@example.kz" || m.Lang != lang.KK {
		t.Errorf("N-19: %+v", m)
	}
	b.login(w.head(iinA, binX), "calm-river-77").at("/me")
	other.login(w.head(iinA, binY), "calm-river-77").at("/me")
	b.post("/me/sessions/end").at("/login")
	other.get("/me").closed("SESSION_PERSON")
}

// serialOf is the certificate of the browser's session, as its page of sign-ins shows it.
func (w *world) serialOf(b *browser) string {
	w.t.Helper()
	all, err := w.office.Entries(w.t.Context(), iinA, 1)
	if err == nil && len(all) == 0 {
		err = errors.New("no sign-in was kept")
	}
	w.must(err)
	return all[0].Serial
}

// first is the path in the oldest letter of a number.
func (w *world) first(n string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.letters {
		if m.N == n {
			u, _ := url.Parse(m.Vars["link"])
			return u.RequestURI()
		}
	}
	return ""
}

func (w *world) audited(action string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.events {
		if a == action {
			n++
		}
	}
	return n
}

func (r reading) Enqueue(ctx context.Context, j job.Job) error {
	*r.jobs = append(*r.jobs, j)
	return r.Tx.Enqueue(ctx, j)
}

// Section 13: what a signed-in person signs names his present address too, masked; who is signed out, or types another's
// number, is not told that there is one.
func TestOwnAddressNamesTheOld(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.askEmail(iinA, "new@example.kz").silentAbout("old email")
	b = w.browser()
	b.login(w.head(iinA, binX), passA).askEmail(iinB, "new@example.kz").silentAbout("old email")
	b.askEmail(iinA, "new@example.kz").says("old email: a***@example.kz email: new@example.kz").sign(w.personal(iinA)).at("/login/change-email/sent")
	if m := w.letter("N-16"); m.To != "new@example.kz" {
		t.Errorf("the link went to %s", m.To)
	}
}
