package portal

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/dsig"
	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/registry"
	"senim/internal/state"
	"senim/internal/state/statetest"
	"senim/internal/store/storetest"
)

// live is a portal whose gate asks state services.
type live struct {
	*world
	gateway *statetest.Gateway
	alerts  *alerts
}

// newLive has the gateway's fake as the register of legal entities; set may change both configurations.
func newLive(t *testing.T, set func(*registry.Config, *state.Config)) live {
	t.Helper()
	l := live{alerts: &alerts{}}
	l.world = newWorldAsking(t, filepath.Join(t.TempDir(), "senim.db"), nil, func(*participant.Config) {}, func(w *world, c *registry.Config) {
		l.gateway = statetest.NewGateway(t, w.authority, w.time)
		gateway := l.gateway.Config()
		services := state.Config{Gateway: &gateway, Rules: rules(), Consents: w.store.StateConsents(), Audit: func(ctx context.Context, e audit.Event) error {
			return w.store.Registry().Update(ctx, func(tx registry.Tx) error { return tx.Audit(ctx, e) })
		}, Hash: w.store.Hash, Log: l.alerts.logger(), Now: w.time, Bounds: state.Bounds{Whole: 5 * time.Second, Backoff: [2]time.Duration{time.Millisecond, time.Millisecond}}}
		gateway.Person = "" // the last load answers
		if set != nil {
			set(c, &services)
		}
		asked, err := state.New(services)
		w.must(err)
		c.Live = asked
	})
	l.says(iinB, "2026-02-27")
	return l
}

// says makes the register of legal entities name a head of X.
func (l live) says(iin, appointed string) {
	l.gateway.Put("GBDULINFO", binX, statetest.Organisation{BIN: binX, Leader: iin, Appointed: appointed}.Document())
}

// gate is what the portal says to B, who chose his key of X.
func (l live) gate() *browser {
	return l.browser().begin(participant.LegalEntity).sign(l.head(iinB, binX))
}

// closed checks that the gate stayed closed for want of an answer, and returns what the page says first.
func (l live) closed(b *browser) string {
	l.t.Helper()
	b.refused("CHECK_UNAVAILABLE")
	_, said, found := strings.Cut(text(b.page), "Не удалось проверить:")
	if !found {
		l.t.Errorf("does not say what could not be checked:\n%s", text(b.page))
	}
	said, _, _ = strings.Cut(said, " Кто ответил")
	return said
}

// The load says A, the live register says B: B passes, and the page says whence it is known.
func TestLiveFirst(t *testing.T) {
	l := newLive(t, nil)
	b := l.gate().at("/2")
	b.says("ГБД ЮЛ, ответ сервиса 01.09.2026 15:00").says("исправляют в органах юстиции")
	if l.gateway.Asked() == 0 {
		t.Error("nobody was asked")
	}
	l.says(iinC, "2026-03-01")
	l.gate().refused("REGISTRY_OTHER_HEAD").silentAbout(iinC, "СКРЫТАЯ")
}

// purposes counts for what state services were asked, as the audit tells it.
func (w *world) purposes() map[string]int {
	w.t.Helper()
	all, err := w.store.AuditRecords(w.t.Context(), w.store.Node(), 0, 1000)
	w.must(err)
	n := map[string]int{}
	for _, r := range all {
		if r.Action == "registry.answer.given" {
			n[r.Detail["purpose"]]++
		}
	}
	return n
}

// A state service is asked for what it is: an enterprise that has a head here is registered again, one that has none is
// registered, and «Мои реквизиты», which open no gate, ask nobody.
func TestPurposeOfTheQuestion(t *testing.T) {
	l := newLive(t, nil)
	l.gate().at("/2")
	if n := l.purposes(); n["reregister"] == 0 || len(n) != 1 {
		t.Errorf("a change of head is asked about for %v", n)
	}
	const binNew = "009940000006"
	before := l.purposes()["reregister"]
	l.gateway.Put("GBDULINFO", binNew, statetest.Organisation{BIN: binNew, Leader: iinB, Appointed: "2026-02-27"}.Document())
	l.browser().begin(participant.LegalEntity).sign(l.head(iinB, binNew)).at("/2")
	if n := l.purposes(); n["register"] == 0 || n["reregister"] != before || len(n) != 2 {
		t.Errorf("a first registration is asked about for %v", n)
	}
	profiles, err := l.office.Profiles(t.Context(), iinA)
	l.must(err)
	l.office.Facts(t.Context(), profiles[0])
	if n := l.purposes(); len(n) != 2 || n["reregister"] != before {
		t.Errorf("a profile is looked at for %v", n)
	}
	for _, r := range l.records("registry.answer.given") { // registries.md section 12: who asked
		if r.Actor != l.store.Hash(iinB) {
			t.Errorf("%s asked, want B", r.Actor)
		}
	}
}

// Each way in which the register of legal entities may fail leaves the gate closed, in words of its own.
func TestR16GateStaysClosed(t *testing.T) {
	texts := map[string]string{}
	for name, twist := range map[string]func(*statetest.Answer){
		"fault": func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, http.StatusInternalServerError },
		"HTML":  func(a *statetest.Answer) { a.Raw = "<!DOCTYPE html><html>" },
		"signature": func(a *statetest.Answer) {
			a.Change = func(s string) string { return strings.Replace(s, iinB, iinC, 1) }
		},
		"silence": func(a *statetest.Answer) { a.Silence = time.Minute },
	} {
		l := newLive(t, func(_ *registry.Config, c *state.Config) {
			if name == "silence" {
				c.Bounds.Whole = 100 * time.Millisecond
			}
		})
		l.gateway.Twist(twist)
		said := l.closed(l.gate())
		if other, ok := texts[said]; ok {
			t.Errorf("%s and %s say the same: %s", name, other, said)
		}
		texts[said] = name
		l.gateway.Twist(nil)
		l.gate().at("/2") // and the same key passes when the answer is good
	}
}

// The gate asks about the organisation and its head in one question; «Мои реквизиты» asks nobody, and shows the last
// load while the service is silent.
func TestStateIsAskedForGatesAlone(t *testing.T) {
	l := newLive(t, nil)
	l.gate().at("/2")
	if n := l.gateway.Asked(); n != 1 {
		t.Errorf("the gate asked %d times", n)
	}
	l.gateway.Twist(func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, http.StatusInternalServerError })
	b := l.browser()
	b.login(l.head(iinA, binX), passA).at("/me").says("ГБД ЮЛ, данные на").says("АО «ТЕСТ»")
	b.get("/me").at("/me")
	if n := l.gateway.Asked(); n != 1 {
		t.Errorf("a page asked: %d questions by now", n)
	}
}

func TestR17AnotherBIN(t *testing.T) {
	l := newLive(t, nil)
	l.gateway.Put("GBDULINFO", binX, statetest.Organisation{BIN: binY, Leader: iinB, Appointed: "2026-02-27"}.Document())
	if said := l.closed(l.gate()); !strings.Contains(said, "о другом номере") || !l.alerts.raised() {
		t.Errorf("%q, alert %v", said, l.alerts.raised())
	}
}

func TestR33ReplayedAnswer(t *testing.T) {
	l := newLive(t, nil)
	l.gate().at("/2")
	recorded := l.gateway.Last()
	l.pass(24 * time.Hour)
	l.gateway.Twist(func(a *statetest.Answer) { a.Raw = recorded })
	if said := l.closed(l.gate()); !strings.Contains(said, "дан раньше") || !l.alerts.raised() {
		t.Errorf("%q, alert %v", said, l.alerts.raised())
	}
	l.gateway.Twist(func(a *statetest.Answer) { a.At = a.At.AddDate(0, 0, -1) }) // another number, an old date
	if said := l.closed(l.gate()); !strings.Contains(said, "дан раньше") {
		t.Error(said)
	}
}

// An answer that names a file or an address to read: nothing is read, nobody is asked.
func TestR27Doctype(t *testing.T) {
	l := newLive(t, nil)
	before := l.gateway.Asked()
	l.gateway.Twist(func(a *statetest.Answer) {
		a.Change = func(s string) string {
			return `<!DOCTYPE x [<!ENTITY e SYSTEM "` + l.gateway.URL + `">]>` + s[strings.Index(s, "<soap:Envelope"):]
		}
	})
	l.closed(l.gate())
	if n := l.gateway.Asked() - before; n > 2 { // entity and head
		t.Errorf("%d questions", n)
	}
	if _, err := dsig.Parse([]byte(`<!DOCTYPE x><x/>`)); err == nil {
		t.Error("a DOCTYPE is read")
	}
}

func TestR18NoDayOfAppointment(t *testing.T) {
	l := newLive(t, nil)
	l.says(iinB, "")
	if said := l.closed(l.gate()); !strings.Contains(said, "дату назначения") {
		t.Error(said)
	}
	l = newLive(t, func(c *registry.Config, _ *state.Config) { c.AllowNoAppointmentDate = true })
	l.says(iinB, "")
	b := l.gate().at("/2")
	var e participant.Evidence
	l.must(l.store.Participant().View(t.Context(), func(tx participant.Tx) error {
		r, err := tx.Registration(t.Context(), strings.Split(b.path, "/")[2])
		if err == nil {
			e, err = tx.Evidence(t.Context(), r.Evidence)
		}
		return err
	}))
	if k, _ := e.Find("G7"); k.Evidence["warning"] != registry.NoAppointmentDate {
		t.Errorf("the evidence has no flag: %+v", e)
	}
}

func TestR19AppointedTomorrow(t *testing.T) {
	l := newLive(t, nil)
	l.says(iinB, string(registry.DateOf(l.time().AddDate(0, 0, 1))))
	l.gate().refused("REGISTRY_HEAD_FUTURE")
}

// Open data name the person head; the gate does not ask them.
func TestR22OpenDataAreNotAsked(t *testing.T) {
	open := statetest.NewOpen(t)
	open.Say("/stat", `{"success":true,"obj":{"bin":"`+binX+`","name":"АО «ТЕСТ»","fio":"ТЕСТОВ ТЕСТ"}}`)
	l := newLive(t, func(_ *registry.Config, c *state.Config) { c.Open = open.Open() })
	l.gateway.Put("GBDULINFO", binX, statetest.Organisation{BIN: binX}.Document())
	l.gate().refused("REGISTRY_NO_HEAD")
	l.gateway.Twist(func(a *statetest.Answer) { a.Status, a.Raw = http.StatusBadGateway, "x" })
	l.closed(l.gate())
	if open.Asked() != 0 {
		t.Error("open data were asked")
	}
}

// The clerks say A from a later day than the register's B: nobody passes, and both dates are shown.
func TestR23SourcesDisagree(t *testing.T) {
	l := newLive(t, nil)
	l.load(registry.Batch{Source: registry.SourceClerk, AsOf: l.time(), Operator: "system",
		Leaders: []registry.Leader{{BIN: binX, IIN: iinA, Surname: "ТЕСТТОВ", Position: "Директор", AppointedOn: "2026-03-01"}}})
	l.gate().refused("SOURCES_DISAGREE").says("ГБД ЮЛ").says("Запись регистратора").says("01.09.2026 15:00")
	l.says(iinA, "2026-03-01")
	l.gate().refused("REGISTRY_OTHER_HEAD")
}

// Where the state's register was never loaded, a clerk's row about X makes no other number unknown to the state.
func TestClerksRowIsNoRegister(t *testing.T) {
	for _, bin := range []string{binX, binY} {
		w := newWorldWith(t, func(c *participant.Config) {
			book, err := registry.New(registry.Config{Store: storetest.SQLite(t).Registry(), Rules: rules(), Now: c.Now})
			if err == nil {
				_, _, err = book.Load(t.Context(), registry.Batch{Source: registry.SourceClerk, AsOf: c.Now(), Operator: "system",
					Leaders: []registry.Leader{{BIN: binX, IIN: iinB, Surname: "ТЕСТОВ", Position: "Директор", AppointedOn: "2026-02-27"}}})
			}
			if err != nil {
				t.Fatal(err)
			}
			c.Registry, c.Again = book, book
		})
		w.browser().begin(participant.LegalEntity).sign(w.head(iinB, bin)).refused("CHECK_UNAVAILABLE")
	}
}

// The last load is eight days old.
func TestR15OldLoad(t *testing.T) {
	w := newWorld(t)
	w.heads(iinB, "")
	w.pass(8 * 24 * time.Hour)
	b := w.browser().begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("CHECK_UNAVAILABLE")
	b.says("данные ГБД ЮЛ слишком старые, последние на 01.09.2026")
}

func TestR25HeadOfficeUnknown(t *testing.T) {
	const office = "009940000006"
	w := newWorld(t)
	unit := func(head ident.BIN, more ...registry.LegalEntity) {
		w.loads++
		w.load(registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: w.time().Add(-time.Hour).Add(time.Duration(w.loads) * time.Second), Operator: "system",
			Entities: append(more, registry.LegalEntity{BIN: binUnit, Kind: registry.Branch, NameRU: "Филиал", Status: registry.Active, Registered: "2014-01-10", HeadBIN: head}),
			Leaders:  []registry.Leader{{BIN: binUnit, IIN: iinB, Surname: "ТЕСТОВ", Name: "ТЕСТ", AppointedOn: "2020-06-01"}}})
	}
	sign := func() *browser {
		return w.browser().begin(participant.StructuralUnit).sign(w.head(iinB, binUnit))
	}
	unit("")
	sign().refused("ENTERPRISE_UNKNOWN").says("не указана головная организация")
	unit(office)
	sign().refused("ENTERPRISE_UNKNOWN").says("Головной организации нет в реестре: БИН 009 940 000 006")
	unit(office, registry.LegalEntity{BIN: office, Kind: registry.LE, NameRU: "АО", Status: registry.Active, Registered: "2014-01-10"})
	sign().at("/2")
}

func TestR02TestIdentity(t *testing.T) {
	w := newWorldWith(t, func(c *participant.Config) { c.Rules = ident.Rules{} })
	w.heads(iinB, "")
	w.browser().begin(participant.LegalEntity).sign(w.head(iinB, binX)).refused("NUMBER_INVALID")
	w = newWorld(t)
	w.heads(iinB, "")
	b := w.browser().begin(participant.LegalEntity).sign(w.head(iinB, binX)).at("/2")
	if n := strings.Count(b.page, ">ТЕСТ</strong>"); n != 2 { // beside the BIN and the IIN
		t.Errorf("%d marks:\n%s", n, text(b.page))
	}
}

// what people type. A test number off the list, a wrong check digit and what is no number are refused in the
// same words; on the list it is taken.
func TestR02R04TypedNumbers(t *testing.T) {
	const says = "Проверьте номер: ошибка в контрольной цифре"
	w := newWorld(t)
	head := w.browser()
	head.login(w.head(iinA, binX), passA).at("/me")
	b := w.browser()
	for _, typed := range []string{"009940000007", "12345678901", "1234567890111", "١٢٣٤٥٦٧٨٩٠١١", "12345678901О"} {
		b.wrong("/login/change-email", "iin", typed, "email", "new@example.kz", "email2", "new@example.kz").says(says)
		b.wrong("/login/reset-password", "iin", typed, "email", "a@example.kz").says(says)
		if head.fillInvite(0, 30, "iin", typed).says(says); head.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", typed, head.status)
		}
	}
	b.post("/login/change-email", "iin", iinB, "email", "new@example.kz", "email2", "new@example.kz").at("/login/change-email/sign")
	w = newWorldWith(t, func(c *participant.Config) { c.Rules = ident.Rules{} })
	w.browser().wrong("/login/change-email", "iin", iinB, "email", "new@example.kz", "email2", "new@example.kz").says(says)
}

// Wednesday's load is missing at noon; on Friday every page says so.
func TestR14LoadMissing(t *testing.T) {
	w := newWorld(t)
	noon := func(day int) {
		w.mu.Lock()
		w.now = time.Date(2026, 9, day, 12, 0, 0, 0, lang.Astana)
		w.mu.Unlock()
	}
	noon(7) // a Monday
	w.heads(iinB, "")
	b := w.browser()
	b.get("/registry-status").says("принята 07.09.2026 12:00").says("вовремя").says("Следующая загрузка ср 09.09.2026, 06:00")
	noon(9)
	b.get("/registry-status").says("принята 07.09.2026 12:00").says("ожидалась ср 09.09.2026, 06:00, задерживается").says("Следующая загрузка пт 11.09.2026, 06:00")
	legal := b.page[strings.Index(b.page, `data-source="gbdul"`):]
	if got := text(legal[:strings.Index(legal, "</section>")]); !strings.Contains(got, "задерживается") || !strings.Contains(got, "(полная загрузка)") {
		t.Errorf("%s", got)
	}
	b.says("ещё не загружался") // the tax committee
	noon(11)
	b.get("/login").says("ГБД ЮЛ: загрузка ожидалась пт 11.09.2026, 06:00, задерживается").says("Когда обновлены реестры")
	w.heads(iinB, "")
	w.load(registry.Batch{Source: registry.SourcePersons, Full: true, AsOf: w.time(), Operator: "system", Persons: []registry.Person{{IIN: iinA, Surname: "ТЕСТТОВ"}}})
	w.pass(2 * time.Minute)
	b.get("/login").silentAbout("задерживается")
}

// Days of calendar.csv are no slots, or further ones.
func TestR14Exceptions(t *testing.T) {
	w := newWorldAsking(t, filepath.Join(t.TempDir(), "senim.db"), nil, func(*participant.Config) {}, func(_ *world, c *registry.Config) {
		c.Calendar.Exceptions = []registry.CalendarDay{{Date: "2026-09-02"}, {Date: "2026-09-03", Source: registry.SourcePersons, Load: true}}
	})
	w.pass(24 * time.Hour) // to Wednesday afternoon
	all, err := w.book.Sources(t.Context())
	w.must(err)
	for i, want := range []string{"2026-09-04", "2026-09-03"} {
		if all[i].Missed != 0 || registry.DateOf(all[i].Next) != registry.Date(want) {
			t.Errorf("%+v", all[i])
		}
	}
}

// A service that is switched off leaves its questions to the last load.
func TestLiveOff(t *testing.T) {
	l := newLive(t, func(_ *registry.Config, c *state.Config) { c.Gateway.Legal = "" })
	l.heads(iinB, "")
	l.gate().at("/2").says("загрузка № ")
	if l.gateway.Asked() != 0 {
		t.Error("the gateway was asked")
	}
	a := l.book.Head(t.Context(), binX, l.time()) // nor does a book without a purpose ask
	if a.Verdict != registry.Good || a.LoadID == "" || errors.Is(a.Err, context.Canceled) {
		t.Errorf("%+v", a)
	}
}

// Letters go on by the last load when a service is silent; a gate does not.
func TestSilenceByPurpose(t *testing.T) {
	l := newLive(t, nil)
	l.gateway.Twist(func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, http.StatusInternalServerError })
	if a := l.book.For(registry.ForNotify).Head(t.Context(), binX, l.time()); a.Verdict != registry.Good || a.Value.Leader.IIN != iinA || a.LoadID == "" {
		t.Errorf("%+v", a)
	}
	for _, gate := range []registry.Purpose{registry.ForRegister, registry.ForReregister, registry.ForKey} {
		if a := l.book.For(gate).Head(t.Context(), binX, l.time()); a.Verdict != registry.Unknown || a.Value.Leader.IIN != "" {
			t.Errorf("%s: %+v", gate, a)
		}
	}
	l.gateway.Twist(nil)
	before := l.gateway.Asked()
	if a := l.book.For(registry.ForKey).Head(t.Context(), binX, l.time().AddDate(0, 0, -2)); a.LoadID == "" || l.gateway.Asked() != before {
		t.Errorf("the past is of the loads: %+v", a)
	}
}

// Without the person's consent the register of persons is not asked; the load answers, or it is said what is wanted.
func TestConsentNeeded(t *testing.T) {
	l := newLive(t, func(_ *registry.Config, c *state.Config) { c.Gateway.Person, c.Gateway.Access = "GBDFLINFO", "" })
	if a := l.book.For(registry.ForKey).Person(t.Context(), iinB); a.Verdict != registry.Good || a.LoadID == "" || l.gateway.Asked() != 0 {
		t.Errorf("%+v", a)
	}
	l.pass(8 * 24 * time.Hour)
	if a := l.book.For(registry.ForKey).Person(t.Context(), iinB); a.Verdict != registry.Unknown || a.Code != registry.ConsentNeeded {
		t.Errorf("%+v", a)
	}
}

// A unit's head office is asked about where the unit is.
func TestR25LiveHeadOffice(t *testing.T) {
	const office = "009940000006"
	l := newLive(t, nil)
	l.gateway.Put("GBDULINFO", binUnit, statetest.Organisation{BIN: binUnit, HeadBIN: office, Leader: iinB, Appointed: "2020-06-01"}.Document())
	sign := func() *browser {
		return l.browser().begin(participant.StructuralUnit).sign(l.head(iinB, binUnit))
	}
	sign().refused("ENTERPRISE_UNKNOWN").says("БИН 009 940 000 006")
	l.gateway.Put("GBDULINFO", office, statetest.Organisation{BIN: office}.Document())
	sign().at("/2")
	l.gateway.Twist(func(a *statetest.Answer) {
		if a.Number == office {
			a.Code = "SCE001"
		}
	})
	sign().refused("CHECK_UNAVAILABLE")
}

// The tax committee fails: unknown, and not "not registered". When it answers, what only the load knows stays.
func TestR21TaxCommitteeFails(t *testing.T) {
	const notary = "009900000008" // a number by which a person can be told from an organisation
	tax := statetest.NewTax(t)
	l := newLive(t, func(_ *registry.Config, c *state.Config) { c.Tax = tax.Tax() })
	ask := func() registry.Answer[registry.Taxpayer] {
		return l.book.For(registry.ForRegister).Taxpayer(t.Context(), notary)
	}
	tax.Say(statetest.TaxData, `{"errorResponse":{"code":"1","taxpayerType":"IP","messageResult":"FAILED","errorMessage":"x"}}`)
	if a := ask(); a.Verdict != registry.Unknown || a.Code != state.Failed {
		t.Errorf("%+v", a)
	}
	tax.Say(statetest.TaxData, `{"taxpayerPortalSearchResponses":[{"code":"`+notary+`","name":"ИП","taxpayerType":"IP","messageResult":"SUCCESS","beginDate":"2020-02-03","endDate":null}]}`)
	today := registry.DateOf(l.time())
	if a := ask(); a.Verdict != registry.Good || !a.Value.SoleProprietor(today) || !a.Value.Partial {
		t.Errorf("%+v", a)
	}
	l.load(registry.Batch{Source: registry.SourceTax, Full: true, AsOf: l.time().Add(-time.Hour), Operator: "system", Taxpayers: []registry.Taxpayer{
		{TIN: notary, Type: registry.TaxIndividual, Practice: registry.Notary, VATFrom: "2021-01-01", VATSeries: "1", VATNumber: "2"}}})
	if a := ask(); a.Verdict != registry.Good || !a.Value.SoleProprietor(today) || a.Value.Partial || a.Value.Practice != registry.Notary || a.Value.VATPayer(today) || a.Value.VATNumber != "" {
		t.Errorf("%+v", a)
	}
}
