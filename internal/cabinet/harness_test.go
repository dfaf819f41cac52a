package cabinet

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/dsig"
	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/pki"
)

const origin = "http://localhost:8080"

// authority is a certification authority in memory: what it issued, what it revoked.
type authority struct {
	t      *testing.T
	follow func(ctx context.Context, serial string) error // what follows a revocation, at once
	*pkitest.Authority
	mu     sync.Mutex
	now    func() time.Time
	keys   []ra.Key
	orders map[string]ra.Certificate
	silent bool // revocation cannot be checked
}

func (a *authority) add(leaf *pkitest.Leaf) *pkitest.Leaf {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys = append(a.keys, keyOf(leaf.Certificate))
	return leaf
}

func keyOf(c *pki.Certificate) ra.Key {
	h := c.Holder()
	return ra.Key{Serial: c.SerialHex(), IIN: h.IIN, BIN: h.BIN, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Raw: c.Raw}
}

func (a *authority) Key(_ context.Context, serial string) (ra.Key, error) {
	for _, k := range a.list(func(k ra.Key) bool { return k.Serial == serial }) {
		return k, nil
	}
	return ra.Key{}, ra.ErrNoKey
}

func (a *authority) Of(_ context.Context, iin string) ([]ra.Key, error) {
	return a.list(func(k ra.Key) bool { return k.IIN == iin }), nil
}

func (a *authority) OfCompany(_ context.Context, bin string) ([]ra.Key, error) {
	return a.list(func(k ra.Key) bool { return k.BIN == bin }), nil
}

func (a *authority) list(want func(ra.Key) bool) []ra.Key {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []ra.Key
	for _, k := range a.keys {
		if want(k) {
			all = append(all, k)
		}
	}
	slices.Reverse(all)
	return all
}

// public is a key of which only the public half is known.
type public struct{ crypto.PublicKey }

func (p public) Public() crypto.PublicKey { return p.PublicKey }
func (public) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no private key")
}

func (a *authority) Issue(_ context.Context, o ra.Order) (ra.Certificate, error) {
	if c, ok := a.orders[o.ID]; ok {
		return c, nil
	}
	req, err := pki.ParseRequest(o.CSR)
	if err != nil {
		return ra.Certificate{}, err
	}
	h := pki.Holder{CommonName: o.Subject.CommonName, Surname: o.Subject.Surname, Given: o.Subject.Patronymic, IIN: o.Subject.IIN,
		BIN: o.Subject.BIN, Organization: o.Subject.Organization, Country: "KZ", Email: o.Email, Roles: []pki.Role{pki.RoleIndividual}}
	if o.Subject.BIN != "" {
		h.Roles = []pki.Role{pki.RoleLegal, legalRoles[o.Profile]}
	}
	leaf := a.add(a.Authority.Issue(pkitest.Spec{Key: public{req.PublicKey}, Holder: h}))
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.keys {
		if a.keys[i].Serial == o.Replaces {
			a.keys[i].ReplacedBy = leaf.Certificate.SerialHex()
		}
	}
	c := ra.Certificate{Serial: leaf.Certificate.SerialHex(), DER: leaf.Certificate.Raw, NotBefore: leaf.Certificate.NotBefore, NotAfter: leaf.Certificate.NotAfter}
	a.orders[o.ID] = c
	return c, nil
}

func (a *authority) Revoke(ctx context.Context, serial, reason string, _ time.Time, _ string) (time.Time, error) {
	if a.follow != nil {
		defer func() { must(a.t, a.follow(ctx, serial)) }()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.keys {
		if a.keys[i].Serial == serial {
			if a.keys[i].RevokedAt.IsZero() {
				a.keys[i].RevokedAt, a.keys[i].Reason = a.now(), reason
			}
			return a.keys[i].RevokedAt, nil
		}
	}
	return time.Time{}, ra.ErrNoKey
}

// Status answers as an OCSP responder would.
func (a *authority) Status(ctx context.Context, cert, _ *pki.Certificate, _ time.Time) trust.Status {
	if a.silent {
		return trust.Status{State: trust.StateUnknown, Err: "time out"}
	}
	k, err := a.Key(ctx, cert.SerialHex())
	if err == nil && !k.RevokedAt.IsZero() {
		reason := 4
		if k.Reason == "certificateHold" {
			reason = 6
		}
		return trust.Status{State: trust.StateRevoked, RevokedAt: k.RevokedAt, Reason: reason, Source: "ocsp"}
	}
	return trust.Status{State: trust.StateGood, Source: "ocsp"}
}

// registry is who heads what.
type registry map[ident.BIN]ra.HeadAnswer

func (r registry) Head(_ context.Context, _ string, bin ident.BIN) ra.HeadAnswer {
	if h, ok := r[bin]; ok {
		return h
	}
	return ra.HeadAnswer{Verdict: trust.Bad, Code: "ENTERPRISE_UNKNOWN"}
}

// folk are the persons the state registers know, with their phones.
type folk map[ident.IIN]struct {
	ra.PersonAnswer
	phone  ident.Phone
	silent bool // the mobile base does not answer
}

func (f folk) Person(_ context.Context, _ string, iin ident.IIN) ra.PersonAnswer {
	if p, ok := f[iin]; ok {
		return p.PersonAnswer
	}
	return ra.PersonAnswer{Verdict: trust.Bad, Code: "PERSON_UNKNOWN"}
}

// registered adds to the folk whoever holds a key of the authority, under the name in the first, and the names of those
// known without any.
type registered struct {
	folk
	ca *authority
}

func (f registered) Person(ctx context.Context, by string, iin ident.IIN) ra.PersonAnswer {
	if p, ok := f.folk[iin]; ok && p.Verdict != "" && (p.Verdict != trust.Good || p.Surname != "") {
		return p.PersonAnswer
	}
	if keys := f.ca.list(func(k ra.Key) bool { return k.IIN == string(iin) }); len(keys) > 0 {
		c, err := pki.ParseCertificate(keys[0].Raw)
		if err != nil {
			return ra.PersonAnswer{}
		}
		h := c.Holder()
		return ra.PersonAnswer{Verdict: trust.Good, Surname: h.Surname, Name: strings.TrimPrefix(h.CommonName, h.Surname), Patronymic: h.Given,
			Nonresident: f.folk[iin].Nonresident}
	}
	return f.folk.Person(ctx, by, iin)
}

func (f folk) Phone(_ context.Context, _ string, iin ident.IIN) ra.PhoneAnswer {
	if f[iin].silent {
		return ra.PhoneAnswer{}
	}
	if p, ok := f[iin]; ok && p.phone != "" {
		return ra.PhoneAnswer{Verdict: trust.Good, Phone: p.phone}
	}
	return ra.PhoneAnswer{Verdict: trust.Bad, Code: "NO_PHONE"}
}

// site is a whole cabinet over SQLite.
type site struct {
	t        *testing.T
	ca       *authority
	registry registry
	folk     folk
	store    *store.Store
	file     string
	office   *ra.Office
	desk     *auth.Desk
	config   Config
	server   *httptest.Server
	now      time.Time
	receipts receipts

	askedMu sync.Mutex
	asked   map[string]int // how often registries were asked, by the IIN of who asked
}

const binX, binY = "123456789021", "123456789025"

// askers are the registries, that remember who asked.
type askers struct {
	s *site
	registered
}

func (a askers) note(by string) {
	a.s.askedMu.Lock()
	defer a.s.askedMu.Unlock()
	a.s.asked[by]++
}

func (a askers) Head(ctx context.Context, by string, bin ident.BIN) ra.HeadAnswer {
	a.note(by)
	return a.s.registry.Head(ctx, by, bin)
}

func (a askers) Person(ctx context.Context, by string, iin ident.IIN) ra.PersonAnswer {
	a.note(by)
	return a.registered.Person(ctx, by, iin)
}

func (a askers) Phone(ctx context.Context, by string, iin ident.IIN) ra.PhoneAnswer {
	a.note(by)
	return a.registered.Phone(ctx, by, iin)
}

func newSite(t *testing.T) *site { return newSiteOf(t, 0) }

// newSiteOf bounds the database to a number of pages.
func newSiteOf(t *testing.T, pages int64, change ...func(*ra.Config)) *site {
	t.Helper()
	s := &site{t: t, now: time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC), registry: registry{}, folk: folk{}, receipts: receipts{}, asked: map[string]int{}}
	clock := func() time.Time { return s.now }
	s.ca = &authority{Authority: pkitest.New(t), now: clock, orders: map[string]ra.Certificate{}}
	file := t.TempDir() + "/senim.db"
	s.file = file
	s.store = storetest.Open(t, store.Config{URL: file, Now: clock, MaxPages: pages})
	judge, err := trust.New(trust.Config{Pool: s.ca.Pool(), Revocation: s.ca, Now: clock})
	must(t, err)
	desk, err := auth.New(auth.Config{Store: s.store.Auth(), Judge: judge, Site: "cabinet", Origin: origin, Now: clock})
	must(t, err)
	s.ca.t, s.desk = t, desk
	c := ra.Config{Store: s.store.RA(), Judge: judge, Registry: askers{s, registered{s.folk, s.ca}}, People: askers{s, registered{s.folk, s.ca}}, Keys: s.ca, Issuer: s.ca, Revoker: s.ca, Origin: origin,
		Now: clock, Identities: ident.Rules{TestIdentities: []string{binX, binY}}}
	for _, f := range change {
		f(&c)
	}
	s.office, err = ra.New(c)
	must(t, err)
	s.config = Config{Origin: origin, Auth: desk, Office: s.office, Judge: judge, Keys: s.ca, Receipts: s.receipts, KeyIDs: s.ca, OperatorBIN: binY, Now: clock}
	h, err := New(s.config)
	must(t, err)
	s.server = httptest.NewServer(h)
	t.Cleanup(s.server.Close)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is a holder for tests; P is the individual, B the new head, A the old one.
func person(cn, surname, given, iin string, roles ...pki.Role) pki.Holder {
	if len(roles) == 0 {
		roles = []pki.Role{pki.RoleIndividual}
	}
	return pki.Holder{CommonName: cn, Surname: surname, Given: given, IIN: iin, Country: "KZ", Email: "p@example.kz", Roles: roles}
}

func (s *site) personal(iin string) *pkitest.Leaf {
	return s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", iin)}))
}

func (s *site) head(iin, bin string) *pkitest.Leaf {
	h := person("СЕРИКОВА АЙГУЛЬ", "СЕРИКОВА", "БОЛАТОВНА", iin, pki.RoleLegal, pki.RoleFirstHead)
	h.BIN, h.Organization = bin, "АО «ТЕСТ»"
	return s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h}))
}

// browser is one person's browser with an agent beside it.
type browser struct {
	s       *site
	c       *http.Client
	keys    []*pkitest.Leaf
	pending map[string]crypto.Signer
	lang    string
	// first is what a new key signs when it is installed; nil: the challenge, as our agent has it.
	first func(challenge string, key *pkitest.Leaf) []byte
}

func (s *site) browser(keys ...*pkitest.Leaf) *browser {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &browser{s: s, c: &http.Client{Jar: jar}, keys: keys, pending: map[string]crypto.Signer{}, lang: "ru"}
}

// page is an answer.
type page struct {
	status     int
	path, body string
}

func (b *browser) get(path string) page {
	b.s.t.Helper()
	req, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodGet, b.s.server.URL+path, nil)
	must(b.s.t, err)
	return b.do(req)
}

func (b *browser) post(path string, form url.Values) page {
	b.s.t.Helper()
	req, err := http.NewRequestWithContext(b.s.t.Context(), http.MethodPost, b.s.server.URL+path, strings.NewReader(form.Encode()))
	must(b.s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

func (b *browser) do(req *http.Request) page {
	b.s.t.Helper()
	req.Header.Set("Accept-Language", b.lang)
	res, err := b.c.Do(req)
	must(b.s.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(b.s.t, err)
	return page{res.StatusCode, res.Request.URL.Path, string(body)}
}

var (
	agentForm = regexp.MustCompile(`<form[^>]*data-agent="([^"]*)"`)
	action    = regexp.MustCompile(`action="([^"]*)"`)
	hidden    = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// agent reads the page's agent form: where it posts, what the agent is asked, its hidden fields.
func (p page) agent(t *testing.T) (to, call string, form url.Values) {
	t.Helper()
	m := agentForm.FindStringSubmatch(p.body)
	if m == nil {
		t.Fatalf("%d %s has no agent form:\n%s", p.status, p.path, text(p.body))
	}
	form = url.Values{}
	rest := p.body[strings.Index(p.body, m[0]):]
	rest = rest[:strings.Index(rest, "</form>")]
	for _, h := range hidden.FindAllStringSubmatch(rest, -1) {
		form.Set(html.UnescapeString(h[1]), html.UnescapeString(h[2]))
	}
	return html.UnescapeString(action.FindStringSubmatch(m[0])[1]), html.UnescapeString(m[1]), form
}

// click lets the agent answer the page's form and posts it.
func (b *browser) click(p page) page {
	b.s.t.Helper()
	to, call, form := p.agent(b.s.t)
	form.Set("answer", b.ask(call))
	return b.post(to, form)
}

// ask is the agent: it signs, makes and installs keys.
func (b *browser) ask(call string) string {
	b.s.t.Helper()
	var r struct {
		Module, Method string
		Args           struct {
			Format, Data, RequestID string
			SignerParams            struct{ IIN, BIN, SerialNumber string }
			Profiles                []struct{ Algorithm, Usage string }
			Subject                 struct{ CommonName, Surname, GivenName, IIN, Organization, BIN, Email string }
			Certificates            []string
			Challenge               string
		}
	}
	must(b.s.t, json.Unmarshal([]byte(call), &r))
	var result any
	switch r.Module + "." + r.Method {
	case "kz.gov.pki.knca.basics.sign":
		result = []string{b.sign(r.Args.Format, r.Args.Data, r.Args.SignerParams.IIN, r.Args.SignerParams.BIN, r.Args.SignerParams.SerialNumber)}
	case "kz.senim.keys.generate":
		n := r.Args.Subject
		h := pki.Holder{CommonName: n.CommonName, Surname: n.Surname, Given: n.GivenName, IIN: n.IIN, Organization: n.Organization, BIN: n.BIN, Country: "KZ"}
		key := pkitest.NewKey(b.s.t, algid.GOST512)
		result = map[string]any{"requestId": r.Args.RequestID, "keys": []any{b.request(key, h, n.Email)}}
	case "kz.senim.keys.install":
		var files []any
		for _, c := range r.Args.Certificates {
			der, err := base64.StdEncoding.DecodeString(c)
			must(b.s.t, err)
			cert, err := pki.ParseCertificate(der)
			must(b.s.t, err)
			id := fmt.Sprintf("%x", cert.SubjectKeyID)
			key, ok := b.pending[id]
			if !ok {
				b.s.t.Fatalf("no pending key for certificate %s", cert.SerialHex())
			}
			leaf := &pkitest.Leaf{Certificate: cert, Key: key}
			b.keys = append(b.keys, leaf)
			file := map[string]any{"keyId": id, "fileName": "GOST512_" + id + ".p12", "serialNumber": cert.SerialHex(), "created": true}
			first := b.first
			if first == nil {
				first = b.firstSignature
			}
			if signed := first(r.Args.Challenge, leaf); signed != nil {
				file["signature"] = signed
			}
			files = append(files, file)
		}
		result = map[string]any{"requestId": r.Args.RequestID, "files": files}
	default:
		b.s.t.Fatalf("the agent does not know %s.%s", r.Module, r.Method)
	}
	out, err := json.Marshal(result)
	must(b.s.t, err)
	return string(out)
}

// firstSignature signs a challenge of an installation.
func (b *browser) firstSignature(challenge string, key *pkitest.Leaf) []byte {
	b.s.t.Helper()
	if challenge == "" {
		return nil
	}
	block, _ := pem.Decode([]byte(signWith(b.s.t, key, "cms", base64.StdEncoding.EncodeToString([]byte(challenge)))))
	return block.Bytes
}

func (b *browser) request(key crypto.Signer, h pki.Holder, email string) map[string]string {
	b.s.t.Helper()
	der := pkitest.Request(b.s.t, key, h, email)
	id := fmt.Sprintf("%x", algid.KeyID(key.Public()))
	b.pending[id] = key
	return map[string]string{"algorithm": "GOST512", "usage": "SIGNATURE", "keyId": id, "csr": base64.StdEncoding.EncodeToString(der)}
}

func (b *browser) sign(format, data, iin, bin, serial string) string {
	b.s.t.Helper()
	i := slices.IndexFunc(b.keys, func(l *pkitest.Leaf) bool {
		h := l.Certificate.Holder()
		return (iin == "" || iin == h.IIN) && (bin == "" || bin == h.BIN) && (serial == "" || serial == l.Certificate.SerialHex())
	})
	if i < 0 {
		b.s.t.Fatalf("the agent has no key for iin %q bin %q serial %q", iin, bin, serial)
	}
	return signWith(b.s.t, b.keys[i], format, data)
}

func signWith(t *testing.T, k *pkitest.Leaf, format, data string) string {
	t.Helper()
	if format == "xml" {
		out, err := dsig.SignEnveloped(rand.Reader, []byte(data), dsig.Options{Key: k.Key, Certificate: k.Certificate})
		must(t, err)
		return string(out)
	}
	content, err := base64.StdEncoding.DecodeString(data)
	must(t, err)
	der, err := cms.Sign(rand.Reader, cms.Options{Key: k.Key, Certificate: k.Certificate, Content: content, Detached: true, SigningTime: time.Now().Truncate(time.Second)})
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der}))
}

var tags = regexp.MustCompile(`(?s)<script.*?</script>|<[^>]*>`)
var spaces = regexp.MustCompile(`\s+`)

func text(body string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(body, " ")), " "))
}

// has fails the test when the page lacks a text.
func (p page) has(t *testing.T, status int, words ...string) page {
	t.Helper()
	if p.status != status {
		t.Fatalf("%s answered %d, want %d:\n%s", p.path, p.status, status, text(p.body))
	}
	all := text(p.body)
	for _, w := range words {
		if !strings.Contains(all, w) && !strings.Contains(p.body, w) {
			t.Fatalf("%s lacks %q:\n%s", p.path, w, all)
		}
	}
	return p
}

// enter signs in and registers.
func (b *browser) enter(email string) {
	b.s.t.Helper()
	p := b.click(b.get("/signin"))
	p.has(b.s.t, 200, "Регистрация")
	b.post("/signup", url.Values{"email": {email}, "email2": {email}, "city": {"Алматы"}, "lang": {"ru"}, "consent": {"yes"}}).has(b.s.t, 200, "Подпишите данные")
	b.click(b.get("/signup/sign")).has(b.s.t, 200, "Мои данные")
}
