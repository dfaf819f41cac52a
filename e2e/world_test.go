package e2e

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/internal/notice"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/portal"
	"senim/internal/qr"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// The cast of the portal's acceptance examples: A heads X and Y, B is to head X, C is a stranger.
const (
	iinA, iinB, iinC = "123456789012", "123456789011", "123456789013"
	binX, binY       = bin, "123456789025"
	binUnit          = "009941000001" // a branch whose head office nobody recorded
	passA, passB     = "quiet-lake-41", "tall-birch-92"
	nameX, nameY     = "АО «ТЕСТ»", "ТОО «ДОСТЫК»"
)

// world is the portal in this process, for a browser: over a real store, with throw-away keys, a clock to
// move, a registry to change, a status to set and letters to read.
type world struct {
	t         *testing.T
	authority *pkitest.Authority
	store     *store.Store
	book      *registry.Book
	office    *participant.Office
	origin    string
	tab       *tab   // see visitor
	spare     []*tab // see beside

	mu      sync.Mutex
	now     time.Time
	letters []notice.Message
	jobs    []job.Job
	revoked map[string]bool // by serial; others are good
	down    bool            // nobody answers about revocation
	broken  bool            // the database fails when a letter is written
	source  trust.Revocation
	loads   int
}

// newWorld starts one; set may change the rules of participants.
func newWorld(t *testing.T, set func(*participant.Config)) *world {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	w := &world{t: t, authority: pkitest.New(t, pkitest.Config{Now: now}), now: now, revoked: map[string]bool{}}
	server := httptest.NewUnstartedServer(nil)
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	w.origin = "http://localhost:" + port // a name: browsers have no passkeys for an address
	w.store = storetest.Open(t, store.Config{URL: filepath.Join(t.TempDir(), "senim.db"), Now: w.time})
	judge, err := trust.New(trust.Config{Pool: w.authority.Pool(), Revocation: w, Now: w.time})
	w.must(err)
	rules := ident.Rules{TestIdentities: []string{iinA, iinB, iinC, binX, binY}}
	w.book, err = registry.New(registry.Config{Store: w.store.Registry(), Rules: rules, Now: w.time})
	w.must(err)
	config := participant.Config{Store: postbox{w.store.Participant(), w}, Judge: judge, Registry: w.book.For(registry.ForRegister),
		Rules: rules, Origin: w.origin, Now: w.time, Passwords: plain{}}
	if set != nil {
		set(&config)
	}
	w.office, err = participant.New(config)
	w.must(err)
	phones, err := qr.New(qr.Config{Store: w.store.QR(), Judge: judge, Key: make([]byte, 32), Site: "portal", Origin: w.origin, Auth: mgov.Token, Now: w.time,
		Organisation: mgov.Organisation{RU: "Сенім", KK: "Сенім", EN: "Senim", BIN: binY}})
	w.must(err)
	server.Config.Handler, err = portal.New(portal.Config{Site: web.Site{Origin: w.origin, Rules: rules, TestMode: true}, Office: w.office, Cabinet: "http://localhost:1",
		Auth: auth.Config{Store: w.store.Auth(), Judge: judge}, Registries: registry.NewWatch(w.book), Phone: phones, Now: w.time})
	w.must(err)
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections() // a page that waits holds one
		server.Close()
	})
	w.must(w.office.Publish(t.Context(), participant.Agreement{Version: "1.0", From: now.Add(-time.Hour),
		Text: map[lang.Tag]string{lang.RU: "Первый пункт соглашения.", lang.KK: "Келісімнің бірінші тармағы.", lang.EN: "The first clause."}}))
	w.must(w.office.Seed(t.Context(), participant.Seeded{IIN: iinA, Name: "ТЕСТТОВ ТЕСТТ ТЕСТТОВИЧ", Email: "a@example.kz", Password: passA, Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.LegalEntity, TIN: binX, Name: nameX}, {Category: participant.LegalEntity, TIN: binY, Name: nameY}}}))
	w.heads(iinA, "")
	w.load(registry.Batch{Source: registry.SourcePersons, Full: true, AsOf: now.Add(-time.Hour), Operator: "system", Persons: []registry.Person{
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

// heads has X headed by lead since 2020 or, when next is set, by next since yesterday. Y is A's always.
func (w *world) heads(lead, next string) {
	w.t.Helper()
	yesterday := registry.DateOf(w.time().AddDate(0, 0, -1))
	first := registry.Leader{BIN: binX, IIN: ident.IIN(lead), Surname: "СКРЫТАЯ", Name: "ФАМИЛИЯ", Position: "Директор", AppointedOn: "2020-06-01"}
	if next == "" {
		w.leaders(first)
		return
	}
	first.DismissedOn = yesterday
	w.leaders(first, registry.Leader{BIN: binX, IIN: ident.IIN(next), Surname: "ДРУГАЯ", Name: "ФАМИЛИЯ", Position: "Директор", AppointedOn: yesterday})
}

// leaders loads the register of legal entities with those leaders of X.
func (w *world) leaders(ofX ...registry.Leader) {
	w.t.Helper()
	w.loads++
	w.load(registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: w.time().Add(-time.Hour).Add(time.Duration(w.loads) * time.Second), Operator: "system",
		Entities: []registry.LegalEntity{
			{BIN: binX, Kind: registry.LE, NameRU: nameX, NameKK: "«ТЕСТ» АҚ", Status: registry.Active, Registered: "2012-04-05", AddressRU: "г. Астана"},
			{BIN: binY, Kind: registry.LE, NameRU: nameY, Status: registry.Active, Registered: "2014-01-10"},
			{BIN: binUnit, Kind: registry.Branch, NameRU: "Филиал", Status: registry.Active, Registered: "2014-01-10"}},
		Leaders: append(ofX, registry.Leader{BIN: binY, IIN: iinA, Surname: "ТЕСТТОВ", Name: "ТЕСТТ", Position: "Директор", AppointedOn: "2020-06-01"},
			registry.Leader{BIN: binUnit, IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ", Position: "Директор", AppointedOn: "2020-06-01"})})
}

func (w *world) load(b registry.Batch) {
	w.t.Helper()
	_, out, err := w.book.Load(w.t.Context(), b)
	if err != nil || len(out) > 0 {
		w.t.Fatalf("load: %v, quarantined %+v", err, out)
	}
}

// Status is who answers about revocation.
func (w *world) Status(ctx context.Context, cert, issuer *pki.Certificate, at time.Time) trust.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.source != nil:
		return w.source.Status(ctx, cert, issuer, at)
	case w.down:
		return trust.Status{State: trust.StateUnknown, Err: "nobody answers"}
	case w.revoked[cert.SerialHex()]:
		return trust.Status{State: trust.StateRevoked, RevokedAt: w.now.Add(-time.Hour), Reason: int(pki.KeyCompromise), Source: "ocsp"}
	}
	return trust.Status{State: trust.StateGood, Source: "ocsp"}
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// postbox reads letters and jobs as they are written, and fails when the world says so.
type postbox struct {
	participant.Store
	w *world
}

var errBroken = errors.New("the database is gone")

func (p postbox) Update(ctx context.Context, f func(participant.Tx) error) error {
	var wrote []notice.Message
	var jobs []job.Job
	err := p.Store.Update(ctx, func(tx participant.Tx) error {
		wrote, jobs = nil, nil
		return f(reading{tx, p.w, &wrote, &jobs})
	})
	if err == nil {
		p.w.set(func() { p.w.letters, p.w.jobs = append(p.w.letters, wrote...), append(p.w.jobs, jobs...) })
	}
	return err
}

type reading struct {
	participant.Tx
	w     *world
	wrote *[]notice.Message
	jobs  *[]job.Job
}

func (r reading) Notify(ctx context.Context, m notice.Message) error {
	broken := false
	if r.w.set(func() { broken = r.w.broken }); broken {
		return errBroken
	}
	*r.wrote = append(*r.wrote, m)
	return r.Tx.Notify(ctx, m)
}

func (r reading) Enqueue(ctx context.Context, j job.Job) error {
	*r.jobs = append(*r.jobs, j)
	return r.Tx.Enqueue(ctx, j)
}

// work does the jobs whose time has come, as the store would.
func (w *world) work() {
	w.t.Helper()
	var waiting []job.Job
	w.set(func() { waiting, w.jobs = w.jobs, nil })
	for _, j := range waiting {
		if j.At.After(w.time()) {
			w.set(func() { w.jobs = append(w.jobs, j) })
			continue
		}
		var err error
		switch p := j.Payload.(type) {
		case participant.ResetJob:
			err = w.office.SendReset(w.t.Context(), p.ID)
		case participant.EmailJob:
			err = w.office.ApplyEmail(w.t.Context(), p.ID)
		case participant.ReconfirmJob:
			err = w.office.CloseUnconfirmed(w.t.Context(), p.Profile)
		}
		w.must(err)
	}
}

// sent counts the letters of a number.
func (w *world) sent(n string) (count int) {
	w.set(func() {
		for _, m := range w.letters {
			if m.N == n {
				count++
			}
		}
	})
	return count
}

// letter is the newest letter of a number.
func (w *world) letter(n string) (found notice.Message) {
	w.t.Helper()
	w.set(func() {
		for _, m := range w.letters {
			if m.N == n {
				found = m
			}
		}
	})
	if found.N == "" {
		w.t.Fatalf("no letter %s", n)
	}
	return found
}

// path is where the newest letter's link leads.
func (w *world) path(n string) string {
	w.t.Helper()
	u, err := url.Parse(w.letter(n).Vars["link"])
	w.must(err)
	return u.RequestURI()
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

// recorded counts the records of an action in the audit log.
func (w *world) recorded(action string) (count int) {
	w.t.Helper()
	all, err := w.store.AuditRecords(w.t.Context(), w.store.Node(), 0, 1000)
	w.must(err)
	for _, r := range all {
		if r.Action == action {
			count++
		}
	}
	return count
}

// key issues one of a person and a company in a role; change may spoil it.
func (w *world) key(iin, ofBIN string, role pki.Role, change func(*pkitest.Spec)) *pkitest.Leaf {
	h := pkitest.Member(role)
	h.IIN, h.BIN = iin, ofBIN
	s := pkitest.Spec{Holder: h}
	if change != nil {
		change(&s)
	}
	return w.authority.Issue(s)
}

// head issues a first head's key.
func (w *world) head(iin, ofBIN string) *pkitest.Leaf {
	return w.key(iin, ofBIN, pki.RoleFirstHead, nil)
}

// personal issues a person's own key.
func (w *world) personal(iin string) *pkitest.Leaf {
	h := pkitest.Person()
	h.IIN = iin
	return w.authority.Issue(pkitest.Spec{Holder: h})
}
