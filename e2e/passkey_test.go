package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"senim/internal/lang"
	"senim/internal/participant"
)

// authenticator gives the tab one as a laptop with a finger's sensor has it; known says whether it recognises its person.
func (w *tab) authenticator(known bool) webauthn.AuthenticatorID {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		w.t.Fatal(err)
	}
	// An authenticator answers only the page that has the focus, and tests share the browser.
	if _, err := chromedp.Call(w.ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		w.t.Fatal(err)
	}
	made, err := chromedp.Call(w.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: known, AutomaticPresenceSimulation: true}})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.AuthenticatorID
}

// unplug takes it away.
func (w *tab) unplug(a webauthn.AuthenticatorID) {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: a}); err != nil {
		w.t.Fatal(err)
	}
}

// touch presses the button that asks the authenticator, and waits for the page that follows.
func (v *visitor) touch() *visitor {
	v.t.Helper()
	v.mark()
	v.act("ask the authenticator", chromedp.Click(css("main form[data-passkey] button")))
	v.arrive()
	return v
}

// TestPasskeyInBrowser: a person makes a passkey with the browser's own code, signs for it with his key, comes in
// with certificate and passkey, and removes it; an authenticator that does not know him opens nothing. The pages
// on the way are looked at.
func TestPasskeyInBrowser(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	key := w.head(iinA, binX)
	v := w.visitor(t)
	stranger := v.authenticator(false)
	p := lookingWith(t, v.tab)
	look := func(name, page string) {
		t.Helper()
		p.lookAfter(name, func() { v.at(page) })
		v.at(page)
	}
	v.enter(key, passA).stands("/me").sees("Ключи доступа")
	v.at("/me/passkeys").fill("name", "Домашний ноутбук").submit("/me/passkeys")
	v.stands("/me/passkeys/new").sees("Домашний ноутбук")
	v.act("nobody is recognised", chromedp.Click(css("main form[data-passkey] button")), chromedp.WaitVisible(css(".senim-live[data-state=cancelled]")))
	v.shot("passkey-cancelled")
	v.unplug(stranger)
	v.authenticator(true)
	look("passkey-new", "/me/passkeys/new")
	v.touch().stands("/me/passkeys/sign").sees("Домашний ноутбук")
	look("passkey-sign", "/me/passkeys/sign")
	v.sign(w.personal(iinA)).stands("/me/passkeys").sees("Домашний ноутбук", "ещё нет")

	v.press(css("header form[action='/logout'] button"))
	v.at("/login").sign(key).stands("/login/password")
	look("passkey-or-password", "/login/password")
	v.touch().at("/me").stands("/me").sees(nameX)
	look("passkeys-one", "/me/passkeys")
	v.silent("ещё нет")
	v.submit("/me/passkeys/remove")
	v.stands("/me/passkeys").silent("Домашний ноутбук")
	v.at("/login").sign(key).stands("/login/password")
	if v.asks("form[data-passkey]") {
		t.Error("a removed passkey is asked for")
	}
	if w.recorded("passkey.added") != 1 || w.recorded("passkey.removed") != 1 {
		t.Error("not recorded")
	}
}

// TestAgreementAgainInBrowser: a new version of the agreement asks at sign-in, and after its day the profile opens
// nothing else; both pages are looked at.
func TestAgreementAgainInBrowser(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	key := w.head(iinA, binX)
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "2.0", From: w.time().Add(time.Minute), MustResignBy: w.time().AddDate(0, 0, 10),
		Text: map[lang.Tag]string{lang.RU: "Новый текст соглашения.", lang.KK: "Келісімнің жаңа мәтіні.", lang.EN: "The new text."}}))
	w.pass(time.Hour)
	v := w.visitor(t)
	p := lookingWith(t, v.tab)
	v.enter(key, passA)
	p.lookAfter("agreements-to-sign", func() { v.at("/me/agreements") })
	v.at("/me/agreements").sees("Подпишите соглашение версии 2.0")

	w.pass(10 * 24 * time.Hour)
	v.enter(key, passA)
	page := v.where()
	p.lookAfter("agreement-overdue", func() { v.at("/org/users").stands(page) })
	v.at(page).sees("Новый текст соглашения.")
	v.sign(key).at("/org/users").stands("/org/users")
}
