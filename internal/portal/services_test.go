package portal

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v3"
	"golang.org/x/oauth2"

	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/relying"
)

const (
	issuer     = "http://localhost:8081"
	shopReturn = "https://shop.example.kz/callback"
	shopSecret = "a secret of the shop, long and random"
)

// parties are the services of every world.
func parties(t testing.TB) []relying.Client {
	t.Helper()
	sum := sha256.Sum256([]byte(shopSecret))
	all, err := relying.ParseClients([]byte(`[
		{"id": "shop", "name": {"kk": "Дүкен", "ru": "Магазин", "en": "Shop"}, "redirect_uris": ["` + shopReturn + `"],
		 "post_logout_redirect_uris": ["https://shop.example.kz/bye"],
		 "scopes": ["openid", "profile", "email", "iin", "organization", "certificate", "offline_access"],
		 "levels": ["account", "certificate"], "auth": "client_secret_basic", "secrets": ["sha256:` + hex.EncodeToString(sum[:]) + `"]},
		{"id": "news", "name": {"kk": "Жаңалықтар", "ru": "Новости", "en": "News"}, "redirect_uris": ["https://news.example.kz/in"],
		 "scopes": ["openid", "profile"], "levels": ["account"], "auth": "client_secret_basic", "secrets": ["sha256:` + hex.EncodeToString(sum[:]) + `"]},
		{"id": "desktop", "name": {"kk": "Бағдарлама", "ru": "Программа", "en": "Program"}, "redirect_uris": ["http://127.0.0.1/callback"],
		 "scopes": ["openid", "profile"], "levels": ["account"], "auth": "none"},
		{"id": "bank", "name": {"kk": "Банк", "ru": "Банк", "en": "Bank"}, "redirect_uris": ["https://bank.example.kz/in"],
		 "scopes": ["openid"], "levels": ["account"], "auth": "private_key_jwt", "jwks": ` + bankKeys(t) + `}]`))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// bankKey signs the assertions of one of them.
var bankKey = sync.OnceValues(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })

func bankKeys(t testing.TB) string {
	t.Helper()
	key, err := bankKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Use: "sig", Algorithm: "ES256"}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// party is a relying party with the library every Go service takes.
type party struct {
	w        *world
	ctx      context.Context
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
	provider *oidc.Provider
	state    string
	nonce    string
	pkce     string
}

// towards sends what goes to the issuer to the world's server.
type towards struct{ to *url.URL }

func (t towards) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme+"://"+r.URL.Host != issuer {
		return nil, errors.New("a request to " + r.URL.Host)
	}
	r = r.Clone(r.Context())
	r.URL.Host = t.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

func (w *world) party(id, redirect string, scopes ...string) *party {
	w.t.Helper()
	to, err := url.Parse(w.server.URL)
	w.must(err)
	ctx := oidc.ClientContext(w.t.Context(), &http.Client{Transport: towards{to}})
	provider, err := oidc.NewProvider(ctx, issuer)
	w.must(err)
	secret := shopSecret
	if id == "desktop" {
		secret = ""
	}
	return &party{w: w, ctx: ctx, provider: provider, verifier: provider.Verifier(&oidc.Config{ClientID: id}), state: "a state of the browser", nonce: "a nonce of the browser",
		pkce: oauth2.GenerateVerifier(), config: oauth2.Config{ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: redirect,
			Scopes: append([]string{"openid"}, scopes...)}}
}

func (w *world) shop(scopes ...string) *party { return w.party("shop", shopReturn, scopes...) }

// address is where the party sends the browser.
func (p *party) address(more ...oauth2.AuthCodeOption) string {
	u, err := url.Parse(p.config.AuthCodeURL(p.state, append([]oauth2.AuthCodeOption{oidc.Nonce(p.nonce), oauth2.S256ChallengeOption(p.pkce)}, more...)...))
	p.w.must(err)
	return u.RequestURI()
}

func with(name, value string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam(name, value) }

// visit opens an address of the portal and follows redirects as long as they stay there; away is where
// the browser was sent else.
func (b *browser) visit(path string) (away *url.URL) {
	b.w.t.Helper()
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != b.w.server.URL {
			away = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	defer func() { b.client.CheckRedirect = nil }()
	b.get(path)
	return away
}

var backLink = regexp.MustCompile(`<a class="govuk-link" href="([^"]*)" data-service="back">`)

// decide presses a button of the request's page and gives where the page leads.
func (b *browser) decide(act string) *url.URL {
	b.w.t.Helper()
	path, _, _ := strings.Cut(b.path, "?")
	b.post(path, "act", act)
	m := backLink.FindStringSubmatch(b.page)
	if m == nil {
		b.w.t.Fatalf("%s: no way back to the service (%d):\n%s", act, b.status, text(b.page))
	}
	u, err := url.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
	b.w.must(err)
	return u
}

// tokens exchanges the code of an answer, after the checks every service makes.
func (p *party) tokens(answer *url.URL) (*oauth2.Token, *oidc.IDToken) {
	p.w.t.Helper()
	q := answer.Query()
	if q.Get("error") != "" || q.Get("state") != p.state || q.Get("iss") != issuer {
		p.w.t.Fatalf("the answer is %s", answer)
	}
	token, err := p.config.Exchange(p.ctx, q.Get("code"), oauth2.VerifierOption(p.pkce))
	p.w.must(err)
	return token, p.id(token)
}

func (p *party) id(token *oauth2.Token) *oidc.IDToken {
	p.w.t.Helper()
	raw, _ := token.Extra("id_token").(string)
	id, err := p.verifier.Verify(p.ctx, raw)
	p.w.must(err)
	return id
}

// told is what userinfo says for a token.
func (p *party) told(token *oauth2.Token) map[string]any {
	p.w.t.Helper()
	info, err := p.provider.UserInfo(p.ctx, oauth2.StaticTokenSource(token))
	p.w.must(err)
	all := map[string]any{}
	p.w.must(info.Claims(&all))
	return all
}

// refused is the error the token endpoint gave.
func refused(t *testing.T, err error) string {
	t.Helper()
	var e *oauth2.RetrieveError
	if !errors.As(err, &e) {
		t.Fatalf("not refused: %v", err)
	}
	return e.ErrorCode
}

// enter walks from the service through sign-in to the answer.
func (p *party) enter(b *browser, l *pkitest.Leaf, more ...oauth2.AuthCodeOption) *url.URL {
	p.w.t.Helper()
	if away := b.visit(p.address(more...)); away != nil {
		p.w.t.Fatalf("sent away to %s before anything was asked", away)
	}
	if strings.Contains(b.page, `href="/login"`) {
		b.login(l, passA)
	}
	return b.decide("allow")
}

func TestOIDCSignInWithAccount(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile", "email", "iin", "organization", "certificate")
	key := w.head(iinA, binX)
	b := w.browser()

	b.visit(shop.address())
	b.says("Вход в сервис «Магазин»").says("shop.example.kz")
	b.login(key, passA)
	b.says("Разрешить сервису «Магазин»?").says("ТЕСТТОВ ТЕСТТ ТЕСТТОВИЧ").says("a@example.kz").says("АО «ТЕСТ»")
	if got := b.get(b.path).status; got != 200 {
		t.Fatalf("reading the page again: %d", got)
	}
	answer := b.decide("allow")
	token, id := shop.tokens(answer)
	if id.Nonce != shop.nonce || id.Issuer != issuer || !slices.Equal(id.Audience, []string{"shop"}) {
		t.Errorf("the ID token: %+v", id)
	}
	var said struct {
		ACR      string   `json:"acr"`
		AMR      []string `json:"amr"`
		AuthTime int64    `json:"auth_time"`
		IIN      string   `json:"iin"`
	}
	w.must(id.Claims(&said))
	if said.ACR != "urn:senim:acr:account" || !slices.Equal(said.AMR, []string{"pop", "pwd", "mfa"}) || time.Since(time.Unix(said.AuthTime, 0)) > time.Minute {
		t.Errorf("how the person signed in: %+v", said)
	}
	if said.IIN != "" {
		t.Error("the ID token holds the IIN")
	}
	facts := shop.told(token)
	if facts["sub"] != id.Subject || facts["iin"] != iinA || facts["name"] != "ТЕСТТОВ ТЕСТТ ТЕСТТОВИЧ" || facts["email"] != "a@example.kz" || facts["locale"] != "ru" {
		t.Errorf("facts: %v", facts)
	}
	if o, _ := facts["organization"].(map[string]any); o["bin"] != binX || o["name"] != "АО «ТЕСТ»" || o["role"] != "ADMIN_ENTERPRISE" {
		t.Errorf("organization: %v", facts["organization"])
	}
	if c, _ := facts["certificate"].(map[string]any); c["serial"] != key.Certificate.SerialHex() || c["not_after"] != float64(key.Certificate.NotAfter.Unix()) {
		t.Errorf("certificate: %v", facts["certificate"])
	}
	if token.RefreshToken != "" {
		t.Error("a refresh token was given without offline_access")
	}
	if strings.Contains(id.Subject, iinA) || len(id.Subject) != 43 {
		t.Errorf("the subject is %q", id.Subject)
	}

	// Another service knows the same person by another name, and gets what it asked for only.
	news := w.party("news", "https://news.example.kz/in", "profile")
	if away := b.visit(news.address()); away != nil {
		t.Fatalf("an unknown service was answered without a question: %s", away)
	}
	other, id2 := news.tokens(b.decide("allow"))
	if id2.Subject == id.Subject {
		t.Error("two services can compare their people")
	}
	if got := news.told(other); len(got) != 3 || got["iin"] != nil {
		t.Errorf("the second service was told %v", got)
	}
}

func TestOIDCConsentIsRememberedAndWithdrawn(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile", "offline_access")
	b := w.browser()
	token, _ := shop.tokens(shop.enter(b, w.head(iinA, binX)))
	if token.RefreshToken == "" {
		t.Fatal("no refresh token")
	}
	again := b.visit(shop.address())
	if again == nil {
		t.Fatalf("asked again:\n%s", text(b.page))
	}
	shop.tokens(again)
	if away := b.visit(shop.address(with("prompt", "none"))); away == nil || away.Query().Get("code") == "" {
		t.Errorf("prompt=none: %v", away)
	}
	if away := b.visit(shop.address(with("prompt", "consent"))); away != nil {
		t.Error("prompt=consent asked nothing")
	}
	more := w.shop("profile", "iin")
	if away := b.visit(more.address()); away != nil {
		t.Error("more was given than was allowed")
	}

	if b.get("/me"); !strings.Contains(b.page, `href="/me/services"`) {
		t.Error("one's own page does not lead to the services")
	}
	b.get("/me/services").says("Магазин").says("имя и язык").says("доступ без вас")
	stranger := w.browser()
	stranger.login(w.personal(iinC), passA)
	if stranger.get("/me/services"); strings.Contains(stranger.page, "Магазин") {
		t.Error("somebody else's services are shown")
	}
	if b.post("/me/services", "client", "news").status != http.StatusNotFound {
		t.Errorf("withdrawing what was not allowed: %d", b.status)
	}
	b.post("/me/services", "client", "shop").says("Разрешение отозвано").says("Вы ещё не давали")
	if _, err := shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); refused(t, err) != "invalid_grant" {
		t.Errorf("the refresh token outlives the consent: %v", err)
	}
	if away := b.visit(shop.address()); away != nil {
		t.Error("not asked after the consent was withdrawn")
	}
	if away := b.visit(shop.address(with("prompt", "none"))); away == nil || away.Query().Get("error") != "consent_required" {
		t.Errorf("prompt=none after the consent was withdrawn: %v", away)
	}
}

// Without an account of the portal, by key alone.
func TestOIDCSignInByKeyOnly(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile", "email", "iin", "organization", "certificate", "offline_access")
	shop.config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	b := w.browser()
	b.visit(shop.address(with("acr_values", "urn:senim:acr:certificate")))
	b.says("только по ЭЦП")
	action, _, _, fields := b.asked()
	b.post(action, append(slices.Clone(fields), "answer", answerOf("rubbish"))...)
	if b.status == 200 {
		t.Error("rubbish was taken for a signature")
	}
	b.get(action).sign(w.personal(iinC))
	b.says("Разрешить сервису «Магазин»?")
	if strings.Contains(text(b.page), "E-mail") {
		t.Error("an e-mail is offered without an account")
	}
	token, id := shop.tokens(b.decide("allow"))
	var said struct{ ACR string }
	w.must(id.Claims(&said))
	facts := shop.told(token)
	if said.ACR != "urn:senim:acr:certificate" || facts["iin"] != iinC || facts["email"] != nil || token.RefreshToken != "" {
		t.Errorf("acr %q, facts %v, refresh token %q", said.ACR, facts, token.RefreshToken)
	}
	if b.get("/me"); b.path != "/login" {
		t.Error("a session of the portal began")
	}
	// Nothing is remembered: the next request asks for the key again.
	if away := b.visit(shop.address(with("acr_values", "urn:senim:acr:certificate"))); away != nil {
		t.Error("no key was asked for")
	}
	b.says("только по ЭЦП")
	if away := b.visit(shop.address(with("acr_values", "urn:senim:acr:certificate"), with("prompt", "none"))); away == nil || away.Query().Get("error") != "login_required" {
		t.Errorf("prompt=none: %v", away)
	}
	// The signature of one request is nothing in another.
	b.visit(shop.address(with("acr_values", "urn:senim:acr:certificate")))
	first, answer, _ := b.signature(w.personal(iinC))
	b.visit(shop.address(with("acr_values", "urn:senim:acr:certificate")))
	second, _, _, _ := b.asked()
	if first == second {
		t.Fatal("two requests are one")
	}
	if b.post(second, "act", "key", "answer", answer).status == 200 {
		t.Error("a signature for one request signed in for another")
	}
}

// A person without an account is led through registration, and back to the service.
func TestOIDCThroughRegistration(t *testing.T) {
	w := newWorld(t)
	w.heads(iinB, "")
	news := w.party("news", "https://news.example.kz/in", "profile")
	b := w.browser()
	key := w.personal(iinB)
	b.visit(news.address())
	b.says("Ещё не зарегистрированы")
	b.begin(participant.Individual).sign(key).at("/2").fill("b@example.kz", passB).at("/3").sign(key).at("/4")
	b.follow().sign(key).at("/login/password").post("/login/password", "password", passB)
	b.says("Разрешить сервису «Новости»?")
	token, _ := news.tokens(b.decide("allow"))
	if got := news.told(token)["name"]; got == nil {
		t.Error("no name")
	}
}

func TestOIDCPrompts(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile")
	b := w.browser()
	key := w.head(iinA, binX)
	if away := b.visit(shop.address(with("prompt", "none"))); away == nil || away.Query().Get("error") != "login_required" || away.Query().Get("state") != shop.state {
		t.Errorf("prompt=none, nobody there: %v", away)
	}
	shop.tokens(shop.enter(b, key))
	w.pass(10 * time.Minute)
	if away := b.visit(shop.address(with("max_age", "3600"))); away == nil {
		t.Error("max_age: a sign-in ten minutes ago was too old for an hour")
	}
	for _, o := range []oauth2.AuthCodeOption{with("max_age", "60"), with("max_age", "0"), with("prompt", "login")} {
		if away := b.visit(shop.address(o)); away != nil {
			t.Fatalf("no sign-in was asked: %s", away)
		}
		b.says("Вход в сервис")
		w.pass(time.Second)
		b.login(key, passA)
		_, id := shop.tokens(b.decide("allow"))
		var said struct {
			AuthTime int64 `json:"auth_time"`
		}
		w.must(id.Claims(&said))
		if age := time.Since(time.Unix(said.AuthTime, 0)); age > 30*time.Second {
			t.Errorf("auth_time is %s old", age)
		}
		w.pass(2 * time.Minute)
	}
	for _, o := range []oauth2.AuthCodeOption{with("prompt", "none login"), with("prompt", "create"), with("max_age", "-1")} {
		if away := b.visit(shop.address(o)); away == nil || away.Query().Get("error") != "invalid_request" {
			t.Errorf("%v: %v", o, away)
		}
	}
}

func TestOIDCRefreshTokensRotate(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile", "offline_access")
	first, id := shop.tokens(shop.enter(w.browser(), w.head(iinA, binX)))
	refresh := func(token string) (*oauth2.Token, error) {
		return shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: token}).Token()
	}
	second, err := refresh(first.RefreshToken)
	w.must(err)
	if second.RefreshToken == first.RefreshToken || shop.id(second).Subject != id.Subject {
		t.Error("not a new refresh token of the same person")
	}
	third, err := refresh(second.RefreshToken)
	w.must(err)
	shop.told(third)
	if _, err := refresh(first.RefreshToken); refused(t, err) != "invalid_grant" {
		t.Errorf("a refresh token worked twice: %v", err)
	}
	if _, err := refresh(third.RefreshToken); refused(t, err) != "invalid_grant" {
		t.Errorf("the thief's token, or the owner's, lives on: %v", err)
	}
	if _, err := shop.provider.UserInfo(shop.ctx, oauth2.StaticTokenSource(third)); err == nil {
		t.Error("the access token lives on")
	}
}

// Whatever ends a person's right here ends what services hold of him.
func TestOIDCTokensEndWithThePerson(t *testing.T) {
	for name, end := range map[string]func(*world, *browser, *pkitest.Leaf){
		"every session ended":     func(_ *world, b *browser, _ *pkitest.Leaf) { b.post("/me/sessions/end") },
		"the certificate revoked": func(w *world, _ *browser, l *pkitest.Leaf) { w.revoke(l) },
		"the account blocked": func(w *world, _ *browser, _ *pkitest.Leaf) {
			w.must(w.store.Participant().Update(w.t.Context(), func(tx participant.Tx) error {
				a, err := tx.Account(w.t.Context(), iinA)
				if err != nil {
					return err
				}
				a.State = participant.AccountBlocked
				return tx.PutAccount(w.t.Context(), a)
			}))
		},
		"the company's head changed": func(w *world, _ *browser, _ *pkitest.Leaf) {
			w.heads(iinA, iinB)
			key := w.head(iinB, binX)
			nb := w.browser()
			nb.begin(participant.LegalEntity).sign(key).at("/2").fill("b@example.kz", passB).at("/3").sign(key).at("/4")
			nb.follow().sign(key).at("/login/password").post("/login/password", "password", passB)
			if w.statusOf(iinA, binX) != participant.HeadChangeBlocked {
				w.t.Fatal("the head did not change")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			shop := w.shop("profile", "offline_access")
			key := w.head(iinA, binX)
			b := w.browser()
			token, _ := shop.tokens(shop.enter(b, key))
			end(w, b, key)
			_, err := shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
			if refused(t, err) != "invalid_grant" {
				t.Errorf("the refresh token works: %v", err)
			}
			if _, err := shop.provider.UserInfo(shop.ctx, oauth2.StaticTokenSource(token)); err == nil {
				t.Error("the access token works")
			}
		})
	}
}

// While the certificate cannot be checked nothing is given, and nothing is lost.
func TestOIDCUncheckedIsNotGood(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile", "offline_access")
	token, _ := shop.tokens(shop.enter(w.browser(), w.head(iinA, binX)))
	w.silent(true)
	source := shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: token.RefreshToken})
	if _, err := source.Token(); refused(t, err) != "temporarily_unavailable" {
		t.Errorf("unchecked: %v", err)
	}
	w.silent(false)
	if _, err := source.Token(); err != nil {
		t.Errorf("checked again: %v", err)
	}
}

// A code for which nothing was given, because the certificate could not be checked, is good when it can be: once, with
// the verifier of its request, and a replay of it ends what it gave.
func TestOIDCUncheckedCodeIsNotSpent(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile", "offline_access")
	shop.config.Endpoint.AuthStyle = oauth2.AuthStyleInHeader // it does not try another way after a refusal
	code := shop.enter(w.browser(), w.head(iinA, binX)).Query().Get("code")
	give := func(verifier string) (*oauth2.Token, error) {
		return shop.config.Exchange(shop.ctx, code, oauth2.VerifierOption(verifier))
	}
	w.silent(true)
	for range 2 {
		if _, err := give(shop.pkce); refused(t, err) != "temporarily_unavailable" {
			t.Errorf("unchecked: %v", err)
		}
	}
	w.silent(false)
	token, err := give(shop.pkce)
	if err != nil {
		t.Fatalf("checked again: %v", err)
	}
	shop.id(token)
	if _, err := give(shop.pkce); refused(t, err) != "invalid_grant" {
		t.Errorf("the code gives twice: %v", err)
	}
	if _, err := shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); refused(t, err) != "invalid_grant" {
		t.Errorf("what a replayed code gave lives on: %v", err)
	}

	// A wrong verifier spends the code, before a silence and after it.
	for _, before := range []bool{true, false} {
		shop.pkce = oauth2.GenerateVerifier()
		code = shop.enter(w.browser(), w.head(iinA, binX)).Query().Get("code")
		if !before {
			w.silent(true)
			if _, err := give(shop.pkce); refused(t, err) != "temporarily_unavailable" {
				t.Errorf("unchecked: %v", err)
			}
			w.silent(false)
		}
		for _, verifier := range []string{oauth2.GenerateVerifier(), shop.pkce} {
			if _, err := give(verifier); refused(t, err) != "invalid_grant" {
				t.Errorf("before a silence %t: a wrong verifier does not spend the code: %v", before, err)
			}
		}
	}
}

func TestOIDCRevocation(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("offline_access")
	token, _ := shop.tokens(shop.enter(w.browser(), w.head(iinA, binX)))
	give := func(id, secret string) int {
		form := url.Values{"token": {token.RefreshToken}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/oidc/revoke", strings.NewReader(form.Encode()))
		w.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(id, url.QueryEscape(secret))
		resp, err := w.server.Client().Do(r)
		w.must(err)
		w.must(resp.Body.Close())
		return resp.StatusCode
	}
	if got := give("shop", "wrong"); got != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %d", got)
	}
	give("news", shopSecret) // another client's token is not its to end
	source := func(t string) (*oauth2.Token, error) {
		return shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: t}).Token()
	}
	next, err := source(token.RefreshToken)
	w.must(err)
	token = next
	if got := give("shop", shopSecret); got != http.StatusOK {
		t.Errorf("revocation: %d", got)
	}
	if _, err := source(token.RefreshToken); refused(t, err) != "invalid_grant" {
		t.Errorf("the token works after it was given back: %v", err)
	}
}

func TestOIDCDiscovery(t *testing.T) {
	w := newWorld(t)
	read := func(path string) map[string]any {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, nil)
		w.must(err)
		resp, err := w.server.Client().Do(r)
		w.must(err)
		defer func() { w.must(resp.Body.Close()) }()
		b, err := io.ReadAll(resp.Body)
		w.must(err)
		all := map[string]any{}
		w.must(json.Unmarshal(b, &all))
		return all
	}
	d := read("/.well-known/openid-configuration")
	if d["issuer"] != issuer || d["end_session_endpoint"] != issuer+"/oidc/end" {
		t.Errorf("discovery: %v", d)
	}
	kids := func() (all []string) {
		keys, _ := read("/oidc/keys")["keys"].([]any)
		for _, k := range keys {
			one, _ := k.(map[string]any)
			if one["d"] != nil || one["alg"] != "RS256" {
				t.Fatalf("a key that is published: %v", one)
			}
			kid, _ := one["kid"].(string)
			all = append(all, kid)
		}
		return all
	}
	first := kids()
	w.pass(89*24*time.Hour + time.Hour)
	both := kids()
	if len(first) != 1 || len(both) != 2 || both[0] != first[0] {
		t.Fatalf("keys: %v, a day before the turn %v", first, both)
	}
	w.pass(25 * time.Hour)
	kids()
	w.pass(24 * time.Hour)
	if got := kids(); len(got) != 1 || got[0] != both[1] {
		t.Errorf("after the turn: %v, want %v", got, both[1:])
	}
}

// The tin of who acts for a sole proprietor is that one's IIN, which no scope gives.
func TestOIDCNobodyElsesIIN(t *testing.T) {
	w := proprietor(t)
	b := w.browser()
	b.login(w.personal(iinC), passC).at("/login/profile").post("/login/profile", "profile", w.profileOf(iinC, iinB).ID).at("/me")
	shop := w.shop("profile", "organization")
	b.visit(shop.address())
	b.says("ИП ТЕСТОВ").silentAbout(iinB, pretty(iinB))
	token, _ := shop.tokens(b.decide("allow"))
	o, _ := shop.told(token)["organization"].(map[string]any)
	if o["name"] != "ИП ТЕСТОВ" || o["role"] != "ENTREPRENEUR_USER" || o["bin"] != nil {
		t.Errorf("organization: %v", o)
	}
}
