package portal

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"senim/internal/participant"
)

// What people type on the pages of recovery is text and nothing else.
func TestSec7RecoveryInjection(t *testing.T) {
	w := newWorld(t)
	const evil = `<script>alert(1)</script>"'&<>`
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	w.browser().askReset(iinA, "a@example.kz")
	good := token(w.path("N-18"))
	for _, path := range []string{"/login/change-email", "/login/change-email/sign", "/login/change-email/confirm", "/login/change-email/not-me", "/login/reset-password",
		"/login/reset-password/set", "/login/reset-password/sign", "/me/password", "/me/password/sign", "/me/details", "/me/details/sign"} {
		for _, link := range []string{evil, good} {
			b.post(path, "iin", evil, "email", evil, "email2", evil, "t", link, "answer", evil, "password", evil, "password2", "x", "current", evil, "lang", evil, "phone", evil)
			if strings.Contains(b.page, "<script>alert") || strings.Contains(b.page, `"'&<>`) {
				t.Errorf("%s shows what was typed unescaped", path)
			}
		}
	}
	// quotes and ampersands may stand in the local part of a real address
	b.askEmail(iinA, "o'b&c=d@example.kz").sign(w.personal(iinA)).at("/sent")
	if m := w.letter("N-16"); m.To != "o'b&c=d@example.kz" {
		t.Errorf("N-16 to %s", m.To)
	}
}

// No GET of recovery changes anything that is kept of participants.
func TestSec7RecoveryGets(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	b.askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).at("/sent")
	w.browser().askReset(iinA, "a@example.kz")
	b.newPassword("calm-river-77")
	b.askEmail(iinA, "newer@example.kz")
	b.post("/me/password", "current", passA, "password", "calm-river-77", "password2", "calm-river-77").at("/me/password/sign")
	b.post("/me/details", "lang", "kk", "phone", "").at("/me/details/sign")
	w.mu.Lock()
	before := w.updates
	w.mu.Unlock()
	for _, path := range []string{"/login/recover", "/login/change-email", "/login/change-email/sign", "/login/change-email/sent", w.path("N-16"), w.path("N-17"),
		"/login/reset-password", "/login/reset-password/sent", w.path("N-18"), "/login/reset-password/sign", "/login/reset-password/done", "/me", "/me/password",
		"/me/password/sign", "/me/details", "/me/details/sign", "/me/entries", "/me/passkeys", "/esf-web/changeEmail", "/esf-web/login/"} {
		if b.get(path); b.status != http.StatusOK {
			t.Errorf("%s: status %d", path, b.status)
		}
		for _, l := range []string{"kk", "ru", "en"} { // and no key is left untranslated
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			b.get(path + sep + "lang=" + l)
			if strings.Contains(b.page, "[portal.") || strings.Contains(b.page, "[codes.") || strings.Contains(b.page, "[web.") || strings.Contains(text(b.page), "portal.") || strings.Contains(text(b.page), "signin.") {
				t.Errorf("%s in %s shows a key", path, l)
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.updates != before {
		t.Errorf("%d GETs wrote", w.updates-before)
	}
}

// One link, pressed by many at once: it works once.
func TestE3ConfirmOnce(t *testing.T) {
	w := newWorld(t)
	w.browser().askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).at("/sent")
	key := participant.KeyOf(token(w.path("N-16")))
	var done atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := w.office.ConfirmEmail(context.WithoutCancel(t.Context()), key); err == nil {
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if n := done.Load(); n != 1 {
		t.Errorf("the link worked %d times", n)
	}
}

// A person whose account was blocked, or waits for its registration, changes nothing here.
func TestE1Accounts(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.Individual).sign(w.personal(iinC)).at("/2").fill("c@example.kz", passB).at("/3").sign(w.personal(iinC)).at("/4")
	w.browser().askEmail(iinC, "new@example.kz").sign(w.personal(iinC)).refused("REGISTRATION_WAITS")
	w.browser().askReset(iinC, "c@example.kz")

	w.browser().askReset(iinA, "a@example.kz")
	link := w.path("N-18")
	waiting := w.browser().newPassword("calm-river-77")
	w.browser().askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).at("/sent")
	err := w.store.Participant().Update(t.Context(), func(tx participant.Tx) error {
		a, err := tx.Account(t.Context(), iinA)
		if err != nil {
			return err
		}
		a.State, a.BlockedReason = participant.AccountBlocked, participant.ReasonAdministrator
		return tx.PutAccount(t.Context(), a)
	})
	w.must(err)
	waiting.sign(w.personal(iinA)).refused("LINK_STALE")
	w.browser().get(link).refused("LINK_STALE")
	w.browser().askEmail(iinA, "newer@example.kz").sign(w.personal(iinA)).refused("ACCOUNT_BLOCKED")
	w.browser().post("/login/change-email/confirm", "t", token(w.path("N-16"))).refused("ACCOUNT_BLOCKED")
	w.browser().askReset(iinA, "a@example.kz")
	if n := w.count("N-18"); n != 1 {
		t.Errorf("%d letters, want the one before the block", n)
	}
	if a := w.account(iinA); a.Email != "a@example.kz" || a.Password != "plain:"+passA {
		t.Error("the account was changed")
	}
}
