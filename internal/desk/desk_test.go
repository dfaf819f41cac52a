package desk_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/cms"
	"senim/dsig"
	"senim/internal/auth"
	"senim/internal/desk"
	"senim/internal/ident"
	"senim/internal/notice"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// Public test numbers: the company, its old and new heads, two clerks.
const (
	company, oldHead, newHead = "123456789021", "123456789012", "123456789011"
	clerkOne, clerkTwo        = "123456789013", "009900000008"
	authorityBIN              = "180140005198"
)

type good struct{}

func (good) Status(context.Context, *pki.Certificate, *pki.Certificate, time.Time) trust.Status {
	return trust.Status{State: trust.StateGood, Source: "crl"}
}

// world is a desk with its registry and an authority.
type world struct {
	t    *testing.T
	site *httptest.Server
	book *registry.Book
	ca   *pkitest.Authority
	back *backOffice

	sender *notice.Sender
	store  *store.Store
	// bound are the documents that were signed, by the nonce of the challenge in each.
	bound  map[string]string
	portal *participant.Office
}

func newWorld(t *testing.T) *world { return newWorldOf(t, func(*desk.Config) {}) }

// newWorldOf lets a test change the desk's configuration.
func newWorldOf(t *testing.T, more func(*desk.Config)) *world {
	t.Helper()
	s := storetest.SQLite(t)
	w := &world{t: t, store: s, bound: map[string]string{}, ca: pkitest.New(t, pkitest.Config{Now: time.Now()})}
	var handler http.Handler
	w.site = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(w.site.Close)
	judge, err := trust.New(trust.Config{Pool: w.ca.Pool(), Revocation: good{}})
	if err != nil {
		t.Fatal(err)
	}
	signIn, err := auth.New(auth.Config{Store: s.Auth(), Judge: judge, Site: "cabinet", Origin: w.site.URL})
	if err != nil {
		t.Fatal(err)
	}
	w.book, err = registry.New(registry.Config{Store: s.Registry(), Rules: ident.Rules{TestIdentities: []string{company, oldHead, newHead}}})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = w.book.Load(t.Context(), registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: time.Now().Add(-time.Hour), Operator: "system",
		Entities: []registry.LegalEntity{{BIN: company, Kind: registry.LE, NameRU: "АО «ТЕСТ»", Status: registry.Active, Registered: "2012-04-05"}},
		Leaders:  []registry.Leader{{BIN: company, IIN: oldHead, Surname: "ТЕСТТОВ", AppointedOn: "2020-01-01"}}})
	if err != nil {
		t.Fatal(err)
	}
	w.back = newBackOffice(t, s, judge, w.ca, w.site.URL)
	w.sender, err = notice.NewSender(notice.SenderConfig{Store: s.Notice(), Courier: letters{}, Texter: silent{}, Hours: notice.Hours{From: 0, To: 24}, Caps: map[notice.Channel]int{notice.SMS: 2}})
	if err != nil {
		t.Fatal(err)
	}
	w.portal, err = participant.New(participant.Config{Store: s.Participant(), Judge: judge, Registry: w.book, Origin: w.site.URL, Now: w.back.clock})
	if err != nil {
		t.Fatal(err)
	}
	config := desk.Config{Participants: w.portal, Site: web.Site{Name: "cabinet", Origin: w.site.URL}, Auth: signIn, Judge: judge, Book: w.book, BIN: authorityBIN, Office: w.back.office, Messages: w.sender, Now: w.back.clock}
	more(&config)
	handler, err = desk.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// person is a browser and a key.
type person struct {
	*world
	leaf   *pkitest.Leaf
	client *http.Client
}

func (w *world) person(iin, bin string, role pki.Role) *person {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	h := pkitest.Member(role)
	h.IIN, h.BIN = iin, bin
	return &person{world: w, leaf: w.ca.Issue(pkitest.Spec{Holder: h}), client: &http.Client{Jar: jar}}
}

// page is an answer: its final path, status and text.
type page struct {
	path, body string
	status     int
}

func (p *person) get(path string) page {
	p.t.Helper()
	r, err := p.client.Get(p.site.URL + path)
	return p.read(r, err)
}

// post sends a form. A signature goes as from a page that was opened just before: most tests answer one page several
// times; that each challenge serves once is TestSec1DeskIsFresh.
func (p *person) post(path string, fields url.Values) page {
	p.t.Helper()
	for nonce, document := range p.bound {
		if strings.Contains(fields.Get("answer"), nonce) {
			p.reopen(nonce, document)
		}
	}
	return p.send(path, fields)
}

// reopen opens the challenge of a document in this browser's session as it was.
func (p *person) reopen(nonce, document string) {
	p.t.Helper()
	at, err := url.Parse(p.site.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(document))
	c := auth.Challenge{Origin: p.site.URL, Purpose: "desk", Nonce: nonce, Digest: hex.EncodeToString(sum[:]), Issued: time.Now(), Expires: time.Now().Add(time.Minute)}
	for _, one := range p.client.Jar.Cookies(at) {
		sid := sha256.Sum256([]byte("senim session\x00" + one.Value)) // as the store knows it
		err := p.store.Auth().Update(p.t.Context(), func(tx auth.Tx) error {
			return tx.PutChallenge(p.t.Context(), one.Value[:12]+hex.EncodeToString(sid[:]), c)
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// bind is a document with a challenge that [person.post] will open for it.
func (p *person) bind(document string) string {
	nonce := rand.Text()
	p.bound[nonce] = document
	return auth.Challenge{Nonce: nonce}.In(document)
}

var challenged = regexp.MustCompile(`<challenge>([^<]*)</challenge>`)

func (p *person) send(path string, fields url.Values) page {
	p.t.Helper()
	r, err := p.client.PostForm(p.site.URL+path, fields)
	return p.read(r, err)
}

func (p *person) read(r *http.Response, err error) page {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if r.StatusCode >= 500 {
		p.t.Fatalf("%s: %d %s", r.Request.URL.Path, r.StatusCode, b)
	}
	return page{r.Request.URL.Path, string(b), r.StatusCode}
}

var asked = regexp.MustCompile(`data-agent="([^"]*)"`)

// agent answers what the page asks of the signing agent, with this person's key.
func (p *person) agent(at page) string {
	p.t.Helper()
	m := asked.FindStringSubmatch(at.body)
	if m == nil {
		p.t.Fatalf("%s asks for no signature: %s", at.path, at.body)
	}
	var call struct{ Args struct{ Format, Data string } }
	if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &call); err != nil {
		p.t.Fatal(err)
	}
	var signature string
	switch call.Args.Format {
	case "xml":
		signature = p.sign(call.Args.Data)
		if m := challenged.FindStringSubmatch(call.Args.Data); m != nil {
			p.bound[m[1]] = strings.Replace(call.Args.Data, m[0], "", 1)
		}
	case "cms":
		text, err := base64.StdEncoding.DecodeString(call.Args.Data)
		if err != nil {
			p.t.Fatal(err)
		}
		der, err := cms.Sign(rand.Reader, cms.Options{Key: p.leaf.Key, Certificate: p.leaf.Certificate, Content: text, Detached: true, SigningTime: time.Now()})
		if err != nil {
			p.t.Fatal(err)
		}
		signature = base64.StdEncoding.EncodeToString(der)
	}
	answer, err := json.Marshal([]string{signature})
	if err != nil {
		p.t.Fatal(err)
	}
	return string(answer)
}

func (p *person) sign(xml string) string {
	p.t.Helper()
	signed, err := dsig.SignEnveloped(rand.Reader, []byte(xml), dsig.Options{Key: p.leaf.Key, Certificate: p.leaf.Certificate})
	if err != nil {
		p.t.Fatal(err)
	}
	return string(signed)
}

func (p *person) signIn() page {
	p.t.Helper()
	return p.post("/desk/signin", url.Values{"answer": {p.agent(p.get("/desk/signin"))}})
}

func (p page) has(t *testing.T, status int, words ...string) {
	t.Helper()
	if p.status != status {
		t.Errorf("%s: status %d, want %d\n%s", p.path, p.status, status, p.body)
	}
	for _, w := range words {
		if !strings.Contains(p.body, w) {
			t.Errorf("%s: no %q in\n%s", p.path, w, p.body)
		}
	}
}

func form() url.Values {
	return url.Values{"bin": {company}, "iin": {newHead}, "surname": {"ТЕСТОВ"}, "name": {"ТЕСТ"}, "patronymic": {"ТЕСТОВИЧ"}, "position": {"Директор"},
		"appointed_on": {string(registry.DateOf(time.Now()))}, "document": {"№ 7"}}
}

func (w *world) head() ident.IIN {
	w.t.Helper()
	a := w.book.Head(w.t.Context(), company, time.Now())
	if a.Verdict != registry.Good {
		w.t.Errorf("head: %s %s", a.Verdict, a.Code)
	}
	return a.Value.Leader.IIN
}

// Two clerks change the head of a company.
func TestTwoClerks(t *testing.T) {
	w := newWorld(t)
	one, two := w.person(clerkOne, authorityBIN, pki.RoleOperator), w.person(clerkTwo, authorityBIN, pki.RoleOperator)
	one.signIn().has(t, 200, "/desk/registry/new")
	bad := form()
	bad.Set("bin", "12345678901O")
	one.upload("/desk/registry/new", bad, []byte("%PDF-1.7")).has(t, 422, `id="bin-error"`, "govuk-error-summary", `value="№ 7"`)
	draft := one.upload("/desk/registry/new", form(), []byte("%PDF-1.7"))
	draft.has(t, 200, `data-state="draft"`, "АО «ТЕСТ»", "ТЕСТОВ ТЕСТ ТЕСТОВИЧ")
	two.signIn()
	two.get(draft.path).has(t, 404)
	answer := one.agent(draft)
	waiting := one.post(draft.path, url.Values{"act": {"record"}, "answer": {answer}})
	waiting.has(t, 200, `data-state="waiting"`)
	if strings.Contains(waiting.body, "data-agent=") {
		t.Error("the maker is asked to confirm")
	}
	if w.head() != oldHead {
		t.Error("one clerk changed the head")
	}
	one.get("/desk/registry").has(t, 200, draft.path)
	confirm := two.get(draft.path)
	two.post(draft.path, url.Values{"act": {"confirm"}, "answer": {two.agent(confirm)}}).has(t, 200, `data-state="confirmed"`)
	if w.head() != newHead {
		t.Error("the head did not change")
	}
	two.post(draft.path, url.Values{"act": {"confirm"}, "answer": {two.agent(confirm)}}).has(t, 422, "CHANGE_STATE")
}

// What the desk refuses: strangers, other people's signatures, other documents, oneself.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	stranger := w.person(clerkOne, authorityBIN, pki.RoleEmployee)
	if p := stranger.get("/desk/registry"); p.path != "/desk/signin" {
		t.Errorf("not signed in: %s", p.path)
	}
	stranger.signIn().has(t, 403, "NOT_A_CLERK")
	w.person(clerkOne, company, pki.RoleOperator).signIn().has(t, 403, "NOT_A_CLERK") // R-32, another organisation's operator

	one, two := w.person(clerkOne, authorityBIN, pki.RoleOperator), w.person(clerkTwo, authorityBIN, pki.RoleOperator)
	one.signIn()
	two.signIn()
	draft := one.upload("/desk/registry/new", form(), []byte("%PDF-1.7"))
	colleague := two.agent(draft) // by a colleague's key
	one.post(draft.path, url.Values{"act": {"record"}, "answer": {colleague}}).has(t, 422, "CERT_OTHER_PERSON")
	id := strings.TrimPrefix(draft.path, "/desk/registry/")
	c, err := w.book.Change(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	c.IIN = clerkTwo
	other, err := json.Marshal([]string{one.sign(one.bind(string(c.XML("record"))))})
	if err != nil {
		t.Fatal(err)
	}
	one.post(draft.path, url.Values{"act": {"record"}, "answer": {string(other)}}).has(t, 422, "CHALLENGE_STALE")
	one.get(draft.path)
	one.post(draft.path, url.Values{"act": {"record"}, "answer": {`["<x/>"]`}}).has(t, 422, "SIGNATURE_INVALID")
	one.post(draft.path, url.Values{"act": {"record"}, "answer": {one.agent(draft)}}).has(t, 200, `data-state="waiting"`)
	c.IIN = newHead
	own, err := json.Marshal([]string{one.sign(one.bind(string(c.XML("confirm"))))})
	if err != nil {
		t.Fatal(err)
	}
	one.post(draft.path, url.Values{"act": {"confirm"}, "answer": {string(own)}}).has(t, 422, "SAME_CLERK")
	party := w.person(oldHead, authorityBIN, pki.RoleOperator)
	party.signIn()
	party.upload("/desk/registry/new", form(), []byte("%PDF-1.7")).has(t, 422, "CLERK_PARTY")
	two.post(draft.path, url.Values{"act": {"reject"}}).has(t, 200, `data-state="rejected"`)
	if w.head() != oldHead {
		t.Error("a rejected change was carried out")
	}
	two.get("/desk/registry/0000").has(t, 404)
}

// Every page stands in every language.
func TestLanguages(t *testing.T) {
	w := newWorld(t)
	one := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	one.signIn()
	draft := one.upload("/desk/registry/new", form(), []byte("%PDF-1.7"))
	for _, path := range []string{"/desk/signin", "/desk/registry", "/desk/registry/new", draft.path} {
		for _, tag := range []string{"kk", "ru", "en"} {
			p := one.get(path + "?lang=" + tag)
			p.has(t, 200, `lang="`+tag+`"`)
			if strings.Contains(p.body, "[desk.") {
				t.Errorf("%s %s: a text is missing", path, tag)
			}
		}
	}
}
