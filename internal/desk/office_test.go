package desk_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/store"
	"senim/internal/trust"
	"senim/pki"
)

// The person at the desk, who has no keys.
const visitor = "009900000117"

// backOffice is the registration authority behind the desk, with an authority and registers in memory.
type backOffice struct {
	t       *testing.T
	store   *store.Store
	office  *ra.Office
	ca      *pkitest.Authority
	mu      sync.Mutex
	keys    []ra.Key
	orders  []ra.Order
	lifted  []string
	people  map[ident.IIN]ra.PersonAnswer
	heads   map[ident.BIN]ra.HeadAnswer
	pending map[string]crypto.Signer
	ahead   time.Duration
	asked   map[string]int  // how often registries were asked, by the IIN of who asked
	phone   *ra.PhoneAnswer // nil: he has one
}

func newBackOffice(t *testing.T, s *store.Store, judge ra.Judge, ca *pkitest.Authority, origin string) *backOffice {
	t.Helper()
	b := &backOffice{t: t, store: s, ca: ca, pending: map[string]crypto.Signer{},
		people: map[ident.IIN]ra.PersonAnswer{visitor: {Verdict: trust.Good, Surname: "ЖАҚСЫБАЕВ", Name: "ЕРЛАН", Patronymic: "СӘКЕНҰЛЫ", AsOf: time.Now()}},
		heads:  map[ident.BIN]ra.HeadAnswer{}}
	var err error
	b.office, err = ra.New(ra.Config{Store: s.RA(), Judge: judge, Registry: b, People: b, Keys: b, Issuer: b, Revoker: b, Holds: b, Ends: b, Origin: origin, Now: b.clock,
		Identities: ident.Rules{TestIdentities: []string{company, oldHead, newHead, clerkOne}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *backOffice) note(by string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked == nil {
		b.asked = map[string]int{}
	}
	b.asked[by]++
}

func (b *backOffice) clock() time.Time { return time.Now().Add(b.ahead) }

func (b *backOffice) Person(_ context.Context, by string, iin ident.IIN) ra.PersonAnswer {
	b.note(by)
	if p, ok := b.people[iin]; ok {
		return p
	}
	return ra.PersonAnswer{Verdict: trust.Bad, Code: "PERSON_UNKNOWN"}
}

func (b *backOffice) Phone(_ context.Context, by string, _ ident.IIN) ra.PhoneAnswer {
	b.note(by)
	if b.phone != nil {
		return *b.phone
	}
	return ra.PhoneAnswer{Verdict: trust.Good, Phone: "+77010000117"}
}

// Ending walks what ends, as the authority does.
func (b *backOffice) Ending(_ context.Context, from, to time.Time, f func(ra.Key) error) error {
	for _, k := range b.list(func(k ra.Key) bool { return !k.NotAfter.Before(from) && k.NotAfter.Before(to) && k.RevokedAt.IsZero() }) {
		if err := f(k); err != nil {
			return err
		}
	}
	return nil
}

func (b *backOffice) Head(_ context.Context, by string, bin ident.BIN) ra.HeadAnswer {
	b.note(by)
	if h, ok := b.heads[bin]; ok {
		return h
	}
	return ra.HeadAnswer{Verdict: trust.Bad, Code: "ENTERPRISE_UNKNOWN"}
}

func (b *backOffice) list(want func(ra.Key) bool) []ra.Key {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.keys), func(k ra.Key) bool { return !want(k) })
}

func (b *backOffice) Key(_ context.Context, serial string) (ra.Key, error) {
	for _, k := range b.list(func(k ra.Key) bool { return k.Serial == serial }) {
		return k, nil
	}
	return ra.Key{}, ra.ErrNoKey
}

func (b *backOffice) Of(_ context.Context, iin string) ([]ra.Key, error) {
	return b.list(func(k ra.Key) bool { return k.IIN == iin }), nil
}

func (b *backOffice) OfCompany(_ context.Context, bin string) ([]ra.Key, error) {
	return b.list(func(k ra.Key) bool { return k.BIN == bin }), nil
}

// public is a key of which only the public half is known.
type public struct{ crypto.PublicKey }

func (p public) Public() crypto.PublicKey { return p.PublicKey }
func (public) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no private key")
}

func (b *backOffice) Issue(_ context.Context, o ra.Order) (ra.Certificate, error) {
	req, err := pki.ParseRequest(o.CSR)
	if err != nil {
		return ra.Certificate{}, err
	}
	h := pki.Holder{CommonName: o.Subject.CommonName, Surname: o.Subject.Surname, Given: o.Subject.Patronymic, IIN: o.Subject.IIN,
		BIN: o.Subject.BIN, Organization: o.Subject.Organization, Country: "KZ", Email: o.Email, Roles: []pki.Role{pki.RoleIndividual}}
	b.orders = append(b.orders, o)
	c := b.add(b.ca.Issue(pkitest.Spec{Key: public{req.PublicKey}, Holder: h}))
	return ra.Certificate{Serial: c.SerialHex(), DER: c.Raw, NotBefore: c.NotBefore, NotAfter: c.NotAfter}, nil
}

func (b *backOffice) add(l *pkitest.Leaf) *pki.Certificate {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := l.Certificate
	h := c.Holder()
	b.keys = append(b.keys, ra.Key{Serial: c.SerialHex(), IIN: h.IIN, BIN: h.BIN, NotBefore: c.NotBefore, NotAfter: c.NotAfter, Raw: c.Raw})
	return c
}

func (b *backOffice) set(serial, reason string, at time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.keys {
		if b.keys[i].Serial == serial {
			b.keys[i].RevokedAt, b.keys[i].Reason = at, reason
			return nil
		}
	}
	return ra.ErrNoKey
}

func (b *backOffice) Revoke(_ context.Context, serial, reason string, _ time.Time, _ string) (time.Time, error) {
	at := b.clock()
	return at, b.set(serial, reason, at)
}

func (b *backOffice) Release(_ context.Context, serial, by, second string) error {
	b.lifted = append(b.lifted, by+" "+second)
	return b.set(serial, "", time.Time{})
}

// key gives a person a key that the authority knows.
func (b *backOffice) key(iin string) *pki.Certificate {
	h := pkitest.Person()
	h.IIN = iin
	return b.add(b.ca.Issue(pkitest.Spec{Holder: h}))
}

// actions are those written down so far.
func (b *backOffice) actions(t *testing.T) []string {
	t.Helper()
	nodes, err := b.store.AuditNodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, node := range nodes {
		records, err := b.store.AuditRecords(t.Context(), node, 0, 10000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			all = append(all, r.Action+" "+r.Result)
		}
	}
	return all
}

// upload posts a form with a file.
func (p *person) upload(path string, fields url.Values, scan []byte) page {
	p.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range fields {
		if err := w.WriteField(k, v[0]); err != nil {
			p.t.Fatal(err)
		}
	}
	f, err := w.CreateFormFile("scan", "paper.html")
	if err == nil {
		_, err = f.Write(scan)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		p.t.Fatal(err)
	}
	r, err := p.client.Post(p.site.URL+path, w.FormDataContentType(), &body)
	return p.read(r, err)
}

// click answers the page's agent form: it signs, makes keys or installs them, and posts the answer.
func (p *person) click(at page) page {
	p.t.Helper()
	m := asked.FindStringSubmatch(at.body)
	if m == nil {
		p.t.Fatalf("%s asks for nothing: %s", at.path, at.body)
	}
	form := at.body[:strings.Index(at.body, m[0])]
	form = form[strings.LastIndex(form, "<form"):]
	to := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(form + m[0])[1]
	rest := at.body[strings.Index(at.body, m[0]):]
	fields := url.Values{}
	for _, h := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(rest[:strings.Index(rest, "</form>")], -1) {
		fields.Set(h[1], html.UnescapeString(h[2]))
	}
	fields.Set("answer", p.answer(html.UnescapeString(m[1]), at))
	return p.post(to, fields)
}

func (p *person) answer(call string, at page) string {
	p.t.Helper()
	var r struct {
		Module, Method string
		Args           struct {
			RequestID    string
			Subject      struct{ CommonName, Surname, GivenName, IIN, Organization, BIN, Email string }
			Certificates []string
			Challenge    string
		}
	}
	if err := json.Unmarshal([]byte(call), &r); err != nil {
		p.t.Fatal(err)
	}
	var result any
	switch r.Method {
	case "sign":
		return p.agent(at)
	case "generate":
		n := r.Args.Subject
		key := pkitest.NewKey(p.t, algid.GOST512)
		id := fmt.Sprintf("%x", algid.KeyID(key.Public()))
		p.back.pending[id] = key
		der := pkitest.Request(p.t, key, pki.Holder{CommonName: n.CommonName, Surname: n.Surname, Given: n.GivenName, IIN: n.IIN, Organization: n.Organization, BIN: n.BIN, Country: "KZ"}, n.Email)
		result = map[string]any{"requestId": r.Args.RequestID, "keys": []any{map[string]string{"algorithm": "GOST512", "usage": "SIGNATURE", "keyId": id, "csr": base64.StdEncoding.EncodeToString(der)}}}
	case "install":
		var files []any
		for _, c := range r.Args.Certificates {
			der, err := base64.StdEncoding.DecodeString(c)
			if err != nil {
				p.t.Fatal(err)
			}
			cert, err := pki.ParseCertificate(der)
			if err != nil {
				p.t.Fatal(err)
			}
			id := fmt.Sprintf("%x", cert.SubjectKeyID)
			first, err := cms.Sign(rand.Reader, cms.Options{Key: p.back.pending[id], Certificate: cert, Content: []byte(r.Args.Challenge), Detached: true, SigningTime: time.Now()})
			if err != nil {
				p.t.Fatal(err)
			}
			files = append(files, map[string]any{"keyId": id, "serialNumber": cert.SerialHex(), "created": true, "signature": first})
		}
		result = map[string]any{"requestId": r.Args.RequestID, "files": files}
	default:
		p.t.Fatalf("the agent does not know %s", r.Method)
	}
	out, err := json.Marshal(result)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(out)
}

// clerks signs two operators in.
func (w *world) clerks() (one, two *person) {
	one, two = w.person(clerkOne, authorityBIN, pki.RoleOperator), w.person(clerkTwo, authorityBIN, pki.RoleOperator)
	one.signIn().has(w.t, 200)
	two.signIn().has(w.t, 200)
	return one, two
}

func takeForm() url.Values {
	return url.Values{"iin": {visitor}, "role": {"individual"}, "email": {"v@example.kz"}, "city": {"Астана"}, "storage": {"PKCS12"}}
}

func papers() url.Values {
	return url.Values{"document": {"045 678 901"}, "expires": {time.Now().AddDate(5, 0, 0).Format(time.DateOnly)},
		"surname": {"Жақсыбаев"}, "name": {"Ерлан"}, "patronymic": {"Сәкенұлы"}, "desk": {"astana"}}
}

func pdf() []byte { return []byte("%PDF-1.7\n<script>alert(1)</script>") }

// identified brings an application to the second operator.
func (p *person) identified(form, found url.Values) page {
	p.t.Helper()
	at := p.post("/desk/take", form)
	at.has(p.t, 200, `data-step="examine"`)
	at = p.upload(at.path+"/examine", found, pdf())
	at.has(p.t, 200, `data-step="keys"`)
	at = p.click(at)
	at.has(p.t, 200, `data-step="sign"`)
	at = p.click(at)
	at.has(p.t, 200, `data-step="second"`)
	return at
}

func (w *world) issue(at page) {
	w.t.Helper()
	number := regexp.MustCompile(`\d{12}`).FindString(at.path)
	a, err := w.back.office.Case(w.t.Context(), number)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.back.office.Issue(w.t.Context(), ra.Task{Number: number, Revision: a.Revision}); err != nil {
		w.t.Fatal(err)
	}
}
