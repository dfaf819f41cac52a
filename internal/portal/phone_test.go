package portal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"senim/cms"
	"senim/dsig"
	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/internal/participant"
	"senim/internal/phone"
	"senim/internal/pkitest"
	"senim/internal/qr"
	"senim/internal/trust"
	"senim/internal/web"
)

const phoneOrigin = "http://localhost:8081"

// newPhoneWorld is a world whose pages may be signed on a phone.
func newPhoneWorld(t *testing.T, how mgov.Auth) *world {
	t.Helper()
	w := newWorld(t)
	judge, err := trust.New(trust.Config{Pool: w.authority.Pool(), Revocation: w, Now: w.time})
	w.must(err)
	desk, err := qr.New(qr.Config{Store: w.store.QR(), Judge: judge, Key: make([]byte, 32), Site: "portal", Origin: phoneOrigin, Auth: how, Now: w.time,
		Organisation: mgov.Organisation{RU: lang.RU.Text("portal.brand"), KK: lang.KK.Text("portal.brand"), EN: lang.EN.Text("portal.brand"), BIN: binY}})
	w.must(err)
	handler, err := New(Config{Site: web.Site{Origin: phoneOrigin, TestMode: true}, Auth: auth.Config{Store: w.store.Auth(), Judge: judge}, Office: w.office,
		Now: w.time, Phone: desk})
	w.must(err)
	w.server.Close()
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	return w
}

// phone is a phone with a key, which reaches the portal under its own name.
func (w *world) phone(l *pkitest.Leaf) *phone.Phone {
	to := strings.TrimPrefix(w.server.URL, "http://")
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}
	transport := &http.Transport{DialContext: dial}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &phone.Phone{Key: l.Key, Certificate: l.Certificate, Client: &http.Client{Transport: transport}, Now: w.time}
}

var (
	offered  = regexp.MustCompile(`formaction="([^"]*)" name="([^"]*)" value="([^"]*)"`)
	codeLink = regexp.MustCompile(`href="(https://m\.egov\.kz/mobileSign/[^"]*)"`)
	goesOn   = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)" class="senim-phone".*?name="([^"]*)" value="([^"]*)"`)
)

// onPhone presses «Подписать телефоном» and stands on the page with the code.
func (b *browser) onPhone() *browser {
	b.w.t.Helper()
	m := offered.FindStringSubmatch(b.page)
	if m == nil {
		b.w.t.Fatalf("%s (%d) offers no phone:\n%s", b.path, b.status, text(b.page))
	}
	_, _, _, fields := b.asked()
	b.post(html.UnescapeString(m[1]), append(fields, html.UnescapeString(m[2]), html.UnescapeString(m[3]))...)
	if !strings.HasPrefix(b.path, "/phone/") || b.status != http.StatusOK {
		b.w.t.Fatalf("stands at %s (%d), not at a code:\n%s", b.path, b.status, text(b.page))
	}
	return b
}

// code is what the page shows for a phone.
func (b *browser) code() string {
	b.w.t.Helper()
	m := codeLink.FindStringSubmatch(b.page)
	if m == nil {
		b.w.t.Fatalf("%s shows no code:\n%s", b.path, text(b.page))
	}
	return html.UnescapeString(m[1])
}

// iSigned presses «Я подписал(а)», or what stands in its place.
func (b *browser) iSigned() *browser {
	b.w.t.Helper()
	m := goesOn.FindStringSubmatch(b.page)
	if m == nil {
		b.w.t.Fatalf("%s does not go on:\n%s", b.path, text(b.page))
	}
	return b.post(html.UnescapeString(m[1]), html.UnescapeString(m[2]), html.UnescapeString(m[3]))
}

// signPhone has the page signed on a phone with the key.
func (b *browser) signPhone(l *pkitest.Leaf) *browser {
	b.w.t.Helper()
	b.onPhone()
	b.w.must(b.w.walk(l, b.code()))
	return b.iSigned()
}

// walk is a phone that reads a code and signs.
func (w *world) walk(l *pkitest.Leaf, code string) error {
	p := w.phone(l)
	paper, err := p.Look(w.t.Context(), code)
	if err != nil {
		return err
	}
	return p.Sign(w.t.Context(), paper)
}

// saysNo checks that an error is the portal's refusal in the words of a code.
func (w *world) saysNo(err error, status int, l lang.Tag, code string) {
	w.t.Helper()
	r, ok := errors.AsType[*phone.Refused](err)
	want := l.Text("codes." + code)
	if !lang.Has("codes." + code) {
		want = l.Text("web.code." + code)
	}
	if !ok || r.Status != status || r.Message != want {
		w.t.Errorf("got %v, want %d %s", err, status, want)
	}
}

// recorded counts the records of an action, by their results.
func (w *world) recorded(action string) string {
	w.t.Helper()
	nodes, err := w.store.AuditNodes(w.t.Context())
	w.must(err)
	results := map[string]int{}
	for _, node := range nodes {
		all, err := w.store.AuditRecords(w.t.Context(), node, 0, 1000)
		w.must(err)
		for _, r := range all {
			if r.Action == action {
				results[r.Result]++
			}
		}
	}
	var said []string
	for result, n := range results {
		said = append(said, fmt.Sprint(n, " ", result))
	}
	slices.Sort(said)
	return strings.Join(said, ";")
}

// stillWaits checks that the page shows its code after something went wrong.
func (b *browser) stillWaits() *browser {
	b.w.t.Helper()
	b.get(b.path).code()
	return b.iSigned().says("Телефон ещё не подписал")
}

// whatever the agent signs on the portal's pages a phone signs too, and the page goes on.
func TestQ01Phone(t *testing.T) {
	for _, how := range []mgov.Auth{mgov.Token, mgov.Eds, mgov.None} {
		t.Run("sign-in, "+string(how), func(t *testing.T) {
			w := newPhoneWorld(t, how)
			b := w.browser()
			b.get("/login").onPhone().says("Осталось: 5:00").says("вход (sign in)").iSigned().says("Телефон ещё не подписал")
			w.must(w.walk(w.head(iinA, binX), b.code()))
			b.get(b.path).says("Подпись получена").iSigned().at("/login/password").post("/login/password", "password", passA).at("/me")
		})
	}
	t.Run("registration and letter's link", func(t *testing.T) {
		w := newPhoneWorld(t, mgov.Token)
		w.heads(iinA, iinB)
		key := w.head(iinB, binX)
		b := w.browser()
		b.begin(participant.LegalEntity).signPhone(key).at("/2").fill("b@example.kz", passB).at("/3").signPhone(key).at("/4")
		b.follow().signPhone(key).at("/login/password").post("/login/password", "password", passB).at("/me?done=1")
		if w.statusOf(iinB, binX) != participant.Active || w.statusOf(iinA, binX) == participant.Active {
			t.Error("the profile did not pass to its new head")
		}
	})
	t.Run("recovery and details", func(t *testing.T) {
		w := newPhoneWorld(t, mgov.Token)
		key := w.personal(iinA)
		b := w.browser()
		b.get("/login/change-email").post("/login/change-email", "iin", iinA, "email", "new@example.kz", "email2", "new@example.kz").
			at("/login/change-email/sign").signPhone(key).at("/login/change-email/sent")
		b.get("/login").signPhone(w.head(iinA, binX)).post("/login/password", "password", passA).at("/me")
		b.get("/me/details").post("/me/details", "lang", "kk", "phone", "+77011234567").at("/me/details/sign").signPhone(key).at("/me")
	})
	t.Run("the page is told", func(t *testing.T) {
		w := newPhoneWorld(t, mgov.Token)
		b := w.browser()
		b.get("/login").onPhone()
		page := b.path
		w.must(w.walk(w.head(iinA, binX), b.code()))
		if b.get(page + "/events"); !strings.Contains(b.page, "event: signed\n") {
			t.Errorf("told %q", b.page)
		}
		other := w.browser()
		other.get("/login").onPhone()
		page = other.path
		w.pass(qr.Life + time.Second)
		if other.get(page + "/events"); !strings.Contains(other.page, "event: over\n") {
			t.Errorf("told %q", other.page)
		}
	})
}

// only exactly what was handed out, once signed, is taken; the page waits on.
func TestQ02OtherBytes(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	key := w.head(iinA, binX)
	p := w.phone(key)
	b := w.browser()
	b.get("/login").onPhone()
	paper, err := p.Look(t.Context(), b.code())
	w.must(err)
	good, err := p.Signed(paper.Package)
	w.must(err)
	put := func(g mgov.Package, content []byte) error {
		g.Documents = []mgov.Document{g.Documents[0].With(content)}
		return p.Put(t.Context(), paper.Invitation.Document, g)
	}
	signed := func(change func(*cms.Options)) []byte {
		o := cms.Options{Key: key.Key, Certificate: key.Certificate, Content: paper.Package.Documents[0].Content(), Detached: true, SigningTime: w.time().Truncate(time.Second)}
		change(&o)
		der, err := cms.Sign(rand.Reader, o)
		w.must(err)
		return der
	}
	w.saysNo(put(good, signed(func(o *cms.Options) { o.Content = append([]byte("x"), o.Content...) })), 403, lang.RU, "SIGNATURE_INVALID")
	b.stillWaits()
	w.saysNo(put(good, signed(func(o *cms.Options) { o.Detached = false })), 403, lang.RU, "SIGNATURE_INVALID")
	w.saysNo(put(good, good.Documents[0].Content()[1:]), 403, lang.RU, "SIGNATURE_INVALID")
	w.saysNo(put(good, paper.Package.Documents[0].Content()), 403, lang.RU, "SIGNATURE_INVALID")
	none := good
	none.Documents = nil
	w.saysNo(p.Put(t.Context(), paper.Invitation.Document, none), 400, lang.RU, "QR_MESSAGE")
	twice := good
	twice.Documents = append(append([]mgov.Document{}, good.Documents...), good.Documents...)
	twice.Documents[1].ID = 2
	w.saysNo(p.Put(t.Context(), paper.Invitation.Document, twice), 400, lang.RU, "QR_MESSAGE")
	b.stillWaits()
	if got := w.recorded("qr.signed"); got != "1 QR_MESSAGE;4 SIGNATURE_INVALID" {
		t.Errorf("recorded %s", got)
	}
	w.must(p.Put(t.Context(), paper.Invitation.Document, good))
	b.iSigned().at("/login/password")

	t.Run("XML", func(t *testing.T) {
		b := w.browser()
		mine := w.personal(iinC)
		b.begin(participant.Individual).signPhone(mine).at("/2").fill("c@example.kz", passB).at("/3").onPhone()
		p := w.phone(mine)
		paper, err := p.Look(t.Context(), b.code())
		w.must(err)
		other := paper
		other.Package.Documents = []mgov.Document{paper.Package.Documents[0].With([]byte(strings.Replace(paper.Package.Documents[0].XML, iinC, iinB, 1)))}
		w.saysNo(p.Sign(t.Context(), other), 403, lang.RU, "SIGNATURE_INVALID")
		b.stillWaits()
		w.must(p.Sign(t.Context(), paper))
		b.iSigned().at("/4")
	})
}

// the phone of somebody else, of another company, or with a key that is not good, is told so.
func TestQ03OtherPerson(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	w.heads(iinA, iinB)
	b := w.browser()
	b.begin(participant.LegalEntity).signPhone(w.head(iinB, binX)).at("/2").fill("b@example.kz", passB).at("/3").onPhone()
	w.saysNo(w.walk(w.head(iinC, binX), b.code()), 403, lang.RU, "CERT_OTHER_PERSON")
	b.stillWaits()
	w.saysNo(w.walk(w.head(iinB, binY), b.code()), 403, lang.RU, "CERT_NOT_OF_ENTERPRISE")
	revoked := w.head(iinB, binX)
	w.revoke(revoked)
	if r, ok := errors.AsType[*phone.Refused](w.walk(revoked, b.code())); !ok || r.Status != 403 || !strings.Contains(r.Message, "отозван") {
		t.Errorf("revoked: %v", r)
	}
	if r, ok := errors.AsType[*phone.Refused](w.walk(w.authority.Foreign(), b.code())); !ok || r.Status != 403 {
		t.Errorf("foreign: %v", r)
	}
	w.silent(true)
	if r, ok := errors.AsType[*phone.Refused](w.walk(w.head(iinB, binX), b.code())); !ok || r.Status != 403 || !strings.Contains(r.Message, "Не удалось проверить") {
		t.Errorf("could not check: %v", r)
	}
	w.silent(false)
	b.stillWaits()
	w.must(w.walk(w.head(iinB, binX), b.code()))
	b.iSigned().at("/4")
}

// after five minutes phones are refused in their language, and the page offers another code, which works.
func TestQ04Expired(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	key := w.head(iinA, binX)
	p := w.phone(key)
	b := w.browser()
	b.get("/login").onPhone()
	code := b.code()
	paper, err := p.Look(t.Context(), code)
	w.must(err)
	w.pass(5 * time.Minute)
	if _, err := p.Look(t.Context(), code); err != nil {
		t.Errorf("at five minutes: %v", err)
	}
	w.pass(time.Second)
	for _, l := range lang.All() {
		p.Lang = l
		_, err := p.Look(t.Context(), code)
		w.saysNo(err, 403, l, "QR_EXPIRED")
	}
	w.saysNo(p.Sign(t.Context(), paper), 403, lang.EN, "QR_EXPIRED")
	b.get(b.path).says("Время кода вышло").says("Показать новый код")
	old := b.path
	b.post(old + "/again")
	if b.path == old || b.code() == code {
		t.Fatalf("no new code at %s", b.path)
	}
	w.must(w.walk(key, b.code()))
	b.iSigned().at("/login/password")
	_, err = p.Look(t.Context(), strings.Replace(code, "mgovSign%2F1%2F", "mgovSign%2F1%2Fx", 1))
	w.saysNo(err, 403, lang.EN, "QR_EXPIRED") // an unknown one is told alike
}

// one good answer is all: repeated, raced or taken twice, nothing happens twice.
func TestQ05Again(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	key := w.head(iinA, binX)
	p := w.phone(key)
	b := w.browser()
	b.get("/login").onPhone()
	page, code := b.path, b.code()
	paper, err := p.Look(t.Context(), code)
	w.must(err)
	signed, err := p.Signed(paper.Package)
	w.must(err)
	var good atomic.Int32
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if p.Put(t.Context(), paper.Invitation.Document, signed) == nil {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if n := good.Load(); n != 1 {
		t.Errorf("%d of six were taken", n)
	}
	w.saysNo(p.Put(t.Context(), paper.Invitation.Document, signed), 403, lang.RU, "QR_SIGNED")
	_, err = p.Look(t.Context(), code)
	w.saysNo(err, 403, lang.RU, "QR_SIGNED")
	b.get(page)
	m := goesOn.FindStringSubmatch(b.page)
	b.iSigned().at("/login/password")
	if b.post(m[1], m[2], m[3]); b.status != http.StatusUnprocessableEntity {
		t.Errorf("taken twice: %d at %s", b.status, b.path)
	}
	if got := w.recorded("qr.asked") + "," + w.recorded("qr.signed") + "," + w.recorded("qr.taken"); got != "1 ok,1 ok,1 ok" {
		t.Errorf("recorded %s", got)
	}
}

// a code belongs to the browser that made it.
func TestQ06TwoSessions(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	one, two := w.browser(), w.browser()
	one.get("/login").onPhone()
	two.get("/login").onPhone()
	m := goesOn.FindStringSubmatch(one.page)
	w.must(w.walk(w.head(iinA, binX), one.code()))
	two.stillWaits()
	if two.get(one.path); two.status != http.StatusNotFound {
		t.Errorf("another's page: %d", two.status)
	}
	for _, part := range []string{"/code.svg", "/events"} {
		if two.get(one.path + part); two.status != http.StatusNotFound {
			t.Errorf("another's %s: %d", part, two.status)
		}
	}
	if two.post(one.path + "/cancel"); two.status != http.StatusNotFound {
		t.Errorf("another's cancel: %d", two.status)
	}
	two.get("/login").post(m[1], m[2], m[3]).refused("CHALLENGE_STALE")
	two.get("/login/password").refused("SIGNIN_STALE")
	one.iSigned().at("/login/password")

	t.Run("for another form", func(t *testing.T) {
		b := w.browser()
		b.get("/login").onPhone()
		m := goesOn.FindStringSubmatch(b.page)
		w.must(w.walk(w.head(iinA, binX), b.code()))
		b.begin(participant.LegalEntity)
		b.post(b.path, m[2], m[3]).refused("CHALLENGE_STALE")
	})
	t.Run("an offer of another browser, or changed", func(t *testing.T) {
		b, c := w.browser(), w.browser()
		o := offered.FindStringSubmatch(b.get("/login").page)
		c.get("/login").post(o[1], o[2], o[3]).refused("CHALLENGE_STALE")
		b.post(o[1], o[2], o[3]+"A").refused("CHALLENGE_STALE")
	})
	t.Run("a form of more than one could type", func(t *testing.T) {
		b := w.browser()
		o := offered.FindStringSubmatch(b.get("/login").page)
		if b.post(o[1], o[2], o[3], "t", strings.Repeat("x", 17<<10)); b.status != http.StatusRequestEntityTooLarge {
			t.Errorf("status %d at %s", b.status, b.path)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		b := w.browser()
		b.get("/login").onPhone()
		code, page := b.code(), b.path
		b.post(page + "/cancel").at("/login")
		w.saysNo(w.walk(w.head(iinA, binX), code), 403, lang.RU, "QR_CANCELLED")
		b.get(page).says("Этот код больше не нужен")
	})
}

// API 2 is for the phone that came by the code.
func TestQ07Token(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	p := w.phone(w.head(iinA, binX))
	b := w.browser()
	b.get("/login").onPhone()
	paper, err := p.Look(t.Context(), b.code())
	w.must(err)
	signed, err := p.Signed(paper.Package)
	w.must(err)
	where := paper.Invitation.Document
	for _, token := range []string{"", "x", where.Token + "x", where.URI[strings.LastIndex(where.URI, "/")+1:]} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, where.URI, http.NoBody)
		w.must(err)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := p.Client.Do(req)
		w.must(err)
		w.must(resp.Body.Close())
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("token %q: %d", token, resp.StatusCode)
		}
		with := where
		with.Token = token
		w.saysNo(p.Put(t.Context(), with, signed), 401, lang.RU, "QR_TOKEN")
	}
	b.stillWaits()
}

// a code that a hostile page relays says whose it is and what for, and signs in only the browser that made it.
func TestQ08Relay(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	hostile, victim := w.browser(), w.browser()
	hostile.get("/login").onPhone()
	p := w.phone(w.head(iinA, binX))
	for _, l := range lang.All() {
		p.Lang = l
		paper, err := p.Look(t.Context(), hostile.code())
		w.must(err)
		shown := paper.Invitation.Description
		for _, m := range paper.Package.Documents[0].Meta {
			shown += "\n" + m.Value
		}
		for _, want := range []string{l.Text("portal.brand"), "sign in", "localhost:8081"} {
			if !strings.Contains(shown, want) {
				t.Errorf("%s: the phone does not show %q:\n%s", l, want, shown)
			}
		}
		if l == lang.EN {
			w.must(p.Sign(t.Context(), paper))
		}
	}
	victim.get("/login/password").refused("SIGNIN_STALE")
	victim.get("/me").at("/login")
	hostile.iSigned().at("/login/password") // the password is asked all the same

	t.Run("API 1 tells nothing of the person", func(t *testing.T) {
		b := w.browser()
		mine := w.personal(iinC)
		b.begin(participant.Individual).signPhone(mine).at("/2").fill("c@example.kz", passB).at("/3").onPhone()
		api1, err := mgov.Address(b.code())
		w.must(err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api1, http.NoBody)
		w.must(err)
		resp, err := p.Client.Do(req)
		anybody := w.browser().read(resp, err)
		if !strings.Contains(anybody.page, `"auth_type":"Token"`) {
			t.Fatalf("not API 1: %s", anybody.page)
		}
		anybody.silentAbout(iinC, "СЕРИКОВА", "c@example.kz", mine.Certificate.Subject.String())
	})
}

// A phone that shows itself by its signature signs the address of these documents, with a good key of who was asked.
func TestQ07Eds(t *testing.T) {
	w := newPhoneWorld(t, mgov.Eds)
	mine := w.personal(iinC)
	b := w.browser()
	b.begin(participant.Individual).signPhone(mine).at("/2").fill("c@example.kz", passB).at("/3").onPhone()
	p := w.phone(mine)
	paper, err := p.Look(t.Context(), b.code())
	w.must(err)
	uri := paper.Invitation.Document.URI
	post := func(l *pkitest.Leaf, doc string, wrap bool) (int, string) {
		signed, err := dsig.SignEnveloped(rand.Reader, []byte(doc), dsig.Options{Key: l.Key, Certificate: l.Certificate})
		w.must(err)
		if wrap {
			signed, err = json.Marshal(map[string]string{"xml": string(signed)})
			w.must(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, uri, strings.NewReader(string(signed)))
		w.must(err)
		resp, err := p.Client.Do(req)
		got := w.browser().read(resp, err)
		return got.status, got.page
	}
	stranger := w.personal(iinB)
	revoked := w.personal(iinC)
	w.revoke(revoked)
	for _, c := range []struct {
		name   string
		key    *pkitest.Leaf
		doc    string
		wrap   bool
		status int
	}{
		{"as the app", mine, "<login><url>" + uri + "</url></login>", false, 200},
		{"in an object", mine, "<login><url>" + uri + "</url></login>", true, 200},
		{"another address", mine, "<login><url>" + uri + "x</url></login>", false, 401},
		{"somebody else", stranger, "<login><url>" + uri + "</url></login>", false, 403},
		{"a revoked key", revoked, "<login><url>" + uri + "</url></login>", false, 403},
	} {
		if status, page := post(c.key, c.doc, c.wrap); status != c.status || (status == 200) != strings.Contains(page, "documentsToSign") {
			t.Errorf("%s: %d, want %d: %.200s", c.name, status, c.status, page)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, uri, http.NoBody)
	w.must(err)
	resp, err := p.Client.Do(req)
	if got := w.browser().read(resp, err); got.status != 401 {
		t.Errorf("without a signature: %d", got.status)
	}
}

// One code is asked about thirty times a minute; what is too long is not read.
func TestQ02Bounds(t *testing.T) {
	w := newPhoneWorld(t, mgov.Token)
	p := w.phone(w.head(iinA, binX))
	b := w.browser()
	b.get("/login").onPhone()
	paper, err := p.Look(t.Context(), b.code())
	w.must(err)
	long := paper.Package
	long.Documents = []mgov.Document{long.Documents[0].With(make([]byte, mgov.MaxPackage))}
	w.saysNo(p.Put(t.Context(), paper.Invitation.Document, long), 413, lang.RU, "TOO_LARGE")
	for range 27 {
		if _, err := p.Look(t.Context(), b.code()); err != nil {
			break // two calls each
		}
	}
	_, err = p.Look(t.Context(), b.code())
	if r, ok := errors.AsType[*phone.Refused](err); !ok || r.Status != http.StatusTooManyRequests {
		t.Errorf("after thirty calls: %v", err)
	}
	other := w.browser()
	other.get("/login").onPhone()
	w.must(w.walk(w.head(iinA, binX), other.code()))
	w.pass(time.Minute)
	w.must(p.Sign(t.Context(), paper))
}
