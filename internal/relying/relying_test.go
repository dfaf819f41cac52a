package relying

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
)

const goodClient = `{"id": "shop", "name": {"kk": "Дүкен", "ru": "Магазин", "en": "Shop"}, "redirect_uris": ["https://shop.example.kz/callback"],
	"scopes": ["openid", "iin"], "levels": ["account", "certificate"], "auth": "client_secret_basic",
	"secrets": ["sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}`

// with changes one field of the good client.
func with(t *testing.T, field string, value any) string {
	t.Helper()
	all := map[string]any{}
	if err := json.Unmarshal([]byte(goodClient), &all); err != nil {
		t.Fatal(err)
	}
	all[field] = value
	if value == nil {
		delete(all, field)
	}
	b, err := json.Marshal([]any{all})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestClientsAreChecked(t *testing.T) {
	if all, err := ParseClients([]byte("[" + goodClient + "]")); err != nil || len(all) != 1 || !all[0].Holds("x") || all[0].Holds("") || all[0].Holds("y") {
		t.Fatalf("the good one: %v %v", all, err)
	}
	list := func(all ...string) any { return all }
	for _, u := range []string{"https://a.example.kz/", "https://a.example.kz:8443/x?y=1", "http://127.0.0.1/cb", "http://localhost:99/cb"} {
		if _, err := ParseClients([]byte(with(t, "redirect_uris", list(u)))); err != nil {
			t.Errorf("%s: %v", u, err)
		}
	}
	for _, u := range []string{"http://shop.example.kz/", "https://shop.example.kz/#x", "https://shop.example.kz/#", "https://u@shop.example.kz/", "https://*.example.kz/", "/callback",
		"shop:/callback", "javascript:alert(1)", "https:///x", "http://127.0.0.1.example.kz/", "http://[::1]/", "https://shop.example.kz/%zz", ""} {
		for _, field := range []string{"redirect_uris", "post_logout_redirect_uris"} {
			if _, err := ParseClients([]byte(with(t, field, list(u)))); err == nil {
				t.Errorf("%s %q is taken", field, u)
			}
		}
	}
	name := map[string]string{"kk": "Дүкен", "ru": "Магазин", "en": "Sh\u202eop"}
	for what, file := range map[string]string{
		"no addresses":             with(t, "redirect_uris", list()),
		"an unknown field":         with(t, "admin", true),
		"an unknown scope":         with(t, "scopes", list("openid", "everything")),
		"no openid":                with(t, "scopes", list("iin")),
		"a scope twice":            with(t, "scopes", list("openid", "openid")),
		"e-mail without accounts":  strings.Replace(with(t, "scopes", list("openid", "email")), `"account",`, "", 1),
		"offline without accounts": strings.Replace(with(t, "scopes", list("openid", "offline_access")), `"account",`, "", 1),
		"an unknown level":         with(t, "levels", list("any")),
		"no level":                 with(t, "levels", nil),
		"a level twice":            with(t, "levels", list("account", "account")),
		"a bare secret":            with(t, "secrets", list("secret")),
		"an empty secret":          with(t, "secrets", list("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")),
		"three secrets":            with(t, "secrets", list("a", "b", "c")),
		"no secret":                with(t, "secrets", nil),
		"a secret of none":         with(t, "auth", "none"),
		"keys and secrets":         with(t, "jwks", map[string]any{"keys": list()}),
		"an unknown auth":          with(t, "auth", "client_secret_post"),
		"a strange id":             with(t, "id", "Shop one"),
		"a name in two languages":  with(t, "name", map[string]string{"kk": "a", "ru": "b"}),
		"a name that turns around": with(t, "name", name),
		"twice":                    "[" + goodClient + "," + goodClient + "]",
		"something behind":         "[" + goodClient + "] []",
		"no list":                  goodClient,
	} {
		if _, err := ParseClients([]byte(file)); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

func TestClaims(t *testing.T) {
	end := time.Unix(1_800_000_000, 0)
	f := Facts{Name: "N", Locale: "kk", Email: "e@example.kz", IIN: "1", BIN: "2", Organization: "O", Role: "R", Serial: "S", NotAfter: end, Policies: []string{"1.2"}}
	whole := map[string]map[string]any{
		ScopeOpenID: {}, ScopeOffline: {},
		ScopeProfile:      {"name": "N", "locale": "kk"},
		ScopeEmail:        {"email": "e@example.kz", "email_verified": true},
		ScopeIIN:          {"iin": "1"},
		ScopeOrganization: {"organization": map[string]any{"bin": "2", "name": "O", "role": "R"}},
		ScopeCertificate:  {"certificate": map[string]any{"serial": "S", "not_after": end.Unix(), "policy": []string{"1.2"}}},
	}
	for _, s := range Scopes() {
		if got := f.Claims([]string{s}); !reflect.DeepEqual(got, whole[s]) {
			t.Errorf("%s gives %v, want %v", s, got, whole[s])
		}
	}
	for _, s := range []string{ScopeProfile, ScopeEmail, ScopeIIN, ScopeOrganization} {
		if got := (Facts{}).Claims([]string{s}); len(got) != 0 {
			t.Errorf("%s of nothing gives %v", s, got)
		}
	}
}

func TestLevelsAndScopes(t *testing.T) {
	both := Client{Scopes: Scopes(), Levels: []Level{Account, Certificate}}
	key := Client{Scopes: []string{ScopeOpenID, ScopeIIN}, Levels: []Level{Certificate}}
	for _, c := range []struct {
		client Client
		wished string
		want   Level
	}{
		{both, "", Account}, {both, "urn:senim:acr:certificate", Certificate}, {both, "x urn:senim:acr:certificate urn:senim:acr:account", Certificate},
		{both, "x", Account}, {key, "urn:senim:acr:account", Certificate},
	} {
		if got := c.client.Level(c.wished); got != c.want {
			t.Errorf("%q: %s, want %s", c.wished, got, c.want)
		}
	}
	if got := both.Given(Scopes(), Certificate); slices.Contains(got, ScopeEmail) || slices.Contains(got, ScopeOffline) || len(got) != 5 {
		t.Errorf("of a key alone: %v", got)
	}
	if got := key.Given(Scopes(), Certificate); !slices.Equal(got, []string{ScopeOpenID, ScopeIIN}) {
		t.Errorf("more than registered: %v", got)
	}
}

func TestKeysTurn(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var none Ring
	if from, due := none.due(begin); !due || !from.Equal(begin) {
		t.Errorf("the first key: %v %v", from, due)
	}
	one := Ring{{Number: 1, From: begin}}
	for _, c := range []struct {
		after time.Duration
		due   bool
		from  time.Duration
	}{
		{0, false, 0}, {keyLife - keyAhead - time.Second, false, 0}, {keyLife - keyAhead, true, keyLife}, {3 * keyLife, true, 3*keyLife + keyAhead},
	} {
		from, due := one.due(begin.Add(c.after))
		if due != c.due || due && !from.Equal(begin.Add(c.from)) {
			t.Errorf("after %s: %v %v", c.after, from, due)
		}
	}
	two := append(slices.Clone(one), Key{Number: 2, From: begin.Add(keyLife)})
	for _, c := range []struct {
		after   time.Duration
		signing int
		over    int
	}{{keyLife - time.Second, 1, 0}, {keyLife, 2, 0}, {keyLife + keyAfter, 2, 0}, {keyLife + keyAfter + time.Second, 2, 1}} {
		now := begin.Add(c.after)
		if got := two.Signing(now).Number; got != c.signing || len(two.over(now)) != c.over {
			t.Errorf("after %s: key %d signs, %d are over", c.after, got, len(two.over(now)))
		}
	}
	if _, due := two.due(begin.Add(keyLife - keyAhead)); due {
		t.Error("a third key before the second signs")
	}
}

func TestConsentCovers(t *testing.T) {
	c := Consent{Client: "shop", Scopes: []string{ScopeOpenID, ScopeIIN}}
	shop := Client{ID: "shop", Auth: AuthSecret}
	if !c.Covers(shop, []string{ScopeOpenID}, "") || c.Covers(shop, []string{ScopeOpenID, ScopeEmail}, "") {
		t.Error("the wrong scopes are covered")
	}
	if c.Covers(Client{ID: "shop", Auth: AuthNone}, nil, "") || c.Covers(Client{ID: "other", Auth: AuthSecret}, nil, "") || (Consent{}).Covers(shop, nil, "") {
		t.Error("somebody else's consent covers")
	}
	c = Consent{Client: "shop", Scopes: []string{ScopeOpenID, ScopeOrganization}, Orgs: []ident.BIN{"123456789021"}}
	for bin, want := range map[ident.BIN]bool{"123456789021": true, "": true, "123456789022": false} {
		if c.Covers(shop, []string{ScopeOpenID, ScopeOrganization}, bin) != want {
			t.Errorf("acting for %q: covered %t", bin, !want)
		}
		if !c.Covers(shop, []string{ScopeOpenID}, bin) {
			t.Errorf("acting for %q: asked again though the organisation is not told", bin)
		}
	}
}
