package agent

import (
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"senim/algid"
	"senim/cms"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/pki"
)

// raw sends bytes and gives the first line of the answer.
func rawAnswer(t *testing.T, addr, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	b, _ := io.ReadAll(c)
	line, _, _ := strings.Cut(string(b), "\r\n")
	return line
}

// TestSec8WrongHost: a name rebound to our address is turned away before anything is said.
func TestSec8WrongHost(t *testing.T) {
	b := bring(t)
	for _, host := range []string{"evil.example:" + b.agent.port, "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:" + b.agent.port} {
		if got := rawAnswer(t, b.agent.Addr(), strings.ReplaceAll(upgrade, "%HOST%", host)); got != "HTTP/1.1 421 Misdirected Request" {
			t.Errorf("%s: %s", host, got)
		}
		if got := rawAnswer(t, b.agent.Addr(), "GET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n"); got != "HTTP/1.1 421 Misdirected Request" {
			t.Errorf("GET %s: %s", host, got)
		}
	}
	for _, host := range []string{"127.0.0.1:", "localhost:", "[::1]:"} {
		if got := rawAnswer(t, b.agent.Addr(), "GET / HTTP/1.1\r\nConnection: close\r\nHost: "+host+b.agent.port+"\r\n\r\n"); got != "HTTP/1.1 200 OK" {
			t.Errorf("GET %s: %s", host, got)
		}
	}
}

func TestSec8Origins(t *testing.T) {
	for origin, class := range map[string]string{
		"https://egov.kz": "secure", "http://localhost:8080": "local", "http://127.0.0.1:1": "local", "http://[::1]:1": "local", "http://egov.kz": "insecure",
		"null": "opaque", "file://": "opaque", "chrome-extension://abc": "extension", "": "program", "https://a.kz/path": "opaque", "https://u@a.kz": "opaque",
		"http://localhost.evil.kz": "insecure",
	} {
		if s := siteOf(origin); s.Class != class {
			t.Errorf("%q is %s, want %s", origin, s.Class, class)
		}
	}
	for origin, shown := range map[string]string{
		"https://egov.kz": "https://egov.kz", "https://xn--b1aew.kz:8443": "https://мвд.kz:8443", "https://xn--!.kz": "https://xn--!.kz",
	} {
		if s := siteOf(origin); s.Shown != shown {
			t.Errorf("%s is shown as %s", origin, s.Shown)
		}
	}
}

// TestSec8InsecureOrigin: pages nobody can vouch for ask under a red warning; programs are named.
func TestSec8InsecureOrigin(t *testing.T) {
	b := bring(t)
	for origin, class := range map[string]string{"http://egov.kz": "insecure", "null": "opaque", "": "program"} {
		s := b.dial(origin)
		s.send(commonCall("getKeyInfo", `"PKCS12"`))
		h := b.window()
		v := h.view.Site
		if v.Class != class || (v.Warning == "") != (class == "program") {
			t.Errorf("%q: %+v", origin, v)
		}
		if exe, err := os.Executable(); class == "program" && (err != nil || v.Origin != exe) {
			t.Errorf("the program is shown as %s", v.Origin)
		}
		h.cancel()
		s.read()
	}
}

func TestSec8OwnWindowOrigin(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	if _, err := b.try(strings.TrimSuffix(h.url, "/")); err == nil {
		t.Error("the window's own origin may speak to the socket")
	}
	h.cancel()
	s.read()
}

// get asks the window with headers of a browser.
func (h *hand) get(method, path string, headers map[string]string) (status int, header http.Header) {
	h.b.Helper()
	body := io.Reader(nil)
	if method == http.MethodPost {
		body = strings.NewReader(`{"token":"x"}`)
	}
	r, err := http.NewRequest(method, strings.TrimSuffix(h.url, "/")+path, body)
	if err != nil {
		h.b.Fatal(err)
	}
	for name, value := range headers {
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.b.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode, answer.Header
}

// reachable tells whether anything is served at the address.
func reachable(url string) bool {
	r, err := http.Get(url)
	if err == nil {
		r.Body.Close()
	}
	return err == nil
}

// TestSec8WindowDoor: framing, reading from another server or page, another host name: nothing.
func TestSec8WindowDoor(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	own := strings.TrimSuffix(h.url, "/")
	host := strings.TrimPrefix(own, "http://")
	json := "application/json"
	for _, c := range []struct {
		method, path string
		headers      map[string]string
		want         int
	}{
		{"GET", "/", nil, 200},
		{"GET", "/", map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document"}, 200},
		{"GET", "/", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"GET", "/", map[string]string{"Sec-Fetch-Site": "same-site"}, 403}, // another port of 127.0.0.1
		{"GET", "/", map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "iframe"}, 403},
		{"GET", "/window.js", map[string]string{"Origin": "http://127.0.0.1:8080"}, 403},
		{"GET", "/", map[string]string{"Host": "evil.example"}, 421},
		{"GET", "/", map[string]string{"Host": strings.Replace(host, "127.0.0.1", "localhost", 1)}, 421},
		{"GET", "/../assets", nil, 404},
		{"POST", "/open", map[string]string{"Content-Type": json, "Origin": "https://portal.example.kz"}, 403},
		{"POST", "/open", map[string]string{"Content-Type": json, "Sec-Fetch-Site": "same-site", "Origin": own}, 403},
		{"POST", "/open", map[string]string{"Content-Type": "text/plain", "Origin": own}, 415},
		{"POST", "/open", map[string]string{"Content-Type": json, "Origin": own, "Sec-Fetch-Site": "same-origin"}, 403}, // wrong token
		{"POST", "/decide", map[string]string{"Content-Type": json, "Origin": own}, 403},                                // no key
		{"OPTIONS", "/decide", map[string]string{"Origin": page}, 403},
		{"PUT", "/decide", nil, 405},
	} {
		status, header := h.get(c.method, c.path, c.headers)
		if status != c.want {
			t.Errorf("%s %s %v: %d, want %d", c.method, c.path, c.headers, status, c.want)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": "", "Set-Cookie": "",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	h.cancel()
	s.read()
}

// TestSec8TokenReplay: a token that comes twice cancels the request, and the first page loses its key.
func TestSec8TokenReplay(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(basicsCall("cms", `"x"`, `{}`, anyKey))
	first := b.unopened()
	url, token, _ := strings.Cut(first.url, "#")
	first.url = url
	if len(token) != 43 {
		t.Errorf("token of %d characters", len(token))
	}
	var opened struct{ Key string }
	if status := first.post("/open", map[string]any{"token": token}, &opened); status != 200 {
		t.Fatal(status)
	}
	second := &hand{b: b, url: url}
	if p := second.problem("/open", map[string]any{"token": token}); p.Code != "token_twice" || !strings.Contains(p.Text, "отменён") {
		t.Errorf("%+v", p)
	}
	// The first page, whichever it is, is told what happened, whatever it wants.
	first.key = opened.Key
	for range 2 {
		if p := second.problem("/open", map[string]any{"token": token}); p.Code != "over" {
			t.Errorf("a third page: %+v", p)
		}
		if second.key = "another"; second.problem("/alive", map[string]any{}).Code != "over" {
			t.Error("a page without the key is told more")
		}
	}
	if p := first.problem("/unlock", map[string]any{}); p.Code != "token_twice" || !strings.Contains(p.Text, "отменён") {
		t.Errorf("the first page: %+v", p)
	}
	if got := s.read(); got != `{"body":{},"status":true}` {
		t.Errorf("%s", got)
	}
	if reachable(url) {
		t.Error("the window is still served")
	}
	// One that does not ask is not waited for.
	s.send(basicsCall("cms", `"x"`, `{}`, anyKey))
	silent := b.unopened()
	silent.url, token, _ = strings.Cut(silent.url, "#")
	if status := silent.post("/open", map[string]any{"token": token}, &opened); status != 200 {
		t.Fatal(status)
	}
	begun := time.Now()
	silent.problem("/open", map[string]any{"token": token})
	if got := s.read(); got != `{"body":{},"status":true}` || time.Since(begun) > 2*tellTwice {
		t.Errorf("%s after %v", got, time.Since(begun))
	}
}

func TestSec8TokenLate(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.unopened()
	url, token, _ := strings.Cut(h.url, "#")
	h.url = url
	b.wait(61 * time.Second)
	if p := h.problem("/open", map[string]any{"token": token}); p.Code != "token_late" {
		t.Errorf("%+v", p)
	}
	s.read()
}

func challenge(origin string) string {
	return "senim-challenge 1\norigin: " + origin + "\npurpose: sign-in\nnonce: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nissued: 2026-09-01T10:00:00Z\nexpires: 2026-09-01T10:05:00Z\n"
}

// TestSec8RelayedChallenge: another origin's challenge is signed by no method, and the person is told.
func TestSec8RelayedChallenge(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_a.p12", person)
	foreign := challenge("https://victim.kz")
	wrapped, err := cms.Sign(rand.Reader, cms.Options{Key: person.Key, Certificate: person.Certificate, Content: []byte(foreign), SigningTime: b.now})
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(s string) string { return quote(base64.StdEncoding.EncodeToString([]byte(s))) }
	const decode = `{"decode":true,"encapsulate":false}`
	for name, c := range map[string]struct{ origin, request string }{
		"cms":            {page, basicsCall("cms", b64(foreign), decode, anyKey)},
		"second of two":  {page, basicsCall("cms", `["aGVsbG8=",`+b64(foreign)+`]`, decode, anyKey)},
		"plain text":     {page, basicsCall("cms", quote(foreign), `{}`, anyKey)},
		"raw":            {page, basicsCall("raw", b64(foreign), decode, anyKey)},
		"commonUtils":    {page, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+b64(foreign)+`,false`)},
		"inside a CMS":   {page, commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+b64(string(wrapped))+`,true`)},
		"native program": {"", basicsCall("cms", b64(foreign), decode, anyKey)},
		"two origins":    {page, basicsCall("cms", b64(strings.Replace(challenge(page), "purpose", "origin: https://victim.kz\npurpose", 1)), decode, anyKey)},
		"no origin":      {page, basicsCall("cms", b64("senim-challenge 1\n"), decode, anyKey)},
		"longer origin":  {page, basicsCall("cms", b64(challenge(page+".evil.kz")), decode, anyKey)},
	} {
		t.Run(name, func(t *testing.T) {
			s := b.dial(c.origin)
			s.send(c.request)
			h := b.window()
			if h.view.Kind != "refused" || h.view.Refusal == "" || len(h.view.Keys) > 0 {
				t.Errorf("%+v", h.view)
			}
			if p := h.problem("/unlock", map[string]any{"id": "x", "password": password}); p.Code != "no_such_key" {
				t.Errorf("%+v", p)
			}
			h.decide(Decision{})
			got := s.read()
			if !strings.HasPrefix(got, `{"code":"SIGNING_FAILURE","details":"origin.mismatch`) && got != `{"code":"500","message":"origin.mismatch"}` {
				t.Errorf("%s", got)
			}
		})
	}
	// Its own challenge a page may have signed.
	s := b.dial(page)
	list := result[[]string](t, b.sign(s, basicsCall("cms", b64(challenge(page)), decode, anyKey), ""))
	der, err := cms.Decode([]byte(list[0]))
	if err != nil {
		t.Fatal(err)
	}
	good(t, der, []byte(challenge(page)))
}

// TestSec8RawOfSignature: a bare signature is not made over what a CMS or an XML signature signs inside;
// a page could put another site's challenge, or a document nobody saw, behind its digest.
func TestSec8RawOfSignature(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	digest := algid.Streebog512.Sum([]byte(challenge("https://victim.kz")))
	attribute, err := asn1.Marshal(struct {
		Type   asn1.ObjectIdentifier
		Values [][]byte `asn1:"set"`
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}, [][]byte{digest}})
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: attribute})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"signed attributes": attributes,
		"SignedInfo":        []byte(`<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Reference URI=""/></ds:SignedInfo>`),
		"no prefix":         []byte(`<SignedInfo xmlns="http://www.w3.org/2000/09/xmldsig#"></SignedInfo>`),
	} {
		s.send(basicsCall("raw", quote(base64.StdEncoding.EncodeToString(content)), `{"decode":true}`, anyKey))
		if got := s.read(); !strings.HasPrefix(got, `{"code":"INVALID_SIGNING_PARAMS"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if inner([]byte("<SignedInformation/>")) || inner([]byte("<a>SignedInfo</a>")) || inner([]byte("1")) || inner(nil) {
		t.Error("a document is taken for the inside of a signature")
	}
}

// TestSec8AuthKeyDigest: a sign-in key never signs what cannot be shown; a combined one under red.
func TestSec8AuthKeyDigest(t *testing.T) {
	b := bring(t)
	_, signIn := b.authority.ClassicPair(pkitest.Person())
	b.key("AUTH_RSA256_a.p12", signIn)
	b.key("GOST512_b.p12", b.authority.Individual())
	s := b.dial(page)
	short := quote(base64.StdEncoding.EncodeToString(algid.SHA256.Sum(nil)))
	long := quote(base64.StdEncoding.EncodeToString(algid.Streebog512.Sum(nil)))
	for _, request := range []string{
		commonCall("createCAdESFromBase64Hash", `"PKCS12","AUTHENTICATION",`+short),
		basicsCall("cms", short, `{"decode":true,"digested":true}`, anyKey),
		basicsCall("raw", short, `{"decode":true,"digested":true}`, anyKey),
	} {
		s.send(request)
		h := b.window()
		id := h.unlock("AUTH_RSA256_a.p12")
		if k := h.row("AUTH_RSA256_a.p12"); k.Fits || k.Reasons[0].Code != "auth-digest" || h.view.Documents[0].Kind != "digest" {
			t.Errorf("%+v", k)
		}
		if p := h.problem("/decide", Decision{Key: id}); p.Code != "does_not_fit" {
			t.Errorf("%+v", p)
		}
		h.cancel()
		s.read()
	}
	s.send(commonCall("createCAdESFromBase64Hash", `"PKCS12","",`+long))
	h := b.window()
	h.unlock("GOST512_b.p12")
	k := h.row("GOST512_b.p12")
	if !k.Fits || len(k.Remarks) == 0 || k.Remarks[0].Code != "combined-digest" || k.Remarks[0].Level != "red" {
		t.Errorf("%+v", k)
	}
	h.cancel()
	s.read()
	for _, bad := range []string{"MjVkNGYyYTg2ZGViNWUyNTc0YmIzMjEwYjY3YmIyNGZjYzRhZmIxOWY5M2E3YjY1YTA1N2RhYTg3NGE5ZDE4ZSAgLQo=", "MTEK"} {
		if got := s.ask(commonCall("createCAdESFromBase64Hash", `"PKCS12","123","`+bad+`"`)); !strings.Contains(got, `"500"`) {
			t.Errorf("%s", got)
		}
	}
	b.noWindow()
}

// TestSec8ThousandWindows: one window, eight wait, the rest count as cancelled at once.
func TestSec8ThousandWindows(t *testing.T) {
	b := bring(t)
	var all []*socket
	for i := range 12 {
		s := b.dial(fmt.Sprintf("https://site%d.kz", i))
		s.send(commonCall("getKeyInfo", `"PKCS12"`))
		all = append(all, s)
	}
	h := b.window()
	replies := make(chan string, len(all))
	for _, s := range all {
		go func() { replies <- s.read() }()
	}
	for range 3 {
		if got := <-replies; got != `{"code":"500","message":"action.canceled"}` {
			t.Errorf("%s", got)
		}
	}
	if waiting := b.agent.desk.queue(); waiting != 8 {
		t.Errorf("%d wait", waiting)
	}
	b.noWindow()
	h.cancel()
	for range 8 {
		b.window().cancel()
	}
	for range 9 {
		if got := <-replies; got != `{"code":"500","message":"action.canceled"}` {
			t.Errorf("%s", got)
		}
	}
}

func TestSec8Flood(t *testing.T) {
	b := bring(t)
	var all []*socket
	for range maxSockets {
		all = append(all, b.dial(page))
	}
	_, answer, err := websocket.Dial(t.Context(), "ws://"+b.agent.Addr(), &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {page}}}) //nolint:bodyclose // the package closes it
	if err == nil || answer == nil || answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("more connections than the bound: %v", err)
	}
	b.dial("https://other.kz")
	_ = all[1].c.CloseNow()
	// One page pours requests: its socket is closed, the agent goes on.
	s := all[0]
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	b.window()
	for range maxQueued + 2 {
		if s.c.Write(t.Context(), 1, []byte(`{"module":"x"}`)) != nil {
			break
		}
	}
	if _, _, err := s.c.Read(t.Context()); err == nil {
		t.Error("the flooding socket lives")
	}
	if got := all[2].ask(`{"module":"x"}`); !strings.Contains(got, "MODULE_NOT_FOUND") {
		t.Errorf("%s", got)
	}
}

// TestSec8Block: after three cancels in a minute the person can send a site away for a while.
func TestSec8Block(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	ask := commonCall("getKeyInfo", `"PKCS12"`)
	for range 3 {
		s.send(ask)
		h := b.window()
		if h.view.Block != "" {
			t.Error("blocking is offered too early")
		}
		h.cancel()
		s.read()
	}
	s.send(ask)
	h := b.window()
	if h.view.Block == "" {
		t.Error("blocking is not offered")
	}
	h.post("/cancel", map[string]any{"block": true}, nil)
	s.read()
	if got := s.ask(ask); got != `{"code":"500","message":"action.canceled"}` {
		t.Errorf("%s", got)
	}
	b.noWindow()
	b.wait(11 * time.Minute)
	s.send(ask)
	b.window().cancel()
	s.read()
}

// TestSec8Logs: what a log may hold.
func TestSec8Logs(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_a.p12", person)
	s := b.dial(page)
	b.sign(s, basicsCall("cms", `"private words"`, `{}`, anyKey), "")
	s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"secret method 123456789011"}`)
	s.ask(`{"module":"private module"}`)
	holder := person.Certificate.Holder()
	for _, no := range []string{"private", password, holder.IIN, holder.CommonName, b.folder, "GOST512_a", "123456789011"} {
		if strings.Contains(b.log.String(), no) {
			t.Errorf("the log holds %q", no)
		}
	}
	if !strings.Contains(b.log.String(), "method=sign result=ok") {
		t.Errorf("%s", b.log)
	}
}

// TestSec8Shown: what would be shown as another text than it is, is not shown as text.
func TestSec8Shown(t *testing.T) {
	for text, kind := range map[string]string{
		"обычный текст": "text", "<a><b>x</b></a>": "xml", "<not xml": "text", "%PDF-1.7": "pdf", "a\x00b": "binary", "\xff": "binary",
		"transfer \u202e100": "binary", "esc \x1b[2J": "binary",
	} {
		if d := showContent([]byte(text), nil, lang.RU); d.Kind != kind {
			t.Errorf("%q is shown as %s", text, d.Kind)
		}
	}
	if d := showContent([]byte(strings.Repeat("я", maxShown)), nil, lang.RU); !d.Cut || len(d.Text) > maxShown {
		t.Error("a long text is not cut")
	}
}

// TestSec8Texts: every sentence the window can say exists in all languages.
func TestSec8Texts(t *testing.T) {
	for _, key := range []string{"title.sign", "title.info", "title.generate", "title.install", "title.list", "title.refused", "done.failed", "problem.wrong_password"} {
		if !lang.Has("agent." + key) {
			t.Errorf("no text %s", key)
		}
	}
	for role := pki.RoleIndividual; role <= pki.RoleTreasury; role++ {
		if !lang.Has("agent.role." + role.String()) {
			t.Errorf("no words for the role %s", role)
		}
	}
}
