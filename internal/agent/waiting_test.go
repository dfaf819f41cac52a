package agent

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// soon is how long a person waits for an answer that waits for nobody.
const soon = 4 * time.Second

// letGo cancels a window that waits for something, and checks that nobody has to wait with it: neither the person, nor
// the page that asked, nor the next one.
func (h *hand) letGo(s *socket, canceled string) ending {
	h.b.Helper()
	begin := time.Now()
	var e ending
	if status := h.post("/cancel", map[string]any{}, &e); status != 200 || !e.Done {
		h.b.Errorf("cancel: %d %+v", status, e)
	}
	if got := s.read(); got != canceled {
		h.b.Errorf("the page got %s", got)
	}
	next := h.b.dial("https://next.example.kz")
	next.send(commonCall("getKeyInfo", `"PKCS12"`))
	h.b.window().cancel()
	if took := time.Since(begin); took > soon {
		h.b.Errorf("cancel, answer and the next window took %v", took)
	}
	return e
}

// silentService is a service that never answers, and whose connection stays open.
func silentService(t *testing.T) (address string, asked <-chan struct{}) {
	came, end := make(chan struct{}, 16), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		select {
		case <-end:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(end) })
	return s.URL, came
}

// meanwhile sends what is not waited for; the status is 0 when the window's server was gone before it answered.
func (h *hand) meanwhile(path string, body any) <-chan int {
	h.b.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		h.b.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, strings.TrimSuffix(h.url, "/")+path, bytes.NewReader(text))
	if err != nil {
		h.b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Window-Key", h.key)
	status := make(chan int, 1)
	go func() {
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			status <- 0
			return
		}
		_ = answer.Body.Close()
		status <- answer.StatusCode
	}()
	return status
}

const canceledCommon = `{"code":"500","message":"action.canceled"}`

// TestCancelWhileStamping: a time-stamping authority that says nothing holds up neither the person nor the next site.
func TestCancelWhileStamping(t *testing.T) {
	address, asked := silentService(t)
	stamps := map[string]string{}
	b := bring(t, func(c *Config) { c.Stamps = stamps })
	leaf := b.authority.Individual()
	stamps[hex.EncodeToString(leaf.Certificate.AuthorityKeyID)] = address
	b.key("GOST512_a.p12", leaf)
	s := b.dial(page)
	s.send(commonCall("createCMSSignatureFromBase64", `"PKCS12","","MTEK",true`))
	h := b.window()
	status := h.meanwhile("/decide", Decision{Key: h.unlock("")})
	<-asked
	if e := h.letGo(s, canceledCommon); e.Text != lang.RU.Text("agent.done.canceled") {
		t.Errorf("%q", e.Text)
	}
	if got := <-status; got != http.StatusGone {
		t.Errorf("the decision was answered %d", got)
	}
	if id := b.agent.known.chosen(page); id != "" {
		t.Error("the key counts as used")
	}
}

// mute is a source of status that answers when it is told to stop.
type mute chan struct{}

func (m mute) Status(ctx context.Context, _, _ *pki.Certificate, _ time.Time) trust.Status {
	m <- struct{}{}
	<-ctx.Done()
	return trust.Status{State: trust.StateUnknown, Err: ctx.Err().Error()}
}

// TestCancelWhileUnlocking: so does a responder that is asked about the key; what was known of the key stays.
func TestCancelWhileUnlocking(t *testing.T) {
	asked := make(mute, 4)
	b := bring(t, func(c *Config) { c.Revocation = asked })
	leaf := b.authority.Individual()
	b.key("GOST512_a.p12", leaf)
	b.agent.known.note(leaf.Certificate, status{trust.Status{State: trust.StateGood}, b.clock()})
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	id := h.row("").ID
	h.meanwhile("/unlock", map[string]any{"id": id, "password": password})
	<-asked
	h.letGo(s, canceledCommon)
	if known, _ := b.agent.known.checked(leaf.Certificate); known.State != trust.StateGood {
		t.Errorf("what was known of the key became %q", known.State)
	}
}

// TestCancelWhileUploading: the sending of a file ends with the window, and the person hears that it may have begun.
func TestCancelWhileUploading(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	path := filepath.Join(b.folder, "offer.txt")
	if err := os.WriteFile(path, []byte("offer"), 0o600); err != nil {
		t.Fatal(err)
	}
	asked, ended := make(chan struct{}), make(chan struct{})
	b.agent.downloader = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		close(asked)
		<-r.Context().Done()
		close(ended)
		return nil, r.Context().Err()
	})}
	s := b.dial(page)
	s.send(`{"module":"NURSign","type":"file","data":{"token":"x","url_upload":"` + page + `/up"}}`)
	b.window().decide(Decision{File: path})
	h := b.window()
	h.meanwhile("/decide", Decision{Key: h.unlock("")})
	<-asked
	if e := h.letGo(s, `{"errorCode":1}`); e.Text != lang.RU.Text("agent.done.canceled-begun") {
		t.Errorf("%q", e.Text)
	}
	select {
	case <-ended:
	case <-time.After(soon):
		t.Error("it is sent all the same")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stuck is an act that nothing can interrupt, as of a token that is asked.
func stuck(key string) (act func(context.Context, *keystore.Key) (any, error), begun <-chan struct{}, let func()) {
	began, end := make(chan struct{}), make(chan struct{})
	return func(context.Context, *keystore.Key) (any, error) {
		close(began)
		<-end
		return key, nil
	}, began, func() { close(end) }
}

// TestCancelWhileTokenWorks: what cannot be interrupted is left behind: the next window does not wait for it, nothing that
// comes of it goes anywhere, and the agent ends only after it.
func TestCancelWhileTokenWorks(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	act, begun, let := stuck("signature")
	ended := make(chan outcome, 1)
	go func() {
		ended <- b.agent.show(context.Background(), siteOf(page), "ru", &signing{wanted: wish{files: true}, count: 1, act: act})
	}()
	h := b.window()
	h.meanwhile("/decide", Decision{Key: h.unlock("")})
	<-begun
	begin := time.Now()
	h.cancel()
	next := b.dial("https://next.example.kz")
	next.send(commonCall("getKeyInfo", `"PKCS12"`))
	b.window().cancel()
	if out := <-ended; out.done || out.result != nil {
		t.Errorf("%+v", out)
	}
	if took := time.Since(begin); took > soon+2*time.Second { // the page's last answer has two seconds
		t.Errorf("it took %v", took)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop, _ := served.LoadAndDelete(b.agent.config.Data)
		stop.(func())()
	}()
	select {
	case <-stopped:
		t.Error("the agent ended while a token was working")
	case <-time.After(500 * time.Millisecond):
	}
	let()
	<-stopped
}

// TestPageGoesWhileStamping: the window of a page that goes away while a service is waited for goes, too.
func TestPageGoesWhileStamping(t *testing.T) {
	address, asked := silentService(t)
	stamps := map[string]string{}
	b := bring(t, func(c *Config) { c.Stamps = stamps })
	leaf := b.authority.Individual()
	stamps[hex.EncodeToString(leaf.Certificate.AuthorityKeyID)] = address
	b.key("GOST512_a.p12", leaf)
	s := b.dial(page)
	s.send(commonCall("createCMSSignatureFromBase64", `"PKCS12","","MTEK",true`))
	h := b.window()
	h.meanwhile("/decide", Decision{Key: h.unlock("")})
	<-asked
	begin := time.Now()
	_ = s.c.CloseNow()
	next := b.dial("https://next.example.kz")
	next.send(commonCall("getKeyInfo", `"PKCS12"`))
	b.window().cancel()
	if took := time.Since(begin); took > soon {
		t.Errorf("the next window came after %v", took)
	}
}

// TestTokenTakenWhileWaiting: the token of a window that is seen twice ends it also while a service is waited for.
func TestTokenTakenWhileWaiting(t *testing.T) {
	asked := make(mute, 4)
	b := bring(t, func(c *Config) { c.Revocation = asked })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	id := h.row("").ID
	h.meanwhile("/unlock", map[string]any{"id": id, "password": password})
	<-asked
	begin := time.Now()
	if status := h.post("/open", map[string]any{"token": h.token}, nil); status != http.StatusForbidden {
		t.Errorf("a second opening: %d", status)
	}
	if got := s.read(); got != canceledCommon {
		t.Errorf("%s", got)
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("it took %v", took)
	}
}

// TestScreenCancelWhileStamping: the button of who changed his mind works while one document waits for its time-stamp.
func TestScreenCancelWhileStamping(t *testing.T) {
	address, asked := silentService(t)
	stamps := map[string]string{}
	b := bring(t, func(c *Config) { c.Stamps = stamps })
	leaf := b.authority.Individual()
	stamps[hex.EncodeToString(leaf.Certificate.AuthorityKeyID)] = address
	b.key("GOST512_a.p12", leaf)
	view := b.look()
	s := b.dial(page)
	s.send(commonCall("createCMSSignatureFromBase64", `"PKCS12","","MTEK",true`))
	view.open()
	view.do("type the password", chromedp.SendKeys(chromedp.CSS("#password"), password))
	view.click("#sign")
	view.do("see whose key it is", view.ready())
	view.click("#sign")
	<-asked
	begin := time.Now()
	view.click("#cancel:enabled")
	if got := s.read(); got != canceledCommon {
		t.Errorf("the page got %s", got)
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("it took %v", took)
	}
	view.do("see that it is over", chromedp.WaitReady(chromedp.CSS("body[data-state=done]")))
	if said := eval[string](view, `document.getElementById('done').textContent`); said != lang.RU.Text("agent.done.canceled") {
		t.Errorf("the person reads %q", said)
	}
}

// TestLineIsShared: who asks too often, under one name or under many of one domain, takes neither the window's whole line nor
// the place of another site; the window says who waits.
func TestLineIsShared(t *testing.T) {
	b := bring(t)
	ask := func(origin string) <-chan string {
		s := b.dial(origin)
		s.send(commonCall("getKeyInfo", `"PKCS12"`))
		reply := make(chan string, 1)
		go func() {
			if _, frame, err := s.c.Read(context.WithoutCancel(t.Context())); err == nil { // the test may end before
				reply <- string(frame)
			}
		}()
		return reply
	}
	none := func(what string, reply <-chan string) {
		t.Helper()
		select {
		case got := <-reply:
			t.Errorf("%s is answered %s", what, got)
		default:
		}
	}
	hogs := []<-chan string{ask("https://hog.kz")}
	h := b.window()
	for i := range maxWaitingSite {
		hogs = append(hogs, ask("https://a"+strconv.Itoa(i)+".hog.kz"))
		becomes(t, func() bool { return b.agent.desk.queue() == i+1 })
	}
	if got := <-ask("https://other.hog.kz"); got != canceledCommon { // no place of its domain is left
		t.Errorf("%s", got)
	}
	egov := ask("https://egov.kz")
	becomes(t, func() bool { return b.agent.desk.queue() == maxWaitingSite+1 })
	for i := range 3 {
		ask("https://b" + strconv.Itoa(i) + ".evil.kz:8443")
		becomes(t, func() bool { return b.agent.desk.queue() == maxWaitingSite+2+i })
	}
	bank := ask("https://bank.kz") // all eight places are taken: the last of who has most gives way
	if got := <-hogs[maxWaitingSite]; got != canceledCommon {
		t.Errorf("%s", got)
	}
	becomes(t, func() bool { return b.agent.desk.queue() == maxWaiting })
	var out struct{ View View }
	h.post("/look", map[string]any{}, &out)
	if l := out.View.Line; len(l) != 8 || l[0] != (Pair{"https://a0.hog.kz", "1"}) || l[3] != (Pair{"https://egov.kz", "1"}) {
		t.Errorf("%+v", l)
	}
	none("egov.kz", egov)
	none("bank.kz", bank)
	for range 3 {
		h.cancel()
		h = b.window()
	}
	h.cancel()
	if h = b.window(); h.view.Site.Origin != "https://egov.kz" {
		t.Errorf("%+v", h.view.Site)
	}
	none("egov.kz", egov)
	h.cancel()
	if got := <-egov; got != canceledCommon {
		t.Errorf("%s", got)
	}
	s := b.look()
	s.open()
	if got := eval[string](s, `document.getElementById('line').innerText`); !strings.Contains(got, "https://bank.kz · 1") {
		t.Errorf("the window says of the line: %s", got)
	}
	s.looks("line")
}

// TestDomains: what belongs together, and what does not.
func TestDomains(t *testing.T) {
	for origin, want := range map[string]string{
		"https://a.b.hog.kz": "hog.kz", "https://HOG.kz:8443": "hog.kz", "http://hog.kz.": "hog.kz", "https://idp.egov.kz": "egov.kz",
		"https://cabinet.stat.gov.kz": "stat.gov.kz", "https://gov.kz": "gov.kz", "http://127.0.0.1:8080": "127.0.0.1", "http://localhost:1": "localhost",
		"https://a.github.io": "a.github.io", "https://[::1]:1": "::1", "null": "null", "chrome-extension://abc": "chrome-extension://abc", "https://xn--80aa2ba3abq.kz": "xn--80aa2ba3abq.kz",
	} {
		if got := siteOf(origin).domain(); got != want {
			t.Errorf("%s is of %q", origin, got)
		}
	}
	if a, b := (site{Class: "program", Program: "/a"}).domain(), (site{Class: "program", Program: "/b"}).domain(); a == b {
		t.Error("two programs are one")
	}
}

// TestKnownAnswersWaitForNobody: a request that is never done is answered at once, whatever the person does, and so are those
// behind it; what the person is told holds no place of the line.
func TestKnownAnswersWaitForNobody(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	open := b.dial("https://other.kz")
	open.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	begin := time.Now()
	for request, want := range map[string]string{
		`{"module":"kz.gov.pki.knca.basics","method":"generateCsr","args":{}}`:                            `{"code":"GENERAL_ERROR","details":"java.lang.IllegalArgumentException: generateCsr is not defined in Basics","message":"General error.","status":false}`,
		`{"module":"kz.gov.pki.knca.basics","method":"importCertificate"}`:                                `{"code":"GENERAL_ERROR","details":"java.lang.IllegalArgumentException: importCertificate is not defined in Basics","message":"General error.","status":false}`,
		`{"module":"NURSign","type":"binary","source":"remote","upload_url":"https://169.254.169.254/a"}`: `{"errorCode":14}`,
		`{"module":"NURSign","type":"file","data":{"token":"t","url_upload":"http://a"}}`:                 `{"errorCode":14}`,
		`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`:                             `{"responseObject":[],"code":"200"}`,
	} {
		if got := s.ask(request); got != want {
			t.Errorf("%s: %s", request, got)
		}
	}
	if took := time.Since(begin); took > soon {
		t.Errorf("%v", took)
	}
	b.noWindow() // another's is open
	if n := b.agent.desk.queue(); n > 0 {
		t.Errorf("%d wait", n)
	}
	h.cancel()
	if h = b.window(); h.view.Kind != "notice" || h.view.Site.Origin != page || h.view.Title != lang.RU.Text("agent.title.refused") {
		t.Errorf("%+v", h.view)
	}
	open.read()
	open.send(commonCall("getKeyInfo", `"PKCS12"`)) // work goes before it
	if next := b.window(); next.view.Kind != "info" || reachable(h.url) {
		t.Errorf("%s", next.view.Kind)
	}
}
