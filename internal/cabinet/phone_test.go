package cabinet

import (
	"context"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/mgov"
	"senim/internal/phone"
	"senim/internal/qr"
)

var (
	offered  = regexp.MustCompile(`formaction="([^"]*)" name="([^"]*)" value="([^"]*)"`)
	codeLink = regexp.MustCompile(`href="(https://m\.egov\.kz/mobileSign/[^"]*)"`)
	goesOn   = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)" class="senim-phone".*?name="([^"]*)" value="([^"]*)"`)
)

// Q-01 in the cabinet: its forms are the same, with their own fields; what needs the agent offers no phone.
func TestQ01PhoneInCabinet(t *testing.T) {
	s := newSite(t)
	clock := func() time.Time { return s.now }
	desk, err := qr.New(qr.Config{Store: s.store.QR(), Judge: s.config.Judge, Key: make([]byte, 32), Site: "cabinet", Origin: origin, Now: clock,
		Organisation: mgov.Organisation{RU: "Кабинет", KK: "Кабинет", EN: "The cabinet"}})
	must(t, err)
	c := s.config
	c.Phone = desk
	h, err := New(c)
	must(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	s.server = server

	key := s.personal("880101300123")
	b := s.browser(key)
	to := strings.TrimPrefix(server.URL, "http://")
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	p := &phone.Phone{Key: key.Key, Certificate: key.Certificate, Client: &http.Client{Transport: transport}, Now: clock}
	sign := func(from page) page {
		t.Helper()
		m := offered.FindStringSubmatch(from.body)
		if m == nil {
			t.Fatalf("%s offers no phone:\n%s", from.path, text(from.body))
		}
		_, _, form := from.agent(t)
		form.Set(html.UnescapeString(m[2]), html.UnescapeString(m[3]))
		waits := b.post(html.UnescapeString(m[1]), form)
		code := codeLink.FindStringSubmatch(waits.body)
		if code == nil {
			t.Fatalf("%d %s shows no code:\n%s", waits.status, waits.path, text(waits.body))
		}
		paper, err := p.Look(t.Context(), html.UnescapeString(code[1]))
		must(t, err)
		must(t, p.Sign(t.Context(), paper))
		on := goesOn.FindStringSubmatch(waits.body)
		return b.post(html.UnescapeString(on[1]), url.Values{html.UnescapeString(on[2]): {html.UnescapeString(on[3])}})
	}

	if in := sign(b.get("/signin")); in.path != "/signup" {
		t.Fatalf("after sign-in: %d %s\n%s", in.status, in.path, text(in.body))
	}
	b.post("/signup", url.Values{"email": {"a@example.kz"}, "email2": {"a@example.kz"}, "city": {"Алматы"}, "lang": {"ru"}, "consent": {"yes"}}).has(t, 200, "Подпишите данные")
	sign(b.get("/signup/sign")).has(t, 200, "Мои данные")
	if in := sign(b.get("/signin?next=/profile")); in.path != "/profile" || in.status != http.StatusOK {
		t.Errorf("the form's own field did not come along: %d %s", in.status, in.path)
	}
	if many := b.get("/many"); many.status != http.StatusOK || !strings.Contains(many.body, "data-agent") || offered.MatchString(many.body) {
		t.Errorf("%d: the agent's own acts are offered to a phone", many.status)
	}
}
