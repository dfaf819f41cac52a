package cabinet

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/ra"
	"senim/internal/robot"
	"senim/internal/trust"
	"senim/pfx"
	"senim/pki"
)

// accountant is a person with a folder of other people's keys and a real agent beside her browser.
type accountant struct {
	*browser
	agent  *robot.Agent
	folder string
	// passwords by file, files by serial.
	passwords, files map[string]string
}

const accountantIIN = "123456789014"

func (s *site) accountant() *accountant {
	a := &accountant{browser: s.browser(s.personal(accountantIIN)), folder: s.t.TempDir(), passwords: map[string]string{}, files: map[string]string{}}
	a.enter("")
	windows := make(chan string, 4)
	at, err := agent.New(agent.Config{Listen: "127.0.0.1:0", Data: s.t.TempDir(), Folders: []string{a.folder}, Pool: s.ca.Pool(), Now: func() time.Time { return s.now },
		OldKeyFiles: true, Browser: func(url string) (func(), error) { windows <- url; return nil, nil }})
	must(s.t, err)
	must(s.t, at.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- at.Serve(ctx) }()
	s.t.Cleanup(func() { cancel(); must(s.t, <-done) })
	a.agent = robot.NewAgent("ws://"+at.Addr(), windows)
	return a
}

// put lays a key file into the folder, with a password of its own.
func (a *accountant) put(leaf *pkitest.Leaf) {
	a.s.t.Helper()
	serial := leaf.Certificate.SerialHex()
	name, password := "GOST512_"+serial+".p12", "Qwerty"+serial[:6]
	der, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, password, pfx.NCA)
	must(a.s.t, err)
	must(a.s.t, os.WriteFile(filepath.Join(a.folder, name), der, 0o600))
	a.passwords[name], a.files[serial] = password, name
}

// use lets the real agent answer the form of a page whose action ends in part, and posts the answer.
func (a *accountant) use(p page, part string, c robot.Choice, change ...func(string) string) page {
	a.s.t.Helper()
	at := strings.Index(p.body, part+`" class="senim-agent"`)
	if at < 0 {
		a.s.t.Fatalf("%s has no agent form to %s:\n%s", p.path, part, text(p.body))
	}
	p.body = p.body[strings.LastIndex(p.body[:at], "<form"):]
	to, call, form := p.agent(a.s.t)
	answer, err := a.agent.Ask(a.s.t.Context(), origin, call, c, nil)
	must(a.s.t, err)
	for _, f := range change {
		answer = f(answer)
	}
	form.Set("answer", answer)
	return a.post(to, form)
}

func (s *site) holder(i int, bin string, roles ...pki.Role) pki.Holder {
	h := person(fmt.Sprintf("ТЕСТОВ ТЕСТ%02d", i), "ТЕСТОВ", "ТЕСТОВИЧ", fmt.Sprintf("8501014%05d", i), roles...)
	if bin != "" {
		h.BIN, h.Organization = bin, "ТОО «"+bin[8:]+"»"
	}
	return h
}

// fifty makes twenty heads, twenty employees of ten of their companies, and ten individuals, each key
// ending on a day of its own, the first within a month.
func (s *site) fifty() []*pkitest.Leaf {
	var list []*pkitest.Leaf
	for i := range 50 {
		var h pki.Holder
		switch {
		case i < 20:
			bin := fmt.Sprintf("2001400%05d", i)
			h = s.holder(i, bin, pki.RoleLegal, pki.RoleFirstHead)
			s.registry[ident.BIN(bin)] = ra.HeadAnswer{Verdict: trust.Good, IIN: h.IIN, Organization: h.Organization, AsOf: s.now}
		case i < 40:
			h = s.holder(i, fmt.Sprintf("2001400%05d", i%10), pki.RoleLegal, pki.RoleEmployee)
		default:
			h = s.holder(i, "")
		}
		end := s.now.AddDate(0, 0, 2*i+1)
		list = append(list, s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end})))
	}
	return list
}

var (
	rowOf    = regexp.MustCompile(`<tr class="govuk-table__row" data-serial="([0-9a-f]{40})" data-(?:why|item)="([a-z_]*)"`)
	countOf  = regexp.MustCompile(`data-count="([a-z]+)">[^<]*<strong[^>]*>[^<:]*: (\d+)`)
	tickedIn = regexp.MustCompile(`type="checkbox" value="([0-9a-f]{40})" checked`)
)

// rows are the keys of a table with what the page says of each, in its order.
func (p page) rows() (serials []string, words map[string]string) {
	words = map[string]string{}
	for _, m := range rowOf.FindAllStringSubmatch(p.body, -1) {
		serials, words[m[1]] = append(serials, m[1]), m[2]
	}
	return serials, words
}

func (p page) counts() map[string]string {
	n := map[string]string{}
	for _, m := range countOf.FindAllStringSubmatch(p.body, -1) {
		n[m[1]] = m[2]
	}
	return n
}

func (p page) expect(t *testing.T, want string) page {
	t.Helper()
	if got := fmt.Sprint(p.counts()); got != want {
		t.Fatalf("%s: %s, want %s\n%s", p.path, got, want, text(p.body))
	}
	return p
}

// issueBatch does what the jobs would for every application that was approved.
func (s *site) issueBatch(id string) {
	s.t.Helper()
	_, lines, err := s.office.Batch(s.t.Context(), accountantIIN, id)
	must(s.t, err)
	for _, l := range lines {
		if l.Application != nil && l.Application.State == ra.Approved {
			must(s.t, s.office.Issue(s.t.Context(), ra.Task{Number: l.Application.Number, Revision: l.Application.Revision}))
		}
	}
}

func values(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// confirmBatch lets every director confirm what waits for him.
func (s *site) confirmBatch(id string) {
	s.t.Helper()
	_, lines, err := s.office.Batch(s.t.Context(), accountantIIN, id)
	must(s.t, err)
	for _, l := range lines {
		if l.Application == nil || l.Application.State != ra.AwaitingDirector {
			continue
		}
		app := *l.Application
		by := ra.Confirmer{IIN: s.registry[ident.BIN(app.Subject.BIN)].IIN, BIN: app.Subject.BIN, Role: ra.RoleHead, Leader: true}
		must(s.t, app.Confirm(by, app.Revision, app.SignedHash, "signed", s.now))
		must(s.t, s.store.RA().Update(s.t.Context(), func(tx ra.Tx) error { return tx.Put(s.t.Context(), app) }))
	}
}

// TestManyHostile: certificates that are not ours, another authority's with the serial of ours,
// keys not shown, batches and items of others.
func TestManyHostile(t *testing.T) {
	s := newSite(t)
	a := s.accountant()
	key := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: s.holder(1, "")}))
	serial := key.Certificate.SerialHex()
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		t.Fatal(serial)
	}
	twin := pkitest.New(t, pkitest.Config{Name: "OTHER"}).Issue(pkitest.Spec{Holder: s.holder(1, ""), Serial: n})
	show := func(certs ...[]byte) url.Values {
		var keys []map[string]any
		for _, c := range certs {
			keys = append(keys, map[string]any{"serialNumber": serial, "state": "active", "certificate": base64.StdEncoding.EncodeToString(c)})
		}
		b, err := json.Marshal(map[string]any{"keys": keys})
		must(t, err)
		return url.Values{"answer": {string(b)}}
	}
	a.post("/many/list", show(twin.Certificate.Raw, []byte("nonsense"))).has(t, 422, `data-code="FOLDER_EMPTY"`)
	a.post("/many/list", url.Values{"answer": {`{"keys":[{"serialNumber":"` + serial + `"}]}`}}).has(t, 422, `data-code="FOLDER_EMPTY"`)
	a.post("/many/list", url.Values{"answer": {"{"}}).has(t, 422, `data-code="AGENT_ANSWER"`)
	if watched, err := s.office.FolderSerials(t.Context(), accountantIIN); err != nil || len(watched) != 0 {
		t.Fatalf("looks after %v, %v", watched, err)
	}
	batch := url.Values{"serial": {serial}, "email": {"a@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}}
	a.post("/many/choose", batch).has(t, 404, `data-code="KEY_UNKNOWN"`)
	a.post("/many/batches", batch).has(t, 422, `data-code="KEY_UNKNOWN"`)
	a.post("/many/choose", url.Values{}).has(t, 422, `data-code="BATCH_EMPTY"`)

	a.post("/many/list", show(key.Certificate.Raw)).has(t, 200, "1 ключ")
	for field, value := range map[string]string{"email": "nonsense", "storage": "AKKZIDCardStore"} {
		bad := url.Values{"serial": {serial}, "email": {"a@example.kz"}, "storage": {"PKCS12"}}
		bad.Set(field, value)
		a.post("/many/batches", bad).has(t, 422, "govuk-error-message")
	}
	p := a.post("/many/batches", batch).has(t, 200, "Шаг 1")
	number := numberShown.FindString(p.body)
	if number == "" {
		t.Fatal("the draft has no number")
	}
	number = strings.ReplaceAll(number, "-", "")

	// Another accountant: neither the batch, nor its steps, nor its application.
	other := s.browser(s.personal("123456789015"))
	other.enter("")
	other.get(p.path).has(t, 404, `data-code="BATCH_UNKNOWN"`)
	for _, step := range []string{"keys", "sign", "install"} {
		answer := url.Values{"answer": {`{"orders":[{"requestId":"` + number + `-r1","error":{"code":"X","details":"y"}}]}`}}
		other.post(p.path+"/"+step, answer).has(t, 404, `data-code="BATCH_UNKNOWN"`)
		other.get(p.path+"/"+step).has(t, 404, `data-code="BATCH_UNKNOWN"`)
	}
	// Outside of the batch its application is nobody's: not the accountant's page, nor yet its owner's.
	owner := s.browser(key)
	owner.click(owner.get("/signin"))
	for _, b := range []*browser{other, a.browser, owner} {
		b.get("/applications/"+number).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)
	}
	owner.post("/applications/"+number+"/withdraw", nil).has(t, 404, `data-code="NOT_YOUR_APPLICATION"`)

	// Items of another batch in an answer: nothing of it is taken.
	second := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: s.holder(2, "")}))
	other.post("/many/list", show(second.Certificate.Raw)).has(t, 200, "1 ключ")
	q := other.post("/many/batches", url.Values{"serial": {second.Certificate.SerialHex()}, "city": {"Алматы"}, "storage": {"PKCS12"}}).has(t, 200, "Шаг 1")
	_, call, _ := p.agent(t)
	made, err := a.agent.Ask(t.Context(), origin, call, robot.Choice{Folder: a.folder}, nil)
	must(t, err)
	other.post(q.path+"/keys", url.Values{"answer": {made}}).has(t, 422, `data-code="BATCH_ANSWER"`)
	other.get(q.path).expect(t, "map[keys:1]")
	p = a.post(p.path+"/keys", url.Values{"answer": {made}}).expect(t, "map[sign:1]")

	// A signature by another key than the application's is refused, whoever brings it.
	_, call, _ = p.agent(t)
	var asked struct {
		Args struct {
			Documents []struct{ ID, XML, SerialNumber string }
		}
	}
	must(t, json.Unmarshal([]byte(call), &asked))
	forged, err := json.Marshal(map[string]any{"documents": []any{map[string]string{"id": asked.Args.Documents[0].ID, "xml": signWith(t, second, "xml", asked.Args.Documents[0].XML)}}})
	must(t, err)
	a.post(p.path+"/sign", url.Values{"answer": {string(forged)}}).has(t, 200, `data-code="WRONG_KEY"`).expect(t, "map[sign:1]")
	if asked.Args.Documents[0].SerialNumber != serial {
		t.Errorf("asked for the key %s", asked.Args.Documents[0].SerialNumber)
	}
}

// numberShown is an application's number as tables write it.
var numberShown = regexp.MustCompile(`\b\d{4}-\d{4}-\d{4}\b`)

// TestManyOneApplicationPerKey: what the owner himself began for the same key is found when his key
// signs, and told only then.
func TestManyOneApplicationPerKey(t *testing.T) {
	s := newSite(t)
	a := s.accountant()
	key := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: s.holder(1, "")}))
	a.put(key)
	owner := s.browser(key)
	owner.enter("own@example.kz")
	q := owner.post("/keys/reissue", url.Values{"email": {"own@example.kz"}, "city": {"Алматы"}, "storage": {"PKCS12"}})
	q = owner.click(owner.click(q))
	q.has(t, 200, "Сертификаты выпускаются")

	p := a.use(a.get("/many"), "/many/list", robot.Choice{Passwords: a.passwords})
	if strings.Contains(p.body, "Есть заявка") {
		t.Error("another person's application is told of")
	}
	p = a.post("/many/batches", url.Values{"serial": {key.Certificate.SerialHex()}, "storage": {"PKCS12"}}).has(t, 200, "Шаг 1")
	p = a.use(p, "/keys", robot.Choice{Folder: a.folder})
	p = a.use(p, "/sign", robot.Choice{Passwords: a.passwords})
	p.has(t, 200, `data-code="APPLICATION_OPEN"`).expect(t, "map[not:1]")
}

// After a bulk renewal the page leads to the revocation of what was replaced: of the maker's own key, and of nobody
// else's, which is not his to revoke.
func TestManyReplacedKeysAreToBeRevoked(t *testing.T) {
	s := newSite(t)
	a := s.accountant()
	h := s.holder(1, "")
	h.IIN = accountantIIN
	own, other := s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: h})), s.ca.add(s.ca.Authority.Issue(pkitest.Spec{Holder: s.holder(2, "")}))
	a.put(own)
	a.put(other)
	a.use(a.get("/many"), "/many/list", robot.Choice{Passwords: a.passwords})
	p := a.post("/many/batches", url.Values{"serial": {own.Certificate.SerialHex(), other.Certificate.SerialHex()}, "storage": {"PKCS12"}, "email": {"a@example.kz"}}).has(t, 200, "Шаг 1")
	at := p.path
	p = a.use(p, "/keys", robot.Choice{Folder: a.folder})
	a.use(p, "/sign", robot.Choice{Passwords: a.passwords})
	s.issueBatch(strings.TrimPrefix(at, "/many/"))
	a.use(a.get(at), "/install", robot.Choice{NewPassword: "Secret42"}).expect(t, "map[done:2]")
	link := func(l *pkitest.Leaf) string {
		return "/keys/revoke?reason=superseded&amp;serial=" + l.Certificate.SerialHex()
	}
	if p = a.get(at); !strings.Contains(p.body, link(own)) || strings.Contains(p.body, link(other)) {
		t.Errorf("the page leads to the revocation of the maker's key %v, of another's %v", strings.Contains(p.body, link(own)), strings.Contains(p.body, link(other)))
	}
	a.get("/keys/revoke?reason=superseded&serial="+own.Certificate.SerialHex()).has(t, 200, own.Certificate.SerialHex())
	_, err := s.ca.Revoke(t.Context(), own.Certificate.SerialHex(), "superseded", time.Time{}, "")
	must(t, err)
	if strings.Contains(a.get(at).body, link(own)) {
		t.Error("a revoked key is to be revoked again")
	}
}
