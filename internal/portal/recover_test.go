package portal

import (
	"strings"
	"testing"
	"time"

	"senim/internal/participant"
)

// recovers checks the step that the page of recovery shows.
func (b *browser) recovers(step participant.RecoveryStep) *browser {
	b.w.t.Helper()
	b.get("/login/recover")
	if !strings.Contains(b.page, `data-recover="`+string(step)+`"`) {
		b.w.t.Fatalf("recovery does not stand at %s:\n%s", step, text(b.page))
	}
	if n := strings.Count(b.page, `<li aria-current`); n != 1 && step != participant.RecoverDone {
		b.w.t.Errorf("%s: %d steps are the present one", step, n)
	}
	return b
}

// E7: one page leads through both, in the right order, and knows how far one has come: the letters may be
// opened in another browser, hours later. Nothing of it is known to a browser that has signed nothing.
func TestE7OneGuidedPage(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.EmailChangeDelay = 2 * time.Hour })
	b, mail := w.browser(), w.browser()
	b.recovers(participant.RecoverAddress)
	b.post("/login/recover").refused("RECOVERY_EARLY")
	b.askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).at("/login/change-email/sent").says("Продолжить восстановление")
	b.recovers(participant.RecoverConfirm).says("n***@example.kz")
	b.post("/login/recover").refused("RECOVERY_EARLY")
	w.pass(5 * time.Hour) // the pre-session is long over
	mail.post("/login/change-email/confirm", "t", token(w.path("N-16"))).says("начнёт действовать")
	b.recovers(participant.RecoverWait)
	w.pass(2 * time.Hour)
	w.runJobs()
	b.recovers(participant.RecoverLink).post("/login/recover").at("/login/recover").says("Ссылка запрошена")
	w.runJobs()
	if m := w.letter("N-18"); m.To != "new@example.kz" {
		t.Errorf("N-18 to %s", m.To)
	}
	b.recovers(participant.RecoverSet)
	mail.recovers(participant.RecoverAddress).silentAbout("n***@example.kz")
	mail.newPassword("calm-river-77").sign(w.head(iinA, binX)).at("/login/reset-password/done")
	b.recovers(participant.RecoverDone)
	b.login(w.head(iinA, binX), "calm-river-77").at("/me")
}

// What was cancelled, or ran out, begins again.
func TestE7BeginsAgain(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).at("/login/change-email/sent")
	w.browser().post("/login/change-email/not-me", "t", token(w.path("N-17"))).says("отменена")
	b.recovers(participant.RecoverAddress).says("не состоялась")
	b.askEmail(iinA, "new@example.kz").sign(w.personal(iinA)).at("/login/change-email/sent")
	w.pass(25 * time.Hour)
	b.recovers(participant.RecoverAddress).says("не состоялась")
}
