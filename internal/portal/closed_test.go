package portal

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/internal/participant"
)

// P-02: whatever closed a session, its next request gets 401 and the reason, again until somebody signs in; then
// the person is back at the page that was asked for.
func TestP02WhySessionsAreClosed(t *testing.T) {
	w := newWorld(t)
	key := w.head(iinA, binY)
	for name, one := range map[string]struct {
		end        func(b *browser)
		code, says string
	}{
		"idle":     {func(*browser) { w.pass(21 * time.Minute) }, "SESSION_IDLE", "слишком долго ничего не происходило"},
		"password": {func(*browser) { w.passwordChanged(iinA) }, "SESSION_PASSWORD", "задан другой пароль"},
		"person":   {func(*browser) { w.must(w.office.EndSessions(t.Context(), iinA)) }, "SESSION_PERSON", "с другого устройства"},
		"forgotten": {func(*browser) {
			w.pass(21 * time.Minute)
			w.browser().get("/login") // sweeps
			w.pass(25 * time.Hour)
			w.browser().get("/login") // forgets
		}, "SESSION_UNKNOWN", "почему он завершён, уже неизвестно"},
	} {
		t.Run(name, func(t *testing.T) {
			b := w.browser()
			b.login(key, passA).at("/me")
			one.end(b)
			b.get("/me/agreements?x=1").closed(one.code).says(one.says)
			b.get("/me").closed(one.code)
			b.post("/me/details").closed(one.code)
			b.get("/login").at("/login")
			b.get("/me/agreements?x=1").closed(one.code)
			b.sign(key).at("/login/password").post("/login/password", "password", passA).at("/me/agreements?x=1")
			b.get("/login").at("/login").silentAbout(one.says)
		})
	}
}

// passwordChanged ends the sessions of a person as another password does.
func (w *world) passwordChanged(iin ident.IIN) {
	w.must(w.store.Participant().Update(w.t.Context(), func(tx participant.Tx) error {
		_, err := tx.EndSessions(w.t.Context(), "portal", iin, participant.Profile{}, "password")
		return err
	}))
}

// A form whose page can be shown leads back there; one that has none, to the person's own page. A browser that never
// had a session is only sent to sign in.
func TestP02WayBack(t *testing.T) {
	w := newWorld(t)
	key := w.head(iinA, binY)
	for path, want := range map[string]string{"/me/details": "/me/details", "/me/sessions/end": "/me", "/me/passkeys/remove": "/me"} {
		b := w.browser()
		b.login(key, passA).at("/me")
		w.must(w.office.EndSessions(t.Context(), iinA))
		b.post(path).closed("SESSION_PERSON").sign(key).post("/login/password", "password", passA).at(want)
	}
	w.browser().get("/me").at("/login").silentAbout("Сеанс завершён")
	w.browser().get("/me/agreements/x/text").at("/login")
}

// Signing out is recorded with its reason; a copy of the cookie is told so.
func TestSignOutIsRecorded(t *testing.T) {
	w := newWorld(t)
	b, thief := w.browser(), w.browser()
	b.login(w.head(iinA, binY), passA).at("/me")
	copied := b.cookie()
	b.post("/logout")
	all := w.records("session.closed")
	if len(all) != 1 {
		t.Fatalf("%d records", len(all))
	}
	if e := all[0]; e.Detail["reason"] != "out" || e.Detail["site"] != "portal" || e.Object == "" || e.Actor == "" || e.Actor == iinA {
		t.Errorf("recorded %+v", e)
	}
	thief.client.Jar.SetCookies(w.url(), []*http.Cookie{copied})
	thief.get("/me").closed("SESSION_OUT").says("Вы вышли из системы " + lang.RU.DateTime(w.time()))
	b.post("/logout")
	if len(w.records("session.closed")) != 1 {
		t.Error("leaving without a session is recorded")
	}
	b.login(w.head(iinA, binY), passA).at("/me")
	w.pass(21 * time.Minute)
	w.browser().get("/login")
	if all := w.records("session.closed"); len(all) != 2 || all[1].Detail["reason"] != "idle" || all[1].Actor != all[0].Actor {
		t.Errorf("recorded %+v", all)
	}
}

// Of two windows of one browser that choose a profile at once, the later is not told that the session is over: its
// answer must not replace the cookie of the one that went on.
func TestRenewedSessionIsNotReplaced(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.SignIn.EnterpriseCert = participant.AnyBIN })
	b, stale := w.browser(), w.browser()
	b.login(w.head(iinA, binX), passA).at("/login/profile")
	stale.client.Jar.SetCookies(w.url(), []*http.Cookie{b.cookie()})
	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	b.post("/login/profile", "profile", all[0].ID).at("/me")
	stale.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	stale.get("/me")
	if stale.status != http.StatusSeeOther || stale.header.Get("Set-Cookie") != "" {
		t.Errorf("status %d, %q", stale.status, stale.header.Get("Set-Cookie"))
	}
	b.get("/me").at("/me")
}

// A program, or a page's stream, that comes with a session that is over gets 401 as well.
func TestP02PhoneAddresses(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	b := w.browser()
	b.login(w.head(iinA, binY), passA).at("/me")
	b.post("/me/details", "lang", "ru", "phone", "+77011234567").at("/me/details/sign").onPhone()
	page := b.path
	w.must(w.office.EndSessions(t.Context(), iinA))
	for _, path := range []string{page, page + "/events", page + "/code.svg"} {
		if b.get(path); b.status != http.StatusUnauthorized || b.codes()[0] != "SESSION_PERSON" {
			t.Errorf("%s: status %d, %v", path, b.status, b.codes())
		}
	}
}

// A stream that goes on when its session is closed ends with it.
func TestP02OpenStream(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	b := w.browser()
	b.login(w.head(iinA, binY), passA).at("/me")
	b.post("/me/details", "lang", "ru", "phone", "+77011234567").at("/me/details/sign").onPhone()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+b.path+"/events", http.NoBody)
	w.must(err)
	resp, err := b.client.Do(req)
	w.must(err)
	defer resp.Body.Close()
	w.must(w.office.EndSessions(t.Context(), iinA))
	all, err := io.ReadAll(resp.Body)
	w.must(err)
	if !strings.HasSuffix(string(all), "event: over\ndata:\n\n") {
		t.Errorf("the stream said %q", all)
	}
}

// cookie is the session's.
func (b *browser) cookie() *http.Cookie {
	b.w.t.Helper()
	for _, c := range b.client.Jar.Cookies(b.w.url()) {
		if c.Name == "senim-portal" {
			return c
		}
	}
	b.w.t.Fatal("no session's cookie")
	return nil
}

func (w *world) url() *url.URL {
	u, err := url.Parse(w.server.URL)
	w.must(err)
	return u
}

// records are the audit's of an action.
func (w *world) records(action string) (found []audit.Record) {
	w.t.Helper()
	all, err := w.store.AuditRecords(w.t.Context(), w.store.Node(), 0, 1000)
	w.must(err)
	for _, r := range all {
		if r.Action == action {
			found = append(found, r)
		}
	}
	return found
}

// Section 18: challenges and failed sign-ins are recorded under the spec's names, with the network and the
// certificate; an answer's record names the challenge that was issued.
func TestAttemptsAreRecorded(t *testing.T) {
	w := newWorld(t)
	key := w.head(iinA, binX)
	b := w.browser()
	b.get("/login").sign(key).at("/login/password").post("/login/password", "password", "wrong-password-1")
	issued, verified, failed := w.records("challenge.issued"), w.records("challenge.verified"), w.records("signin.failed")
	if len(issued) != 1 || len(verified) != 1 || len(failed) != 1 {
		t.Fatalf("%d issued, %d verified, %d failed", len(issued), len(verified), len(failed))
	}
	const network = "127.0.0.0/24"
	for _, r := range []audit.Record{issued[0], verified[0]} {
		if d := r.Detail; d["network"] != network || d["purpose"] != "sign-in" || d["site"] != "portal" || len(d["challenge"]) != 64 || d["challenge"] != issued[0].Detail["challenge"] {
			t.Errorf("recorded %+v", r)
		}
	}
	serial := key.Certificate.SerialHex()
	if verified[0].Object != serial || verified[0].Actor == "" || verified[0].Actor != failed[0].Actor {
		t.Errorf("verified %+v", verified[0])
	}
	if d := failed[0].Detail; failed[0].Result != "PASSWORD_WRONG" || d["network"] != network || d["certificate"] != serial {
		t.Errorf("failed %+v", failed[0])
	}
	bad := w.personal(iinC)
	w.revoke(bad)
	w.browser().get("/login").sign(bad).refused("CERT_REVOKED")
	refused := w.records("challenge.failed")
	if len(refused) != 1 || refused[0].Object != bad.Certificate.SerialHex() || refused[0].Detail["network"] != network || refused[0].Detail["code"] != "CERT_REVOKED" {
		t.Errorf("refused %+v", refused)
	}
	if len(w.records("auth.proof")) != 0 {
		t.Error("an answer has two names")
	}
}
