package portal

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/oidc"
	"senim/internal/participant"
	"senim/internal/trust"
	"senim/internal/web"
)

// whole is a whole answer: status, headers but the date and the value of a new session's cookie, body.
func (b *browser) whole() string {
	var out bytes.Buffer
	h := b.header.Clone()
	h.Del("Date")
	if err := h.Write(&out); err != nil {
		b.w.t.Fatal(err)
	}
	cookie := regexp.MustCompile(`(senim-portal)=[\w-]{55}`)
	return http.StatusText(b.status) + "\n" + cookie.ReplaceAllString(out.String(), "$1=…") + "\n" + b.page
}

// A sign-in from a machine where the person was not seen before is told by letter, one from a known machine
// is not; ending all sessions makes every machine unknown.
func TestNewMachine(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me")
	m := w.letter("N-31")
	if m.To != "a@example.kz" || m.Vars["from"] != "127.0.0.0/24" || m.Vars["link"] != "http://localhost:8081/me/entries" {
		t.Errorf("N-31: %+v", m)
	}
	b.post("/logout")
	b.login(w.head(iinA, binY), passA).at("/me")
	if n := w.count("N-31"); n != 1 {
		t.Errorf("%d letters from one machine", n)
	}
	w.browser().login(w.head(iinA, binX), passA).at("/me")
	if n := w.count("N-31"); n != 2 {
		t.Errorf("%d letters from two machines", n)
	}
	enter := func(machine string) {
		_, err := w.office.Enter(t.Context(), participant.Entering{IIN: iinA, Machine: machine, Browser: "—", Network: "—"})
		w.must(err)
	}
	enter("one")
	enter("one")
	if n := w.count("N-31"); n != 3 {
		t.Errorf("%d letters, want 3", n)
	}
	w.pass(participant.MachineLife)
	enter("one")
	w.must(w.office.EndSessions(t.Context(), iinA))
	enter("one")
	if n := w.count("N-31"); n != 5 {
		t.Errorf("%d letters, want 5: one forgotten by time, one by the person", n)
	}
	if n := w.audited("signin.ok"); n != 7 {
		t.Errorf("%d events signin.ok", n)
	}
}

// The machine of a registration that has just been completed is no news.
func TestNewMachineOfRegistration(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.Individual).sign(w.personal(iinC)).at("/2").fill("c@example.kz", passB).at("/3").sign(w.personal(iinC)).at("/4")
	b.follow().sign(w.personal(iinC)).post("/login/password", "password", passB).at("/me?done=1")
	b.post("/logout")
	b.login(w.personal(iinC), passB).at("/me")
	if n := w.count("N-31"); n != 0 {
		t.Errorf("%d letters", n)
	}
}

var (
	openEntry = regexp.MustCompile(`data-entry="([^"]+)" data-open`)
	endEntry  = regexp.MustCompile(`name="entry" value="([^"]+)"`)
)

// «Мои входы»: each sign-in with its browser; one ended from afar, the others go on; another person's is
// not touched.
func TestEndOneSession(t *testing.T) {
	w := newWorld(t)
	x, y := w.browser(), w.browser()
	x.login(w.head(iinA, binX), passA).at("/me")
	y.login(w.head(iinA, binY), passA).at("/me")
	x.get("/me/entries").says("Этот сеанс").says("Открыт").says("127.0.0.0/24")
	if n := len(openEntry.FindAllString(x.page, -1)); n != 2 {
		t.Fatalf("%d open sign-ins", n)
	}
	ends := endEntry.FindAllStringSubmatch(x.page, -1)
	if len(ends) != 1 {
		t.Fatalf("%d buttons beside one's own session", len(ends))
	}
	w.must(w.office.EndSession(t.Context(), iinC, ends[0][1]))
	y.get("/me").at("/me")
	x.post("/me/sessions/end", "entry", ends[0][1]).at("/me/entries")
	y.get("/me").closed("SESSION_PERSON").says("Вы завершили этот сеанс " + lang.RU.DateTime(w.time()))
	x.get("/me").at("/me")
	if w.audited("session.closed") != 1 {
		t.Error("not recorded")
	}
	y.login(w.head(iinA, binY), passA).at("/me")
	x.post("/me/sessions/end").at("/login").says("Вы завершили этот сеанс")
	y.get("/me").closed("SESSION_PERSON")
}

func TestBrowserName(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36":               "Chrome, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0": "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0 YaBrowser/26.1 Mobile Safari/537.36":       "Yandex Browser, Android",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                        "Firefox, Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/19.0 Mobile Safari/604.1":   "Safari, iOS",
		"<script>": "—", "": "—",
	} {
		if got := browserName(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

// S5: a session ends when its profile is closed, with the reason; the person's others go on.
func TestS5ClosedProfile(t *testing.T) {
	w := newWorld(t)
	x, y := w.browser(), w.browser()
	x.login(w.head(iinA, binX), passA).at("/me")
	y.login(w.head(iinA, binY), passA).at("/me")
	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	for _, p := range all {
		if p.TIN != binX {
			continue
		}
		p.Status, p.Reason = participant.Blocked, participant.ReasonAdministrator
		w.must(w.store.Participant().Update(t.Context(), func(tx participant.Tx) error { return tx.PutProfile(t.Context(), p) }))
	}
	x.get("/me/entries").closed("PROFILE_BLOCKED").says("Решение администратора")
	x.get("/me").closed("SESSION_PROFILE")
	y.get("/me").at("/me")
	if w.audited("session.closed") != 1 {
		t.Error("not recorded")
	}
}

// S5, S6: another profile is another session id, and the life at most goes on from the sign-in.
func TestS6SwitchKeepsTheEnd(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.SignIn.EnterpriseCert = participant.AnyBIN })
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/login/profile")
	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	for i := range 31 { // every quarter of an hour, for almost eight
		b.post("/login/profile", "profile", all[i%2].ID).at("/me")
		w.pass(15 * time.Minute)
	}
	b.get("/me").at("/me")
	w.pass(16 * time.Minute)
	b.get("/me").closed("SESSION_AGE")
}

// S4: with signin.enterprise_cert=any one certificate with a BIN opens every enterprise of its person; a
// personal one still opens none.
func TestS4AnyEnterpriseCertificate(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.SignIn.EnterpriseCert = participant.AnyBIN })
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/login/profile").silentAbout("Нужен ключ с БИН")
	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	for _, p := range all {
		b.post("/login/profile", "profile", p.ID).at("/me").says(p.Name)
	}
	c := w.browser()
	c.login(w.personal(iinA), passA).at("/login/profile").says("Нужен ключ с БИН")
	c.post("/login/profile", "profile", all[0].ID).refused("CERT_NOT_OF_ENTERPRISE")
}

// PASSWORD_EXPIRED: a password older than password.max_age only sets a new one, signed; no session before.
func TestPasswordExpired(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.SignIn.MaxAge = 24 * time.Hour })
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/me").post("/logout")
	w.pass(24 * time.Hour)
	b.get("/login/expired").refused("SIGNIN_STALE")
	b.get("/login").sign(w.head(iinA, binX)).at("/login/password")
	b.get("/login/expired").refused("SIGNIN_STALE")
	b.get("/login/password").post("/login/password", "password", passA).at("/login/expired").says("только задать новый")
	b.get("/me").at("/login")
	b.post("/login/expired", "password", passA, "password2", passA).says("нынешний пароль")
	b.post("/login/expired", "password", "12345678901234567890", "password2", "12345678901234567890").says("подберут первым")
	b.post("/login/expired", "password", "calm-river-77", "password2", "calm-river-77").at("/login/expired/sign")
	b.signAnyway(w.personal(iinC)).refused("CERT_OTHER_PERSON")
	b.get("/login/expired/sign").sign(w.personal(iinA)).at("/login/reset-password/done")
	b.get("/login/expired").refused("SIGNIN_STALE")
	b.login(w.head(iinA, binX), "calm-river-77").at("/me")
}

// S7: with no profile to enter every closed one is explained, and registration offered.
func TestS7NoActiveProfile(t *testing.T) {
	w := newWorld(t)
	all, err := w.office.Profiles(t.Context(), iinA)
	w.must(err)
	for _, p := range all {
		p.Status, p.Reason = participant.Blocked, participant.ReasonAdministrator
		w.must(w.store.Participant().Update(t.Context(), func(tx participant.Tx) error { return tx.PutProfile(t.Context(), p) }))
	}
	b := w.browser()
	b.login(w.head(iinA, binX), passA).at("/login/profile").says("АО «ТЕСТ»").says("ТОО «ДОСТЫК»").says("Заблокированный администратором системы").says("Регистрация пользователя")
	if n := strings.Count(b.page, `data-profile-why="BLOCKED"`); n != 2 {
		t.Errorf("%d profiles explained", n)
	}
	if strings.Contains(b.page, "portal.profile.button") || strings.Count(b.page, "disabled") < 2 {
		t.Error("a closed profile can be chosen")
	}
}

// S2: the order of verdicts. A bad certificate is named before the account, a locked account before the
// password, the password before the profiles.
func TestS2OrderOfVerdicts(t *testing.T) {
	w := newWorld(t)
	stranger := w.personal(iinC)
	w.revoke(stranger)
	w.browser().get("/login").sign(stranger).refused("CERT_REVOKED").silentAbout("не зарегистрированы")
	b := w.browser()
	b.get("/login").sign(w.head(iinA, binX)).at("/login/password")
	w.must(w.store.Participant().Update(t.Context(), func(tx participant.Tx) error {
		a, err := tx.Account(t.Context(), iinA)
		if err != nil {
			return err
		}
		a.State, a.BlockedReason = participant.AccountBlocked, participant.ReasonAdministrator
		return tx.PutAccount(t.Context(), a)
	}))
	b.post("/login/password", "password", "wrong-password").refused("ACCOUNT_BLOCKED").silentAbout("Неверный пароль")
	w.browser().get("/login").sign(w.head(iinA, binX)).refused("ACCOUNT_BLOCKED")
}

// A certificate answers thirty challenges an hour, from whatever addresses (rate.cert).
func TestSec9CertificateRate(t *testing.T) {
	w := newWorld(t)
	judge, err := trust.New(trust.Config{Pool: w.authority.Pool(), Revocation: w, Now: w.time})
	w.must(err)
	handler, err := New(Config{Site: web.Site{Origin: "http://localhost:8081", Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Limits: web.Limits{Certificate: 3}},
		Auth: auth.Config{Store: w.store.Auth(), Judge: judge}, Office: w.office, Services: oidc.Config{Clients: parties(t), Store: w.store.Relying()}, Now: w.time})
	w.must(err)
	shop := w.shop("profile").address(with("acr_values", "urn:senim:acr:certificate"))
	for name, first := range map[string]string{"sign-in": "/login", "sign-in to a service by key": shop} {
		t.Run(name, func(t *testing.T) {
			key := w.head(iinA, binX)
			status := func(i int) int {
				v := &wanderer{t: t, handler: handler, from: "203.0.113." + string(rune('1'+i)), cookies: map[string]string{}}
				page := v.get(first)
				action, answer, fields := (&browser{w: w, page: page.Body.String()}).signature(key)
				form := url.Values{}
				for i := 0; i+1 < len(fields); i += 2 {
					form.Set(fields[i], fields[i+1])
				}
				form.Set("answer", answer)
				return v.ask(http.MethodPost, action, form).Code
			}
			for i := range 3 {
				if got := status(i); got != http.StatusSeeOther {
					t.Fatalf("challenge %d: %d", i+1, got)
				}
			}
			if got := status(3); got != http.StatusTooManyRequests {
				t.Errorf("the fourth: %d", got)
			}
			w.pass(time.Hour)
			if got := status(4); got != http.StatusSeeOther {
				t.Errorf("an hour later: %d", got)
			}
		})
	}
}

// wanderer is a visitor from an address of his own, behind the proxy.
type wanderer struct {
	t       *testing.T
	handler http.Handler
	from    string
	cookies map[string]string
}

func (v *wanderer) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(v.t.Context(), method, "http://localhost:8081"+path, strings.NewReader(form.Encode()))
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-Forwarded-For", v.from)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	out := httptest.NewRecorder()
	v.handler.ServeHTTP(out, r)
	for _, c := range out.Result().Cookies() {
		v.cookies[c.Name] = c.Value
	}
	return out
}

// get opens a page, and the one it leads to.
func (v *wanderer) get(path string) *httptest.ResponseRecorder {
	out := v.ask(http.MethodGet, path, nil)
	if to := out.Header().Get("Location"); to != "" {
		return v.ask(http.MethodGet, to, nil)
	}
	return out
}

// Section 14: a new version that has to be signed is asked for when a profile is entered; after its day the
// profile opens that page alone.
func TestResignAtSignIn(t *testing.T) {
	w := newWorld(t)
	text := map[lang.Tag]string{lang.RU: "Новый текст.", lang.KK: "Жаңа мәтін.", lang.EN: "New text."}
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "2.0", From: w.time().Add(time.Minute), MustResignBy: w.time().Add(12 * time.Minute), Text: text}))
	w.pass(2 * time.Minute)
	b := w.browser()
	b.login(w.head(iinA, binX), passA)
	page := b.path
	if !strings.HasPrefix(page, "/me/agreements/sign/") {
		t.Fatalf("stands at %s", page)
	}
	if !strings.Contains(b.page, `href="/me">Подписать позже`) {
		t.Error("there is time, and no way to go on")
	}
	b.get("/me").at("/me") // there is time until then
	w.pass(10 * time.Minute)
	if b.get("/me"); b.path != page {
		t.Errorf("after the day %s opens", b.path)
	}
	b.get(page).sign(w.head(iinA, binX))
	b.get("/me").at("/me")
}

// Who came to sign in to a service gets there, whether he signs the new version now or later.
func TestResignLeadsOnToTheService(t *testing.T) {
	w := newWorld(t)
	text := map[lang.Tag]string{lang.RU: "Новый текст.", lang.KK: "Жаңа мәтін.", lang.EN: "New text."}
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "2.0", From: w.time().Add(time.Minute), MustResignBy: w.time().Add(12 * time.Minute), Text: text}))
	w.pass(2 * time.Minute)
	key := w.head(iinA, binX)
	shop := w.shop("profile")
	b := w.browser()
	b.visit(shop.address())
	b.login(key, passA)
	later := regexp.MustCompile(`href="(/oidc/request/[^"]+)">Подписать позже`).FindStringSubmatch(b.page)
	if later == nil {
		t.Fatalf("no way on to the service:\n%s", b.page)
	}
	b.get(later[1]).says("Разрешить сервису «Магазин»?")
	w.pass(11 * time.Minute)
	b = w.browser()
	b.visit(shop.address())
	if b.login(key, passA); strings.Contains(b.page, "Подписать позже") {
		t.Error("later is offered after the last day")
	}
	b.get(b.path).sign(key).says("Разрешить сервису «Магазин»?")
	shop.tokens(b.decide("allow"))
}
