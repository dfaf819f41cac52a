package portal

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// addPasskey makes a passkey of A, signed for, in the browser of a session.
func (b *browser) addPasskey(name string) *authenticator {
	b.w.t.Helper()
	a := newAuthenticator(b.w.t)
	b.get("/me/passkeys").post("/me/passkeys", "name", name).at("/me/passkeys/new").says(name)
	b.post("/me/passkeys/new", "answer", a.create(b.question())).at("/me/passkeys/sign").says(name)
	b.sign(b.w.personal(iinA)).at("/me/passkeys").says(name)
	return a
}

// toPassword stands on the page of the password, the key proved.
func (b *browser) toPassword() *browser {
	b.w.t.Helper()
	return b.get("/login").sign(b.w.head(iinA, binX)).at("/login/password")
}

// A passkey stands in for the password after the certificate, and can be removed.
func TestPasskeySignsIn(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me").says("Ключи доступа")
	b.toPassword()
	if strings.Contains(b.page, "data-passkey") {
		t.Error("a passkey is asked for, and there is none")
	}
	b.login(w.head(iinA, binX), passA).at("/me")
	key := b.addPasskey("Домашний ноутбук")
	c := w.browser()
	c.toPassword().post("/login/passkey", "answer", key.get(c.question())).at("/me").says("АО «ТЕСТ»")
	c.toPassword().post("/login/passkey", "answer", key.get(c.question())).at("/me")
	b.get("/me/passkeys").says("Использован последний раз")
	keys, err := w.office.Passkeys(t.Context(), iinA)
	w.must(err)
	if len(keys) != 1 || strings.Contains(keys[0].Credential, iinA) {
		t.Fatalf("kept: %+v", keys)
	}
	b.post("/me/passkeys/remove", "passkey", keys[0].ID).at("/me/passkeys").silentAbout("Домашний ноутбук")
	c.toPassword()
	if strings.Contains(c.page, "data-passkey") {
		t.Error("a removed passkey is asked for")
	}
	if w.audited("passkey.added") != 1 || w.audited("passkey.removed") != 1 {
		t.Error("not recorded")
	}
	if m := w.letter("N-32"); m.Vars["name"] != "Домашний ноутбук" || !strings.HasSuffix(m.Vars["link"], "/me/passkeys") {
		t.Errorf("N-32: %+v", m)
	}
}

// A service is told what was done: a passkey is no password. It stays known when another profile is chosen.
func TestOIDCPasskeyIsNoPassword(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	key := b.addPasskey("Домашний ноутбук")
	c := w.browser()
	c.toPassword().post("/login/passkey", "answer", key.get(c.question())).at("/me")
	c.get("/login/profile").post("/login/profile", "profile", w.profileOf(iinA, binX).ID).at("/me")
	shop := w.shop("profile")
	if away := c.visit(shop.address()); away != nil {
		t.Fatalf("nothing was asked: %s", away)
	}
	_, id := shop.tokens(c.decide("allow"))
	var said struct{ AMR []string }
	w.must(id.Claims(&said))
	if !slices.Equal(said.AMR, []string{"pop", "user", "mfa"}) {
		t.Errorf("amr %v", said.AMR)
	}
}

// No passkey without the certificate's challenge (S1), none of another person, none twice, none that did
// not look at its person, none that was copied.
func TestPasskeyRefusals(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	key := b.addPasskey("Ключ")
	stranger := w.browser()
	stranger.get("/login").post("/login/passkey", "answer", "{}").refused("SIGNIN_STALE")
	for name, spoil := range map[string]func(*authenticator) string{
		"another key":     func(*authenticator) string { return "" },
		"another origin":  func(a *authenticator) string { a.origin = "http://evil.example"; return "" },
		"nobody verified": func(a *authenticator) string { a.flags = 0x01; return "" },
		"its count back":  func(a *authenticator) string { a.count = 0; return "" },
		"not an answer":   func(*authenticator) string { return "{}" },
	} {
		t.Run(name, func(t *testing.T) {
			c := w.browser()
			c.toPassword().post("/login/passkey", "answer", key.get(c.question())).at("/me")
			bad := *key
			answer := spoil(&bad)
			if name == "another key" {
				bad = *newAuthenticator(t)
			}
			c.toPassword()
			if answer == "" {
				answer = bad.get(c.question())
			}
			c.post("/login/passkey", "answer", answer).refused("PASSKEY_REFUSED")
			c.get("/me").at("/login")
		})
	}
	t.Run("twice, and too late", func(t *testing.T) {
		c, d := w.browser(), w.browser()
		answer := key.get(c.toPassword().question())
		c.post("/login/passkey", "answer", answer).at("/me")
		d.toPassword().post("/login/passkey", "answer", answer).refused("PASSKEY_REFUSED")
		d.get("/login/password")
		late := key.get(d.question())
		w.pass(6 * time.Minute)
		d.post("/login/passkey", "answer", late).refused("PASSKEY_REFUSED")
	})
	t.Run("a locked account", func(t *testing.T) {
		c := w.browser()
		c.toPassword()
		answer := key.get(c.question())
		for range 5 {
			w.browser().toPassword().post("/login/password", "password", "wrong-password")
		}
		c.post("/login/passkey", "answer", answer).refused("ACCOUNT_LOCKED")
	})
}

// A passkey opens nothing until its person has signed for it; another's signature adds none, and what was
// signed is what is kept.
func TestPasskeyIsSigned(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	a := newAuthenticator(t)
	b.post("/me/passkeys", "name", "").says("Название")
	b.post("/me/passkeys", "name", strings.Repeat("я", 41)).says("длиннее 40")
	b.post("/me/passkeys", "name", "Ключ").at("/me/passkeys/new")
	b.post("/me/passkeys/new", "answer", "{}").refused("PASSKEY_NOT_MADE")
	b.get("/me/passkeys/new").post("/me/passkeys/new", "answer", a.create(b.question())).at("/me/passkeys/sign")
	b.signAnyway(w.personal(iinC)).refused("CERT_OTHER_PERSON")
	c := w.browser()
	c.toPassword()
	if strings.Contains(c.page, "data-passkey") {
		t.Error("a passkey nobody signed for is asked for")
	}
	other := w.browser()
	if other.post("/me/passkeys/remove", "passkey", "x").at("/login"); other.status != http.StatusOK {
		t.Errorf("status %d", other.status)
	}
	if b.post("/me/passkeys/remove", "passkey", "x"); b.status != http.StatusNotFound {
		t.Errorf("removing what is not there: %d", b.status)
	}
	b.get("/me/passkeys/sign").says("action: add-passkey").sign(w.personal(iinA)).at("/me/passkeys")
	if all, err := w.office.Passkeys(t.Context(), iinC); err != nil || len(all) != 0 {
		t.Errorf("C has %d passkeys, %v", len(all), err)
	}
}
