package portal

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/cms"
	"senim/dsig"
	"senim/internal/audit"
	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/oidc"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/state"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// The cast: public test numbers.
const (
	iinA, iinB, iinC = "123456789012", "123456789011", "123456789013"
	binX, binY       = "123456789021", "123456789025"
	binUnit          = "009941000001" // a branch; its check digit is right
	passA, passB     = "quiet-lake-41", "tall-birch-92"
)

func rules() ident.Rules {
	return ident.Rules{TestIdentities: []string{iinA, iinB, iinC, binX, binY}}
}

// world is a whole portal over a real store, with throw-away keys, a clock to move, a registry to
// change and letters to read.
type world struct {
	t         testing.TB
	authority *pkitest.Authority
	store     *store.Store
	book      *registry.Book
	office    *participant.Office
	server    *httptest.Server

	mu      sync.Mutex
	now     time.Time
	letters []notice.Message
	status  map[string]trust.Status // by serial; others are good
	down    bool                    // nobody answers about revocation
	source  trust.Revocation        // who answers in place of the world
	loads   int
	before  func() // runs once before the next transaction of participants that writes, outside it
	updates int    // transactions of participants that wrote
	jobs    []job.Job
	events  []string // actions of the audit log
}

func newWorld(t testing.TB) *world { return newWorldTrusting(t, nil) }

// newWorldTrusting also trusts further authorities.
func newWorldTrusting(t testing.TB, more func(*pki.Pool)) *world {
	return newWorldOn(t, filepath.Join(t.TempDir(), "senim.db"), more)
}

// newWorldOn stands on the database of the URL.
func newWorldOn(t testing.TB, database string, more func(*pki.Pool)) *world {
	t.Helper()
	return newWorldOf(t, database, more, func(*participant.Config) {})
}

// newWorldWith has other settings of the office.
func newWorldWith(t testing.TB, set func(*participant.Config)) *world {
	t.Helper()
	return newWorldOf(t, filepath.Join(t.TempDir(), "senim.db"), nil, set)
}

func newWorldOf(t testing.TB, database string, more func(*pki.Pool), set func(*participant.Config)) *world {
	t.Helper()
	return newWorldAsking(t, database, more, set, func(*world, *registry.Config) {})
}

// newWorldAsking has other settings of the registry too.
func newWorldAsking(t testing.TB, database string, more func(*pki.Pool), set func(*participant.Config), ask func(*world, *registry.Config)) *world {
	t.Helper()
	w := &world{t: t, authority: pkitest.New(t), status: map[string]trust.Status{}}
	w.now = w.authority.Now
	w.store = storetest.Open(t, store.Config{URL: database, Now: w.time})
	pool := w.authority.Pool()
	if more != nil {
		more(pool)
	}
	judge, err := trust.New(trust.Config{Pool: pool, Revocation: w, Now: w.time})
	w.must(err)
	sources := registry.Config{Store: w.store.Registry(), Rules: rules(), Now: w.time}
	ask(w, &sources)
	w.book, err = registry.New(sources)
	w.must(err)
	var consents web.Consents
	if s, ok := sources.Live.(*state.Services); ok && s.CanAskConsent() {
		consents = s
	}
	const origin = "http://localhost:8081"
	config := participant.Config{Store: postbox{w.store.Participant(), w}, Judge: judge, Registry: w.book.For(registry.ForRegister),
		Again: w.book.For(registry.ForReregister), Facts: w.book,
		By:    func(r participant.Registry, by ident.IIN) participant.Registry { return r.(*registry.Book).By(by) },
		Rules: rules(), Origin: origin, Now: w.time, Passwords: plain{}}
	set(&config)
	w.office, err = participant.New(config)
	w.must(err)
	handler, err := New(Config{Site: web.Site{Origin: origin, Rules: config.Rules}, Auth: auth.Config{Store: w.store.Auth(), Judge: judge}, Office: w.office,
		Cabinet: "http://localhost:8080", Services: oidc.Config{Clients: parties(t), Store: w.store.Relying()}, Registries: registry.NewWatch(w.book), Consents: consents, Now: w.time})
	w.must(err)
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)

	text := map[lang.Tag]string{lang.RU: "Первый пункт.\n\nВторой «пункт» & <ещё>.", lang.KK: "Бірінші тармақ.\n\nЕкінші.", lang.EN: "First.\n\nSecond."}
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "1.0", From: w.now.Add(-time.Hour), Text: text}))
	w.must(w.office.Seed(t.Context(), participant.Seeded{IIN: iinA, Name: "ТЕСТТОВ ТЕСТТ ТЕСТТОВИЧ", Email: "a@example.kz", Password: passA, Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.LegalEntity, TIN: binX, Name: "АО «ТЕСТ»"}, {Category: participant.LegalEntity, TIN: binY, Name: "ТОО «ДОСТЫК»"}}}))
	w.heads(iinA, "")
	w.load(registry.Batch{Source: registry.SourcePersons, Full: true, AsOf: w.now.Add(-time.Hour), Operator: "system", Persons: []registry.Person{
		{IIN: iinA, Surname: "ТЕСТТОВ", Name: "ТЕСТТ"}, {IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ"}, {IIN: iinC, Surname: "СЕРИКОВА", Name: "АЙГУЛЬ"}}})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// plain stands in for argon2id, which takes its time on purpose.
type plain struct{}

func (plain) Hash(password string) (string, error) { return "plain:" + password, nil }
func (plain) Check(hash, password string) (ok, weak bool) {
	return hash == "plain:"+password, false
}

// heads loads the registry: X is headed by lead since 2020 or, when next is set, by next since
// yesterday. Y is A's always. The unit has no head office.
func (w *world) heads(lead, next string) {
	w.t.Helper()
	leaders := []registry.Leader{{BIN: binX, IIN: ident.IIN(lead), Surname: "СКРЫТАЯ", Name: "ФАМИЛИЯ", Position: "Директор", AppointedOn: "2020-06-01"},
		{BIN: binY, IIN: iinA, Surname: "ТЕСТТОВ", Name: "ТЕСТТ", Position: "Директор", AppointedOn: "2020-06-01"},
		{BIN: binUnit, IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ", Position: "Директор", AppointedOn: "2020-06-01"}}
	if next != "" {
		yesterday := registry.DateOf(w.time().AddDate(0, 0, -1))
		leaders[0].DismissedOn = yesterday
		leaders = append(leaders, registry.Leader{BIN: binX, IIN: ident.IIN(next), Surname: "ДРУГАЯ", Name: "ФАМИЛИЯ", Position: "Директор", AppointedOn: yesterday})
	}
	w.registry(leaders)
}

func (w *world) registry(leaders []registry.Leader) {
	w.t.Helper()
	w.loads++
	w.load(registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: w.time().Add(-time.Hour).Add(time.Duration(w.loads) * time.Second), Operator: "system",
		Entities: []registry.LegalEntity{
			{BIN: binX, Kind: registry.LE, NameRU: "АО «ТЕСТ»", NameKK: "«ТЕСТ» АҚ", Status: registry.Active, Registered: "2012-04-05", AddressRU: "г. Астана"},
			{BIN: binY, Kind: registry.LE, NameRU: "ТОО «ДОСТЫК»", Status: registry.Active, Registered: "2014-01-10"},
			{BIN: binUnit, Kind: registry.Branch, NameRU: "Филиал", Status: registry.Active, Registered: "2014-01-10"}},
		Leaders: leaders})
}

func (w *world) load(b registry.Batch) {
	w.t.Helper()
	_, out, err := w.book.Load(w.t.Context(), b)
	w.must(err)
	for _, q := range out {
		w.t.Logf("quarantined: %+v", q)
	}
}

// Status is the world's revocation source.
func (w *world) Status(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) trust.Status {
	if w.source != nil {
		return w.source.Status(ctx, cert, issuer, at)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return trust.Status{State: trust.StateUnknown, Err: "nobody answers"}
	}
	if s, ok := w.status[cert.SerialHex()]; ok {
		return s
	}
	return trust.Status{State: trust.StateGood, Source: "ocsp"}
}

func (w *world) revoke(l *pkitest.Leaf) {
	at := w.time().Add(-time.Hour)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status[l.Certificate.SerialHex()] = trust.Status{State: trust.StateRevoked, RevokedAt: at, Reason: 1, Source: "ocsp"}
}

func (w *world) silent(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

// postbox reads the letters as they are written.
type postbox struct {
	participant.Store
	w *world
}

func (p postbox) Update(ctx context.Context, f func(participant.Tx) error) error {
	var wrote []notice.Message
	var jobs []job.Job
	var events []string
	if f := p.w.before; f != nil {
		p.w.before = nil
		f()
	}
	err := p.Store.Update(ctx, func(tx participant.Tx) error {
		wrote, jobs, events = nil, nil, nil
		return f(reading{tx, &wrote, &jobs, &events})
	})
	if err == nil {
		p.w.mu.Lock()
		defer p.w.mu.Unlock()
		p.w.updates++
		p.w.letters = append(p.w.letters, wrote...)
		p.w.jobs = append(p.w.jobs, jobs...)
		p.w.events = append(p.w.events, events...)
	}
	return err
}

type reading struct {
	participant.Tx
	wrote  *[]notice.Message
	jobs   *[]job.Job
	events *[]string
}

func (r reading) Audit(ctx context.Context, e audit.Event) error {
	*r.events = append(*r.events, e.Action)
	return r.Tx.Audit(ctx, e)
}

func (r reading) Notify(ctx context.Context, m notice.Message) error {
	*r.wrote = append(*r.wrote, m)
	return r.Tx.Notify(ctx, m)
}

// letter is the newest letter of a number; the test ends when there is none.
func (w *world) letter(n string) notice.Message {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.letters) - 1; i >= 0; i-- {
		if w.letters[i].N == n {
			return w.letters[i]
		}
	}
	w.t.Fatalf("no letter %s", n)
	return notice.Message{}
}

func (w *world) count(n string) (sent int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.letters {
		if m.N == n {
			sent++
		}
	}
	return sent
}

// head issues a first head's key of a person and a company.
func (w *world) head(iin, bin string) *pkitest.Leaf {
	h := pkitest.Member(pki.RoleFirstHead)
	h.IIN, h.BIN = iin, bin
	return w.authority.Issue(pkitest.Spec{Holder: h})
}

func (w *world) personal(iin string) *pkitest.Leaf {
	h := pkitest.Person()
	h.IIN = iin
	return w.authority.Issue(pkitest.Spec{Holder: h})
}

// browser is one person's browser with an agent beside it.
type browser struct {
	w      *world
	client *http.Client
	page   string
	path   string
	status int
	header http.Header
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	w.must(err)
	return &browser{w: w, client: &http.Client{Jar: jar}}
}

func (b *browser) read(resp *http.Response, err error) *browser {
	b.w.t.Helper()
	b.w.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	b.w.must(err)
	b.page, b.status, b.path, b.header = string(body), resp.StatusCode, resp.Request.URL.RequestURI(), resp.Header
	if b.status >= 500 {
		b.w.t.Fatalf("%s: status %d\n%s", b.path, b.status, text(b.page))
	}
	return b
}

func (b *browser) get(path string) *browser {
	b.w.t.Helper()
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.server.URL+path, nil)
	b.w.must(err)
	req.Header.Set("Accept-Language", "ru")
	resp, err := b.client.Do(req)
	return b.read(resp, err)
}

func (b *browser) post(path string, fields ...string) *browser {
	b.w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	req, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.server.URL+path, strings.NewReader(form.Encode()))
	b.w.must(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept-Language", "ru")
	resp, err := b.client.Do(req)
	return b.read(resp, err)
}

var (
	agentForm = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*data-agent="([^"]*)"[^>]*>(.*?)</form>`)
	hidden    = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	tags      = regexp.MustCompile(`(?s)<script.*?</script>|<style.*?</style>|<[^>]*>`)
	spaces    = regexp.MustCompile(`\s+`)
	codesSeen = regexp.MustCompile(`data-code="([A-Z_]+)"`)
)

func text(page string) string {
	return spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(page, " ")), " ")
}

// asked is what the page's agent form asks, and where it posts.
func (b *browser) asked() (action string, call web.AgentCall, data string, fields []string) {
	b.w.t.Helper()
	m := agentForm.FindStringSubmatch(b.page)
	if m == nil {
		b.w.t.Fatalf("%s (%d) has no agent form:\n%s", b.path, b.status, text(b.page))
	}
	b.w.must(json.Unmarshal([]byte(html.UnescapeString(m[2])), &call))
	for _, f := range hidden.FindAllStringSubmatch(m[3], -1) {
		fields = append(fields, html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	data, _ = call.Args.(map[string]any)["data"].(string)
	return html.UnescapeString(m[1]), call, data, fields
}

// signature is the agent's answer for a key.
func (b *browser) signature(l *pkitest.Leaf) (action, answer string, fields []string) {
	b.w.t.Helper()
	action, call, data, fields := b.asked()
	var signed string
	switch format := call.Args.(map[string]any)["format"]; format {
	case "cms":
		signed = b.w.signText(l, data)
	case "xml":
		out, err := dsig.SignEnveloped(rand.Reader, []byte(data), dsig.Options{Key: l.Key, Certificate: l.Certificate})
		b.w.must(err)
		signed = string(out)
	default:
		b.w.t.Fatalf("agent asked for format %v", format)
	}
	return action, answerOf(signed), fields
}

func answerOf(signed string) string {
	a, err := json.Marshal([]string{signed})
	if err != nil {
		panic(err)
	}
	return string(a)
}

// signText makes a detached CMS over base64 data.
func (w *world) signText(l *pkitest.Leaf, data string) string {
	w.t.Helper()
	content, err := base64.StdEncoding.DecodeString(data)
	w.must(err)
	der, err := cms.Sign(rand.Reader, cms.Options{Key: l.Key, Certificate: l.Certificate, Content: content, Detached: true, SigningTime: w.time().Truncate(time.Second)})
	w.must(err)
	return base64.StdEncoding.EncodeToString(der)
}

// sign presses the page's agent button with a key that the page's filters let the agent offer.
func (b *browser) sign(l *pkitest.Leaf) *browser {
	b.w.t.Helper()
	_, call, _, _ := b.asked()
	wish, _ := call.Args.(map[string]any)["signerParams"].(map[string]any)
	h := l.Certificate.Holder()
	for name, has := range map[string]string{"iin": h.IIN, "bin": h.BIN, "serialNumber": l.Certificate.SerialHex()} {
		if want, _ := wish[name].(string); want != "" && want != has {
			b.w.t.Fatalf("%s: the agent offers no key: the page asks for %s %s, this one has %q", b.path, name, want, has)
		}
	}
	return b.signAnyway(l)
}

// signAnyway is an agent that does not care for the page's filters.
func (b *browser) signAnyway(l *pkitest.Leaf) *browser {
	b.w.t.Helper()
	action, answer, fields := b.signature(l)
	return b.post(action, append(fields, "answer", answer)...)
}

// begin starts a registration in a category and stands on step 1.
func (b *browser) begin(c participant.Category) *browser {
	b.w.t.Helper()
	b.get("/register").post("/register", "category", string(c))
	return b.at("/1")
}

// login signs in with key and password.
func (b *browser) login(l *pkitest.Leaf, password string) *browser {
	b.w.t.Helper()
	b.get("/login").sign(l)
	if b.status != 200 {
		return b
	}
	return b.at("/login/password").post("/login/password", "password", password)
}

// fill posts step 2 for a person without an account.
func (b *browser) fill(email, password string) *browser {
	b.w.t.Helper()
	return b.post(b.path, "email", email, "email2", email, "password", password, "password2", password)
}

// follow opens the link of the newest N-15.
func (b *browser) follow() *browser {
	b.w.t.Helper()
	link, err := url.Parse(b.w.letter("N-15").Vars["link"])
	b.w.must(err)
	return b.get(link.RequestURI())
}

// at checks where the browser stands.
func (b *browser) at(suffix string) *browser {
	b.w.t.Helper()
	if !strings.HasSuffix(b.path, suffix) || b.status != 200 {
		b.w.t.Fatalf("stands at %s (%d), want …%s\n%s", b.path, b.status, suffix, text(b.page))
	}
	return b
}

// codes lists the refusals on the page.
func (b *browser) codes() []string {
	var all []string
	for _, m := range codesSeen.FindAllStringSubmatch(b.page, -1) {
		all = append(all, m[1])
	}
	return all
}

// refused checks that the page names the code, and says why and what to do.
func (b *browser) refused(code string) *browser {
	b.w.t.Helper()
	if b.status != http.StatusUnprocessableEntity {
		b.w.t.Errorf("%s: status %d, want 422", b.path, b.status)
	}
	for _, c := range b.codes() {
		if c == code {
			if said := text(b.page); !strings.Contains(said, "Что делать") {
				b.w.t.Errorf("%s does not say what to do:\n%s", code, said)
			}
			return b
		}
	}
	b.w.t.Fatalf("codes %v, want %s\n%s", b.codes(), code, text(b.page))
	return b
}

// closed checks that the page asks to sign in because the session is over, and says why (P-02).
func (b *browser) closed(code string) *browser {
	b.w.t.Helper()
	if b.status != http.StatusUnauthorized || !slices.Equal(b.codes(), []string{code}) || b.header.Get("WWW-Authenticate") == "" {
		b.w.t.Fatalf("%s: status %d, codes %v, want 401 and %s\n%s", b.path, b.status, b.codes(), code, text(b.page))
	}
	if action, _, _, _ := b.asked(); action != "/login" {
		b.w.t.Errorf("%s does not ask to sign in", b.path)
	}
	return b
}

func (b *browser) says(want string) *browser {
	b.w.t.Helper()
	if !strings.Contains(text(b.page), want) {
		b.w.t.Errorf("%s does not say %q:\n%s", b.path, want, text(b.page))
	}
	return b
}

func (b *browser) silentAbout(words ...string) *browser {
	b.w.t.Helper()
	for _, s := range words {
		if strings.Contains(b.page, s) || strings.Contains(text(b.page), s) {
			b.w.t.Errorf("%s tells %q", b.path, s)
		}
	}
	return b
}

// statusOf is the status of a person's profile for a tin.
func (w *world) statusOf(iin, tin string) participant.Status {
	w.t.Helper()
	all, err := w.office.Profiles(w.t.Context(), ident.IIN(iin))
	w.must(err)
	for _, p := range all {
		if p.TIN == tin {
			return p.Status
		}
	}
	return ""
}
