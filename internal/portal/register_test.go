package portal

import (
	"encoding/hex"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/revocation"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// P-02: the session of the previous head for X ends on every node, and his session for Y on none: two
// portals over one PostgreSQL.
func TestP02EveryNode(t *testing.T) {
	database := storetest.PostgresURL(t)
	w := newWorldOn(t, database, nil)
	other := storetest.Open(t, store.Config{URL: database, Now: w.time, Node: "second"})
	judge, err := trust.New(trust.Config{Pool: w.authority.Pool(), Revocation: w, Now: w.time})
	w.must(err)
	const origin = "http://localhost:8081"
	office, err := participant.New(participant.Config{Store: postbox{other.Participant(), w}, Judge: judge, Registry: w.book, Rules: rules(), Origin: origin,
		Now: w.time, Passwords: plain{}})
	w.must(err)
	second, err := New(Config{Site: web.Site{Origin: origin}, Auth: auth.Config{Store: other.Auth(), Judge: judge}, Office: office, Now: w.time})
	w.must(err)
	server := httptest.NewServer(second)
	t.Cleanup(server.Close)
	at := func(s *httptest.Server) { w.server = s } // browsers send their cookies to both: a balancer stands before them
	first := w.server

	x, y := w.browser(), w.browser()
	x.login(w.head(iinA, binX), passA).at("/me").says("АО «ТЕСТ»")
	y.login(w.head(iinA, binY), passA).at("/me").says("ТОО «ДОСТЫК»")
	at(server)
	x.get("/me").at("/me").says("АО «ТЕСТ»")
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	b.follow().sign(w.head(iinB, binX)).at("/login/password").post("/login/password", "password", passB).at("/me?done=1")
	x.get("/me").closed("SESSION_HEAD")
	y.get("/me").at("/me")
	at(first)
	x.get("/me").closed("SESSION_HEAD")
	y.get("/me").at("/me").says("ТОО «ДОСТЫК»")
}

// status is a world whose revocation is asked of a real responder and of real lists.
type statusOf struct {
	down   atomic.Bool
	folder string
}

func realStatus(t *testing.T) (*world, *statusOf) {
	t.Helper()
	w := newWorld(t)
	s := &statusOf{folder: t.TempDir()}
	responder := w.authority.Responder()
	desk := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = rw.Write(w.authority.Answer(responder, body, nil))
	}))
	t.Cleanup(desk.Close)
	w.source = revocation.New(revocation.Config{Responders: map[string]string{hex.EncodeToString(w.authority.CA.SubjectKeyID): desk.URL}, Dir: s.folder})
	return w, s
}

func (s *statusOf) lay(t *testing.T, name string, list []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name), list, 0o600); err != nil {
		t.Fatal(err)
	}
}

// P-07: the responder is down and the list past its nextUpdate: nothing passes; when the responder is
// back, the same certificate passes without being given again.
func TestP07NothingAnswers(t *testing.T) {
	w, s := realStatus(t)
	w.heads(iinA, iinB)
	now := w.time()
	s.down.Store(true)
	s.lay(t, "full.crl", w.authority.ListOf(pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: now.AddDate(0, 0, -9), NextUpdate: now.AddDate(0, 0, -2)}))
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("CHECK_UNAVAILABLE").says("Повторить проверку").says("Это не отказ").silentAbout("АО «ТЕСТ»")
	step1 := b.path
	b.post(step1, "act", "recheck").refused("CHECK_UNAVAILABLE")
	s.down.Store(false)
	b.post(step1, "act", "recheck").at("/2").says("АО «ТЕСТ»")
}

// P-08: the responder is down, the full list and its delta are fresh: it passes, and the evidence says
// by which lists and of when.
func TestP08FreshLists(t *testing.T) {
	w, s := realStatus(t)
	w.heads(iinA, iinB)
	now := w.time()
	s.down.Store(true)
	s.lay(t, "full.crl", w.authority.ListOf(pki.ListTemplate{Number: big.NewInt(1), ThisUpdate: now.Add(-5 * time.Hour), NextUpdate: now.AddDate(0, 0, 6)}))
	s.lay(t, "delta.crl", w.authority.ListOf(pki.ListTemplate{Number: big.NewInt(2), BaseNumber: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(11 * time.Hour)}))
	b := w.browser()
	b.begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2")
	b.get(strings.TrimSuffix(b.path, "2") + "1").at("/1").says("Что проверено").says("Кто ответил список отозванных сертификатов").
		says("Сведения от " + lang.RU.DateTime(now.Add(-5*time.Hour))).says("Список изменений от " + lang.RU.DateTime(now.Add(-time.Hour))).says("Номер списка изменений 2")
	for _, rule := range []string{"G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9"} {
		if !strings.Contains(b.page, `data-rule="`+rule+`" data-verdict="good"`) {
			t.Errorf("%s is not shown as passed", rule)
		}
	}
}

// P-24: a classic sign-in key opens the portal and signs nothing; a modern key without clientAuth does both.
func TestP24SignInThenSign(t *testing.T) {
	w := newWorld(t)
	h := pkitest.Member(pki.RoleFirstHead)
	h.IIN, h.BIN = iinB, binX
	_, signIn := w.authority.ClassicPair(h)
	modern := w.head(iinB, binX)
	w.individual(iinB, "ТЕСТОВ ТЕСТ", "b@example.kz")
	w.heads(iinA, iinB)
	for name, key := range map[string]*pkitest.Leaf{"AUTH_RSA256": signIn, "GOST512": modern} {
		b := w.browser()
		b.get("/login").sign(key).at("/login/password")
		if b.begin(participant.LegalEntity).sign(modern).at("/2"); name == "AUTH_RSA256" {
			b.post(b.path, "current", passC).at("/3").sign(key).refused("CERT_NOT_FOR_SIGNING").says("GOST512_")
			continue
		}
		b.post(b.path, "current", passC).at("/3").sign(key).at("/4")
	}
}

// taxpayers loads the register of taxpayers.
func (w *world) taxpayers(all ...registry.Taxpayer) {
	w.t.Helper()
	w.loads++
	w.load(registry.Batch{Source: registry.SourceTax, Full: true, AsOf: w.time().Add(-time.Hour).Add(time.Duration(w.loads) * time.Second), Operator: "system", Taxpayers: all})
}

// finish signs step 3, follows the letter and gives the password.
func (b *browser) finish(key *pkitest.Leaf, password string) *browser {
	b.w.t.Helper()
	return b.at("/3").sign(key).at("/4").follow().sign(key).at("/login/password").post("/login/password", "password", password)
}

// Who trades in his own name registers by the register of taxpayers, with his personal key.
func TestSoleProprietor(t *testing.T) {
	w := newWorld(t)
	key := w.personal(iinB)
	b := w.browser()
	b.begin(participant.SoleProprietor).sign(key).refused("CHECK_UNAVAILABLE").says("реестр налогоплательщиков") // never loaded: unknown, not "no"
	w.taxpayers(registry.Taxpayer{TIN: iinC, Type: registry.TaxIndividual, IPFrom: "2020-01-01", IPTo: "2021-01-01"})
	b.post(b.path, "act", "recheck").refused("TAXPAYER_UNKNOWN")
	w.browser().begin(participant.SoleProprietor).sign(w.personal(iinC)).refused("NOT_ENTREPRENEUR").says("По реестру вы не действующий")
	w.browser().begin(participant.SoleProprietor).sign(w.head(iinB, binX)).refused("CERT_NOT_PERSONAL")
	w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxEntrepreneur, NameRU: "ИП ТЕСТОВ", IPFrom: "2020-01-01", VATFrom: "2021-01-01", Blocked: true, BlockReason: "нет отчётов"})
	b.post(b.path, "act", "recheck").refused("ENTERPRISE_BLOCKED").says("нет отчётов")
	w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxEntrepreneur, NameRU: "ИП ТЕСТОВ", IPFrom: "2020-01-01", VATFrom: "2021-01-01"})
	b.post(b.path, "act", "recheck").at("/2").says("ИП ТЕСТОВ").says("плательщик НДС").says("данные на")
	b.fill("b@example.kz", passB).finish(key, passB).at("/me?done=1").says("ИП ТЕСТОВ").says("Индивидуальный предприниматель").says("Пользователи предприятия")
	all, err := w.office.Profiles(t.Context(), iinB)
	w.must(err)
	if len(all) != 1 || all[0].Type != participant.TypeEntrepreneur || all[0].TIN != iinB {
		t.Fatalf("profiles: %+v", all)
	}
	w.browser().begin(participant.SoleProprietor).sign(key).refused("ALREADY_REGISTERED")

	// He invites with his personal key, and the invited person acts by a personal key too.
	w.individual(iinC, "СЕРИКОВА АЙГУЛЬ", "c@example.kz")
	b.fillInvite(0, 30).says("Проверьте и подпишите").sign(key).says("Приглашение отправлено")
	c := w.browser()
	c.get(w.path("N-24")).acceptAs(w.personal(iinC)).says("Приглашение принято")
	all, err = w.office.Profiles(t.Context(), iinC)
	w.must(err)
	if !slices.ContainsFunc(all, func(p participant.Profile) bool {
		return p.Type == participant.TypeEntrepreneurUser && p.TIN == iinB && p.Allowed("", w.time()) == ""
	}) {
		t.Errorf("profiles of the invited person: %+v", all)
	}
}

// A private practitioner gets the type of his profession.
func TestPrivatePractice(t *testing.T) {
	for practice, want := range map[registry.Practice]participant.ProfileType{registry.Lawyer: participant.TypeLawyer, registry.Bailiff: participant.TypeBailiff,
		registry.Mediator: participant.TypeMediator, registry.Notary: participant.TypeNotary} {
		w := newWorld(t)
		key := w.personal(iinB)
		w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxIndividual, NameRU: "ТЕСТОВ ТЕСТ"})
		b := w.browser()
		b.begin(participant.PrivatePractice).sign(key).refused("NOT_PRACTITIONER")
		w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxIndividual, NameRU: "ТЕСТОВ ТЕСТ", Practice: practice})
		b.post(b.path, "act", "recheck").at("/2").says("Профессия")
		b.fill("b@example.kz", passB).finish(key, passB).at("/me?done=1")
		all, err := w.office.Profiles(t.Context(), iinB)
		w.must(err)
		if len(all) != 1 || all[0].Type != want {
			t.Errorf("%s: %+v", practice, all)
		}
	}
}

// Who changed his profession between step 1 and the link gets the type that the gate found last: what the evidence says.
func TestPracticeChangedBeforeTheLink(t *testing.T) {
	w := newWorld(t)
	key := w.personal(iinB)
	practises := func(p registry.Practice) {
		w.taxpayers(registry.Taxpayer{TIN: iinB, Type: registry.TaxIndividual, NameRU: "ТЕСТОВ ТЕСТ", Practice: p})
	}
	practises(registry.Lawyer)
	b := w.browser()
	b.begin(participant.PrivatePractice).sign(key).at("/2")
	practises(registry.Notary)
	b.fill("b@example.kz", passB).finish(key, passB).at("/me?done=1")
	if all, err := w.office.Profiles(t.Context(), iinB); err != nil || len(all) != 1 || all[0].Type != participant.TypeNotary {
		t.Errorf("%+v, %v", all, err)
	}
}

// An individual who is excluded or dead is refused; the unit's head carries one of the roles of the
// setting, and its head office is linked.
func TestCategoryConditions(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.UnitRoles = []pki.Role{pki.RoleFirstHead, pki.RoleSignRight} })
	w.load(registry.Batch{Source: registry.SourcePersons, Full: true, AsOf: w.time().Add(-time.Minute), Operator: "system", Persons: []registry.Person{
		{IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ", Excluded: true}, {IIN: iinC, Surname: "СЕРИКОВА", Name: "АЙГУЛЬ", Dead: true}}})
	w.browser().begin(participant.Individual).sign(w.personal(iinB)).refused("PERSON_EXCLUDED")
	w.browser().begin(participant.Individual).sign(w.personal(iinC)).refused("PERSON_EXCLUDED")

	w.load(registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: w.time().Add(-time.Minute), Operator: "system",
		Entities: []registry.LegalEntity{{BIN: binX, Kind: registry.LE, NameRU: "АО «ТЕСТ»", Status: registry.Active, Registered: "2012-04-05"},
			{BIN: binUnit, Kind: registry.Branch, NameRU: "Филиал АО «ТЕСТ»", Status: registry.Active, Registered: "2014-01-10", HeadBIN: binX}},
		Leaders: []registry.Leader{{BIN: binX, IIN: iinA, Surname: "ТЕСТТОВ", AppointedOn: "2020-06-01"}, {BIN: binUnit, IIN: iinB, Surname: "ТЕСТОВ", AppointedOn: "2020-06-01"}}})
	w.browser().begin(participant.StructuralUnit).sign(w.issue(iinB, binUnit, pki.RoleEmployee, nil)).refused("CERT_NO_HEAD_ROLE")
	key := w.issue(iinB, binUnit, pki.RoleSignRight, nil)
	w.browser().begin(participant.LegalEntity).sign(key).refused("CERT_NO_HEAD_ROLE")
	b := w.browser()
	b.begin(participant.StructuralUnit).sign(key).at("/2").says("БИН головной организации").says(pretty(binX))
	b.fill("b@example.kz", passB).finish(key, passB).at("/me?done=1")
	var e participant.Enterprise
	w.must(w.store.Participant().View(t.Context(), func(tx participant.Tx) (err error) { e, err = tx.Enterprise(t.Context(), binUnit); return err }))
	if e.HeadOffice != binX || e.Category != participant.StructuralUnit {
		t.Errorf("unit: %+v", e)
	}
}

func pretty(n string) string { return n[:3] + " " + n[3:6] + " " + n[6:9] + " " + n[9:] }

// rereg.block_previous_at agreement: the previous head loses his profile at step 3; he is told once, and the
// completion still says that the head changed.
func TestBlockAtAgreement(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.BlockPreviousAt = participant.AtAgreement })
	a := w.browser()
	a.login(w.head(iinA, binX), passA).at("/me")
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB)
	if s := w.statusOf(iinA, binX); s != participant.HeadChangeBlocked || w.statusOf(iinA, binY) != participant.Active {
		t.Errorf("A is %s in X, %s in Y", s, w.statusOf(iinA, binY))
	}
	a.get("/me").closed("SESSION_HEAD")
	if w.audited("head.changed") != 0 {
		t.Error("the head changed before the registration was completed")
	}
	b.follow().sign(w.head(iinB, binX)).at("/login/password").post("/login/password", "password", passB).at("/me?done=1")
	if w.audited("head.changed") != 1 || w.count("N-06") != 1 || w.count("N-08") != 1 {
		t.Errorf("head.changed %d, N-06 %d, N-08 %d", w.audited("head.changed"), w.count("N-06"), w.count("N-08"))
	}
}

// A registration is given up by its person: the link is stale, nothing of it stays.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	w.heads(iinA, iinB)
	b := w.browser()
	w.register(b, "b@example.kz", passB).says("Отменить регистрацию")
	step4 := b.path
	w.browser().post(strings.TrimSuffix(step4, "4") + "cancel").refused("DRAFT_OTHER_BROWSER")
	b.post(strings.TrimSuffix(step4, "4") + "cancel").at("/register")
	b.get(step4).refused("DRAFT_OTHER_BROWSER")
	w.browser().follow().refused("LINK_STALE")
	w.browser().get("/login").sign(w.personal(iinB)).refused("NOT_REGISTERED")
}

// R1, R2 and section 9: every cause has a next step, and none is told to who proved nothing.
func TestCauses(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.LegalEntity).silentAbout("уже зарегистрировано", "АО «ТЕСТ»").says("пока неизвестно")
	if strings.Count(text(b.page), "пока неизвестно") != 4 {
		t.Error("the checklist claims something before anything is proved")
	}
	b.sign(w.head(iinB, binX)).refused("REGISTRY_OTHER_HEAD").says("Порядок при смене руководителя")
	for want, n := range map[string]int{"сделано": 1, "ещё нет": 2, "пока неизвестно": 1} { // his keys; load and registration; the application
		if got := strings.Count(text(b.page), want); got != n {
			t.Errorf("%q stands %d times, want %d", want, got, n)
		}
	}
	b = w.browser()
	b.begin(participant.LegalEntity).sign(w.issue(iinB, binX, pki.RoleFirstHead, func(s *pkitest.Spec) { s.Kind, s.Use = algid.RSA, pkitest.ClassicSignIn })).
		refused("CERT_NOT_FOR_SIGNING").silentAbout("уже зарегистрировано")
	if !strings.Contains(b.page, `data-rule="G6" data-verdict="unknown"`) {
		t.Error("a check that was not made is not shown as such")
	}
}
