package portal

import (
	"testing"
	"time"

	"senim/internal/participant"
)

// reset sets the account's password as a reset does that is committed while somebody else signs in with the old
// one: sessions that stand by then end, and one that is about to begin is not among them.
func (w *world) reset(password string) {
	w.t.Helper()
	w.pass(time.Second)
	a := w.account(iinA)
	a.Password, a.PasswordChanged = "plain:"+password, w.time()
	w.must(w.store.Participant().Update(w.t.Context(), func(tx participant.Tx) error { return tx.PutAccount(w.t.Context(), a) }))
}

// S5, E6: a session that began with a password that is not the account's any more ends at its next request, and
// one whose account was blocked too, whether it acts for a profile or not.
func TestS5SessionOfAnOldPassword(t *testing.T) {
	w := newWorld(t)
	acting, choosing := w.browser(), w.browser()
	acting.login(w.head(iinA, binX), passA).at("/me")
	choosing.login(w.head(iinA, binX), passA).at("/me")
	w.reset("calm-river-77")
	acting.get("/me").closed("SESSION_PASSWORD")
	acting.get("/me").closed("SESSION_PASSWORD")
	choosing.get("/me/entries").closed("SESSION_PASSWORD")
	b := w.browser()
	b.login(w.head(iinA, binX), "calm-river-77").at("/me")
	w.admin(participant.BlockAccount, iinA, false, "проверка")
	b.get("/me/entries").closed("SESSION_BLOCKED")
	before := w.audited("signin.failed")
	b = w.browser()
	b.get("/login").sign(w.head(iinA, binX)).refused("ACCOUNT_BLOCKED")
	b.post("/login/password", "password", "calm-river-77").refused("ACCOUNT_BLOCKED")
	if w.audited("signin.failed") != before+1 {
		t.Error("a refused sign-in is not recorded")
	}
}

// Who gave an old password that is too old may not set another over the one the owner has set since.
func TestPasswordExpiredIsOvertakenByAReset(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.SignIn.MaxAge = 24 * time.Hour })
	w.pass(24 * time.Hour)
	b := w.browser()
	b.get("/login").sign(w.head(iinA, binX)).at("/login/password").post("/login/password", "password", passA).at("/login/expired")
	b.post("/login/expired", "password", "thief-river-77", "password2", "thief-river-77").at("/login/expired/sign")
	w.reset("calm-river-77")
	b.sign(w.personal(iinA)).refused("ACT_STALE")
	b.get("/login/expired").post("/login/expired", "password", "thief-river-77", "password2", "thief-river-77").refused("SIGNIN_STALE")
	if a := w.account(iinA); a.Password != "plain:calm-river-77" {
		t.Error("the owner's new password was replaced")
	}
}

// Winning access back takes it from every passkey: another may have added one.
func TestE6ResetRemovesPasskeys(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	b.addPasskey("Чужой телефон")
	w.browser().askReset(iinA, "a@example.kz")
	w.browser().newPassword("calm-river-77").sign(w.personal(iinA)).at("/login/reset-password/done")
	if keys, err := w.office.Passkeys(t.Context(), iinA); err != nil || len(keys) != 0 || w.audited("passkey.removed") != 1 {
		t.Errorf("left: %+v, %v", keys, err)
	}
}
