package portal

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"golang.org/x/oauth2"
)

// ask posts to an address for programs and gives the status and the body.
func (w *world) ask(path, id, secret string, form url.Values) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.server.URL+path, strings.NewReader(form.Encode()))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		r.SetBasicAuth(id, url.QueryEscape(secret))
	}
	b := w.browser().read(w.server.Client().Do(r))
	return b.status, b.page
}

// A request whose address is not the registered one, letter by letter, goes nowhere: the person gets a
// page.
func TestSecOIDCRedirects(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, address := range []string{
		"https://evil.example.kz/callback", shopReturn + "/", shopReturn + "?x=1", shopReturn + "#x", "http://shop.example.kz/callback",
		"https://shop.example.kz:443/callback", "https://SHOP.example.kz/callback", "https://shop.example.kz/callback/../evil",
		"https://shop.example.kz@evil.example.kz/callback", "//shop.example.kz/callback", "https://news.example.kz/in", "javascript:alert(1)", "",
	} {
		p := w.party("shop", address)
		if away := b.visit(p.address()); away != nil {
			t.Errorf("%q: sent to %s", address, away)
		}
		if b.status != http.StatusBadRequest {
			t.Errorf("%q: status %d", address, b.status)
		}
	}
	if away := b.visit(w.party("nobody", shopReturn).address()); away != nil || b.status != http.StatusBadRequest {
		t.Errorf("an unknown client: %v, %d", away, b.status)
	}
	b.says("не зарегистрирован")
	// A program on the person's own machine chooses its port, and nothing else.
	for address, good := range map[string]bool{
		"http://127.0.0.1:5555/callback": true, "http://127.0.0.1:5555/other": false, "http://127.0.0.2/callback": false,
		"http://localhost:5555/callback": false, "https://127.0.0.1.evil.example.kz/callback": false,
	} {
		b.visit(w.party("desktop", address).address())
		if good {
			b.says("программа на этом компьютере (127.0.0.1:5555)")
		}
		if (b.status == http.StatusOK) != good {
			t.Errorf("%s: status %d", address, b.status)
		}
	}
}

// What is wrong with a request is told to the service, at its own address, with its state; nobody is
// asked to sign in for it.
func TestSecOIDCBadRequests(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	shop := w.shop("profile")
	whole := shop.address()
	drop := func(name string) string {
		u, err := url.Parse(whole)
		w.must(err)
		q := u.Query()
		q.Del(name)
		u.RawQuery = q.Encode()
		return u.RequestURI()
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"redirect_uri":"https://evil.example.kz/"}`)) + "."
	for name, c := range map[string]struct{ address, want string }{
		"no PKCE":              {drop("code_challenge"), "invalid_request"},
		"PKCE, plain":          {shop.address(with("code_challenge_method", "plain")), "invalid_request"},
		"PKCE, method dropped": {drop("code_challenge_method"), "invalid_request"},
		"implicit":             {shop.address(with("response_type", "id_token")), "unsupported_response_type"},
		"hybrid":               {shop.address(with("response_type", "code token")), "unsupported_response_type"},
		"fragment":             {shop.address(with("response_mode", "fragment")), "unsupported_response_mode"},
		"form":                 {shop.address(with("response_mode", "form_post")), "unsupported_response_mode"},
		"no openid":            {shop.address(with("scope", "profile")), "invalid_scope"},
		"a scope never given":  {w.party("news", "https://news.example.kz/in", "iin").address(), "invalid_scope"},
		"a guessable state":    {shop.address(with("state", "1")), "invalid_state"},
		"a request object":     {shop.address(with("request", none)), "request_not_supported"},
		"a request by address": {shop.address(with("request_uri", "https://shop.example.kz/r")), "request_not_supported"},
	} {
		away := b.visit(c.address)
		if away == nil || away.Query().Get("error") != c.want || away.Query().Get("code") != "" {
			t.Errorf("%s: %v (%d)", name, away, b.status)
			continue
		}
		if away.Query().Get("iss") != issuer || away.Fragment != "" {
			t.Errorf("%s: %s does not name us", name, away)
		}
	}
	for _, twice := range []string{whole + "&redirect_uri=" + url.QueryEscape("https://evil.example.kz/"), whole + "&client_id=news", whole + "&x=" + strings.Repeat("y", 4096)} {
		if away := b.visit(twice); away != nil || b.status != http.StatusBadRequest {
			t.Errorf("a parameter given twice, or a very long request: %v, %d", away, b.status)
		}
	}
}

func TestSecOIDCCodes(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile", "offline_access")
	b := w.browser()
	key := w.head(iinA, binX)
	answer := shop.enter(b, key)
	code := func(u *url.URL) string { return u.Query().Get("code") }
	form := func(code, verifier, redirect string) url.Values {
		return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirect}}
	}
	fresh := func() string { return code(b.visit(shop.address())) }

	for name, c := range map[string]struct {
		id, secret string
		form       url.Values
	}{
		"another client's code":    {"news", shopSecret, form(fresh(), shop.pkce, shopReturn)},
		"another address":          {"shop", shopSecret, form(fresh(), shop.pkce, "https://shop.example.kz/other")},
		"no verifier":              {"shop", shopSecret, form(fresh(), "", shopReturn)},
		"another verifier":         {"shop", shopSecret, form(fresh(), oauth2.GenerateVerifier(), shopReturn)},
		"the challenge itself":     {"shop", shopSecret, form(fresh(), oauth2.S256ChallengeFromVerifier(shop.pkce), shopReturn)},
		"a wrong secret":           {"shop", "guess", form(fresh(), shop.pkce, shopReturn)},
		"no secret":                {"shop", "", form(fresh(), shop.pkce, shopReturn)},
		"the hash for a secret":    {"shop", parties(t)[0].Secrets[0], form(fresh(), shop.pkce, shopReturn)},
		"a code nobody gave":       {"shop", shopSecret, form("ory_ac_x.y", shop.pkce, shopReturn)},
		"the password grant":       {"shop", shopSecret, url.Values{"grant_type": {"password"}, "username": {iinA}, "password": {passA}}},
		"the client's own grant":   {"shop", shopSecret, url.Values{"grant_type": {"client_credentials"}}},
		"a refresh token as code":  {"shop", shopSecret, form("ory_rt_x.y", shop.pkce, shopReturn)},
		"a public client's access": {"desktop", "", form(fresh(), shop.pkce, shopReturn)},
	} {
		if c.secret == "" {
			c.form.Set("client_id", c.id)
		}
		status, body := w.ask("/oidc/token", c.id, c.secret, c.form)
		if status < 400 || strings.Contains(body, "access_token") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if strings.Contains(body, iinA) {
			t.Errorf("%s: the error tells the IIN", name)
		}
	}

	// A code that comes twice takes back what it gave.
	token, _ := shop.tokens(answer)
	if status, body := w.ask("/oidc/token", "shop", shopSecret, form(code(answer), shop.pkce, shopReturn)); status != http.StatusBadRequest || !strings.Contains(body, "invalid_grant") {
		t.Errorf("the code again: %d %s", status, body)
	}
	if _, err := shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); refused(t, err) != "invalid_grant" {
		t.Errorf("what a replayed code gave lives on: %v", err)
	}
	if _, err := shop.provider.UserInfo(shop.ctx, oauth2.StaticTokenSource(token)); err == nil {
		t.Error("the access token of a replayed code lives on")
	}
}

// The pages of a request work in the browser it began in, once, for an hour, and in no frame.
func TestSecOIDCRequestIsOneBrowsers(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile")
	key := w.head(iinA, binX)
	thief, victim := w.browser(), w.browser()
	thief.visit(shop.address())
	theirs := thief.path
	victim.login(key, passA)
	if victim.get(theirs).status != http.StatusNotFound {
		t.Errorf("another browser's request: %d", victim.status)
	}
	if victim.post(theirs, "act", "allow").status != http.StatusNotFound {
		t.Errorf("another browser's request is allowed: %d", victim.status)
	}
	victim.visit(shop.address())
	if victim.path == theirs {
		t.Fatal("two browsers share a request")
	}
	if victim.get(theirs).status != http.StatusNotFound {
		t.Errorf("with a cookie of its own: %d", victim.status)
	}

	victim.visit(shop.address())
	page := victim.path
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+page, strings.NewReader("act=allow"))
	w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example.kz")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := victim.read(victim.client.Do(r)); got.status != http.StatusForbidden {
		t.Errorf("a consent posted by another site: %d", got.status)
	}
	resp, err := victim.client.Get(w.server.URL + page)
	w.must(err)
	w.must(resp.Body.Close())
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("the consent page may be framed: %s", csp)
	}
	victim.get(page)
	victim.decide("allow")
	if victim.post(page, "act", "allow").status != http.StatusNotFound {
		t.Errorf("allowed twice: %d", victim.status)
	}
	victim.visit(shop.address(with("prompt", "consent")))
	if away := victim.decide("decline"); away.Query().Get("error") != "access_denied" || away.Query().Get("code") != "" || away.Query().Get("state") != shop.state {
		t.Errorf("declined: %s", away)
	}
	victim.visit(shop.address(with("prompt", "consent")))
	page = victim.path
	w.pass(time.Hour + time.Second)
	if victim.get(page).status != http.StatusNotFound {
		t.Errorf("after an hour: %d", victim.status)
	}
}

// Nothing is given by a GET, and nothing to a person who chose no profile yet.
func TestSecOIDCNothingWithoutThePassword(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile")
	b := w.browser()
	b.visit(shop.address())
	page := b.path
	b.get("/login").sign(w.head(iinA, binX)).at("/login/password")
	b.get(page)
	if strings.Contains(b.page, "ТЕСТТОВ") {
		t.Error("the consent page is shown before the password")
	}
	if b.post(page, "act", "allow"); strings.Contains(b.page, "data-service") {
		t.Error("a code was given before the password")
	}
	// At the level of an account, a signature alone is not taken.
	if b.post(page, "act", "key", "answer", "x"); strings.Contains(b.page, "data-service") {
		t.Error("a code was given for a key alone")
	}
}

// A program that cannot prove who it is never gets an answer without the person.
func TestSecOIDCPublicClientAsksEachTime(t *testing.T) {
	w := newWorld(t)
	p := w.party("desktop", "http://127.0.0.1:5555/callback", "profile")
	b := w.browser()
	answer := p.enter(b, w.head(iinA, binX))
	if answer.Host != "127.0.0.1:5555" {
		t.Fatalf("sent to %s", answer)
	}
	p.tokens(answer)
	if away := b.visit(p.address()); away != nil {
		t.Errorf("answered without the person: %s", away)
	}
	if away := b.visit(p.address(with("prompt", "none"))); away == nil || away.Query().Get("error") != "consent_required" {
		t.Errorf("prompt=none: %v", away)
	}
}

func TestSecOIDCSignOut(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("profile")
	b := w.browser()
	token, _ := shop.tokens(shop.enter(b, w.head(iinA, binX)))
	hint, _ := token.Extra("id_token").(string)
	end := func(pairs ...string) string {
		q := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		return "/oidc/end?" + q.Encode()
	}
	const bye = "https://shop.example.kz/bye"
	for name, address := range map[string]string{
		"an address nobody registered": end("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example.kz/"),
		"an address without a client":  end("post_logout_redirect_uri", bye),
		"another client's address":     end("client_id", "news", "post_logout_redirect_uri", bye),
		"a hint of another client":     end("client_id", "news", "id_token_hint", hint),
		"a hint we did not sign":       end("id_token_hint", hint[:len(hint)-8]+"AAAAAAAA", "post_logout_redirect_uri", bye),
		"an unknown client":            end("client_id", "nobody"),
		"spelled otherwise":            end("client_id", "shop", "post_logout_redirect_uri", bye+"/"),
	} {
		if away := b.visit(address); away != nil || b.status != http.StatusBadRequest {
			t.Errorf("%s: %v, %d", name, away, b.status)
		}
	}
	b.visit(end("id_token_hint", hint, "post_logout_redirect_uri", bye, "state", "s 1"))
	b.says("Выйти и из портала?").says("Магазин")
	if b.get("/me"); b.path != "/me" {
		t.Fatal("a link alone signed the person out")
	}
	if b.post("/oidc/end", "client_id", "shop", "post_logout_redirect_uri", "https://evil.example.kz/").status != http.StatusBadRequest {
		t.Errorf("a form changed on its way: %d", b.status)
	}
	b.post("/oidc/end", "client_id", "shop", "post_logout_redirect_uri", bye, "state", "s 1")
	if m := backLink.FindStringSubmatch(b.page); m == nil || m[1] != bye+"?state=s+1" {
		t.Errorf("the way back: %v", m)
	}
	if b.get("/me"); b.path != "/login" {
		t.Error("still signed in")
	}
	if away := b.visit(end("client_id", "shop", "post_logout_redirect_uri", bye)); away == nil || away.String() != bye {
		t.Errorf("nobody signed in: %v", away)
	}
}

// Tokens in addresses would stand in logs: they are not read there.
func TestSecOIDCUserinfoReadsNoAddress(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("iin")
	token, _ := shop.tokens(shop.enter(w.browser(), w.head(iinA, binX)))
	for _, path := range []string{"/oidc/userinfo?access_token=" + token.AccessToken, "/oidc/userinfo"} {
		if b := w.browser().get(path); b.status < 400 || strings.Contains(b.page, iinA) {
			t.Errorf("%s: %d", path, b.status)
		}
	}
}

// assertion is what a client signs to prove itself at the token endpoint.
func assertion(w *world, key *ecdsa.PrivateKey, client, audience, id string, ends time.Time) string {
	w.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	w.must(err)
	claims, err := json.Marshal(map[string]any{"iss": client, "sub": client, "aud": audience, "jti": id, "exp": ends.Unix()})
	w.must(err)
	signed, err := signer.Sign(claims)
	w.must(err)
	text, err := signed.CompactSerialize()
	w.must(err)
	return text
}

// A client with a key of its own proves itself by assertions: its own, for us, fresh, each once.
func TestAssertionsWorkOnce(t *testing.T) {
	w := newWorld(t)
	bank := w.party("bank", "https://bank.example.kz/in")
	b := w.browser()
	bank.enter(b, w.head(iinA, binX))
	key, err := bankKey()
	w.must(err)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	const at = issuer + "/oidc/token"
	soon := time.Now().Add(time.Minute)
	exchange := func(said, secret string) (int, string) {
		t.Helper()
		away := b.visit(bank.address())
		if away == nil || away.Query().Get("code") == "" {
			t.Fatalf("no code: %v", away)
		}
		form := url.Values{"grant_type": {"authorization_code"}, "code": {away.Query().Get("code")}, "code_verifier": {bank.pkce}, "redirect_uri": {bank.config.RedirectURL}}
		if said != "" {
			form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			form.Set("client_assertion", said)
		} else {
			form.Set("client_id", "bank")
		}
		return w.ask("/oidc/token", "bank", secret, form)
	}
	good := assertion(w, key, "bank", at, "first", soon)
	if status, body := exchange(good, ""); status != http.StatusOK {
		t.Fatalf("a good assertion: %d %s", status, body)
	}
	for name, said := range map[string]string{
		"again":            good,
		"a stranger's key": assertion(w, stranger, "bank", at, "second", soon),
		"another client":   assertion(w, key, "shop", at, "third", soon),
		"for another":      assertion(w, key, "bank", "https://evil.example.kz/token", "fourth", soon),
		"over":             assertion(w, key, "bank", at, "fifth", time.Now().Add(-time.Minute)),
		"none":             "",
	} {
		if status, body := exchange(said, ""); status < 400 || strings.Contains(body, "access_token") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := exchange("", "any secret"); status < 400 || strings.Contains(body, "access_token") {
		t.Errorf("a secret where there is none: %d %s", status, body)
	}
}

// Of many who show one code, or one refresh token, at the same instant, one gets tokens at most.
func TestSecOIDCRaces(t *testing.T) {
	w := newWorld(t)
	shop := w.shop("offline_access")
	b := w.browser()
	answer := shop.enter(b, w.head(iinA, binX))
	race := func(what string, form url.Values) (won string) {
		t.Helper()
		var mu sync.Mutex
		var wg sync.WaitGroup
		winners := 0
		for range 8 {
			wg.Go(func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/oidc/token", strings.NewReader(form.Encode()))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.SetBasicAuth("shop", url.QueryEscape(shopSecret))
				resp, err := w.server.Client().Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = resp.Body.Close() }()
				var said struct {
					RefreshToken string `json:"refresh_token"`
				}
				if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if resp.StatusCode == http.StatusOK {
					winners++
					won = said.RefreshToken
				}
			})
		}
		wg.Wait()
		if winners > 1 {
			t.Errorf("%s: %d got tokens", what, winners)
		}
		return won
	}
	token := race("a code", url.Values{"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "code_verifier": {shop.pkce}, "redirect_uri": {shopReturn}})
	if token == "" {
		t.Fatal("nobody got tokens for a good code")
	}
	fresh, _ := shop.tokens(b.visit(shop.address()))
	race("a refresh token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fresh.RefreshToken}})
}
