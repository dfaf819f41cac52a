package state_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/dsig"
	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/state"
	"senim/internal/state/statetest"
	"senim/internal/store"
	"senim/internal/store/storetest"
)

const (
	company, other = "180140005198", "000740000728"
	man            = "009900000008"
)

// world is the services over the fakes.
type world struct {
	*state.Services
	t         *testing.T
	authority *pkitest.Authority
	gateway   *statetest.Gateway
	tax, open *statetest.HTTP

	mu     sync.Mutex
	now    time.Time     // under mu
	events []audit.Event // under mu
	refuse error         // under mu: of the audit
	log    bytes.Buffer  // under mu
}

func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
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

func (w *world) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) record(_ context.Context, e audit.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := errors.Join(w.refuse, e.Check()); err != nil {
		return err
	}
	w.events = append(w.events, e)
	return nil
}

func (w *world) count(action string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Action == action {
			n++
		}
	}
	return n
}

func newWorld(t *testing.T, set func(*state.Config)) *world {
	t.Helper()
	w := &world{t: t, authority: pkitest.New(t)}
	w.now = w.authority.Now
	w.gateway = statetest.NewGateway(t, w.authority, w.time)
	w.tax, w.open = statetest.NewTax(t), statetest.NewOpen(t)
	gateway := w.gateway.Config()
	w.gateway.Consent(man, "token of the man")
	c := state.Config{Gateway: &gateway, Tax: w.tax.Tax(), Open: w.open.Open(), Audit: w.record, Hash: func(string) string { return "keyed-hash" },
		Consents: storetest.Open(t, store.Config{URL: t.TempDir() + "/senim.db", Now: w.time}).StateConsents(), Log: slog.New(slog.NewTextHandler(w, nil)), Now: w.time,
		Bounds: state.Bounds{Whole: 5 * time.Second, Backoff: [2]time.Duration{time.Millisecond, time.Millisecond}, Rate: 10000}}
	if set != nil {
		set(&c)
	}
	var err error
	if w.Services, err = state.New(c); err != nil {
		t.Fatal(err)
	}
	w.gateway.Put("GBDULINFO", company, statetest.Organisation{BIN: company, Leader: man, Appointed: "2026-02-27"}.Document())
	return w
}

func (w *world) legal() registry.Answer[registry.Legal] {
	return w.Legal(w.t.Context(), registry.ForRegister, company)
}

func TestLegal(t *testing.T) {
	w := newWorld(t, nil)
	for name, twist := range map[string]func(*statetest.Answer){
		"a text": nil, "an element": func(a *statetest.Answer) { a.Element = true }, "signed by the register too": func(a *statetest.Answer) { a.SignData = true },
		"no correlation": func(a *statetest.Answer) { a.Correlation = "" },
		"the newer bridge": func(a *statetest.Answer) {
			a.Data = statetest.Organisation{BIN: company, Leader: man, Appointed: "2026-02-27+05:00", Bridge: true}.Document()
		},
		"a moment of the evening before": func(a *statetest.Answer) {
			a.Data = statetest.Organisation{BIN: company, Leader: man, Appointed: "2026-02-26T19:00:00.000+0000", Bridge: true}.Document()
		},
	} {
		w.gateway.Twist(twist)
		a := w.legal()
		e, l := a.Value.Entity, a.Value.Leader
		if a.Verdict != registry.Good || a.Code != "" || a.Source != registry.SourceLegal || !a.AsOf.Equal(w.time()) ||
			e.BIN != company || e.Kind != registry.LE || e.NameRU != "АО «ТЕСТ»" || e.NameKK != "«ТЕСТ» АҚ" || e.Status != registry.Active || e.Registered != "2012-04-05" || e.Reregistered != "2026-02-27" || e.SuccessorBIN != "" ||
			l.IIN != man || l.AppointedOn != "2026-02-27" || l.DismissedOn != "" || l.Position != "Директор" || l.BIN != company {
			t.Errorf("%s: %+v", name, a)
		}
	}
	w.gateway.Twist(nil)
	if a := w.Legal(t.Context(), registry.ForRegister, other); a.Verdict != registry.Bad || a.Code != registry.EntityUnknown {
		t.Errorf("not registered: %+v", a)
	}
	for name, c := range map[string]struct {
		o      statetest.Organisation
		kind   registry.Kind
		status registry.Status
	}{
		"unit":       {statetest.Organisation{HeadBIN: other}, registry.Branch, registry.Active},
		"liquidated": {statetest.Organisation{Liquidated: "2026-01-31"}, registry.LE, registry.Liquidated},
	} {
		c.o.BIN = company
		w.gateway.Put("GBDULINFO", company, c.o.Document())
		a := w.legal()
		if a.Verdict != registry.Good || a.Value.Entity.Kind != c.kind || a.Value.Entity.Status != c.status || string(a.Value.Entity.HeadBIN) != c.o.HeadBIN || a.Value.Leader.IIN != "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// Who came after an organisation: one of a reorganisation, or who took over from a liquidated one. Of several none is
// the one, and what is no number is none.
func TestLegalSuccessor(t *testing.T) {
	w := newWorld(t, nil)
	const ul = "<BINReorganizationUl>" + other + "</BINReorganizationUl>"
	for says, want := range map[string]ident.BIN{
		"<ReorganizationBins>" + ul + "</ReorganizationBins>":                                   other,
		"<ReorganizationBins>" + ul + ul + "</ReorganizationBins>":                              "",
		"<ReorganizationBins><BINReorganizationUl>1</BINReorganizationUl></ReorganizationBins>": "",
		"<Liquidation><BinReceiver>" + other + "</BinReceiver></Liquidation>":                   other,
	} {
		w.gateway.Put("GBDULINFO", company, strings.Replace(statetest.Organisation{BIN: company}.Document(), "</Organization>", says+"</Organization>", 1))
		if a := w.legal(); a.Verdict != registry.Good || a.Value.Entity.SuccessorBIN != want {
			t.Errorf("%s: %s %s, successor %q", says, a.Verdict, a.Code, a.Value.Entity.SuccessorBIN)
		}
	}
}

// Every answer that must not be used, each with its own code; what somebody should look at raises an alert.
func TestR16ServiceAnswersWrongly(t *testing.T) {
	stranger := pkitest.New(t).InfoSystem()
	for name, c := range map[string]struct {
		twist func(*statetest.Answer)
		code  string
		alert bool
	}{
		"R-16 fault":                {func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, http.StatusInternalServerError }, state.Fault, false},
		"R-16 HTML":                 {func(a *statetest.Answer) { a.Raw = "<!DOCTYPE html><html><body>Вход</body></html>" }, state.Unreadable, false},
		"R-16 HTML without DOCTYPE": {func(a *statetest.Answer) { a.Raw = "<html><body>Вход<br/></body></html>" }, state.Unsigned, true},
		"R-16 broken signature": {func(a *statetest.Answer) {
			a.Change = func(s string) string { return strings.Replace(s, man, "009900000909", 1) }
		}, state.Unsigned, true},
		"R-16 unsigned": {func(a *statetest.Answer) {
			a.Change = func(s string) string {
				i, j := strings.Index(s, "<soap:Header>"), strings.Index(s, "</soap:Header>")
				return s[:i] + s[j+len("</soap:Header>"):]
			}
		}, state.Unsigned, true},
		"R-16 another signer": {func(a *statetest.Answer) { a.Signer = stranger }, state.Unsigned, true},
		"data of another signer": {func(a *statetest.Answer) {
			a.Data = signedBy(t, a.Data, stranger)
		}, state.Unsigned, true},
		"R-17 another BIN": {func(a *statetest.Answer) {
			a.Data = statetest.Organisation{BIN: other, Leader: man, Appointed: "2026-02-27"}.Document()
		}, state.OtherNumber, true},
		"R-33 yesterday":           {func(a *statetest.Answer) { a.At = a.At.AddDate(0, 0, -1) }, state.Stale, true},
		"R-33 tomorrow":            {func(a *statetest.Answer) { a.At = a.At.AddDate(0, 0, 1) }, state.Stale, true},
		"R-33 to another question": {func(a *statetest.Answer) { a.Correlation = "another" }, state.Stale, true},
		"status":                   {func(a *statetest.Answer) { a.Code = "SCE001" }, state.Status, false},
		"R-27 DOCTYPE": {func(a *statetest.Answer) {
			a.Change = func(s string) string {
				return `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + s[strings.Index(s, "<soap:Envelope"):]
			}
		}, state.Unreadable, false},
		"R-27 DOCTYPE in the data": {func(a *statetest.Answer) {
			a.Data = `<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1/">]>` + a.Data
		}, state.Unreadable, false},
		"empty":                                 {func(a *statetest.Answer) { a.Raw = " " }, state.Unreadable, false},
		"data of another register":              {func(a *statetest.Answer) { a.Data = statetest.NoPerson }, state.Unreadable, false},
		"an organisation and the code of none":  {func(a *statetest.Answer) { a.Data = strings.Replace(a.Data, "<Code>001<", "<Code>031<", 1) }, state.Unreadable, false},
		"no organisation and a code of success": {func(a *statetest.Answer) { a.Data = strings.Replace(statetest.Nobody, "031", "001", 1) }, state.Unreadable, false},
		"a status nobody configured": {func(a *statetest.Answer) {
			a.Data = statetest.Organisation{BIN: company, Status: "Иное"}.Document()
		}, state.Unreadable, false},
		"a date that is none": {func(a *statetest.Answer) {
			a.Data = strings.Replace(a.Data, "2026-02-27</IssueDate>", "27.02.2026</IssueDate>", 1)
		}, state.Unreadable, false},
		"a head's number with a wrong check digit": {func(a *statetest.Answer) { a.Data = strings.Replace(a.Data, man, "009900000001", 1) }, state.Unreadable, false},
		"a day of dismissal that stands twice": {func(a *statetest.Answer) {
			a.Data = strings.Replace(a.Data, "</Position><IIN>", "<LossDate>2026-01-01</LossDate><LossDate>2026-01-01</LossDate></Position><IIN>", 1)
		}, state.Unreadable, false},
		"a day of liquidation that stands twice": {func(a *statetest.Answer) {
			a.Data = strings.Replace(a.Data, "<FullNameRu>", "<LiquidationDate>2026-01-01</LiquidationDate><LiquidationDate>2026-01-01</LiquidationDate><FullNameRu>", 1)
		}, state.Unreadable, false},
		"two heads": {func(a *statetest.Answer) {
			i, j := strings.Index(a.Data, "<OrganizationLeader>"), strings.Index(a.Data, "</OrganizationLeader>")+len("</OrganizationLeader>")
			a.Data = a.Data[:j] + a.Data[i:j] + a.Data[j:]
		}, state.Unreadable, false},
		"a redirect":             {func(a *statetest.Answer) { a.Status, a.Raw = http.StatusFound, "<x/>" }, state.Failed, false},
		"unavailable":            {func(a *statetest.Answer) { a.Status, a.Raw = http.StatusBadGateway, "<html>" }, state.Failed, false},
		"too much":               {func(a *statetest.Answer) { a.Raw = strings.Repeat("<x/>", 1<<18) + "<x/>" }, state.Unreadable, false},
		"R-16 broken connection": {func(a *statetest.Answer) { a.Break = true }, state.Unreachable, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.gateway.Twist(c.twist)
			a := w.legal()
			if a.Verdict != registry.Unknown || a.Code != c.code || a.Value.Entity.BIN != "" || a.Value.Leader.IIN != "" {
				t.Errorf("%s %s %v, want %s", a.Verdict, a.Code, a.Err, c.code)
			}
			if strings.Contains(w.said(), "ALERT") != c.alert {
				t.Errorf("alert: %q", w.said())
			}
			w.gateway.Twist(nil)
			if a := w.legal(); a.Verdict != registry.Good {
				t.Errorf("and afterwards: %+v", a)
			}
		})
	}
}

func signedBy(t *testing.T, document string, l *pkitest.Leaf) string {
	t.Helper()
	signed, err := dsig.SignEnveloped(rand.Reader, []byte(document), dsig.Options{Key: l.Key, Certificate: l.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

// What a proxy recorded is sent again, to the byte: yesterday's answer, and one of a moment ago.
func TestR33Replay(t *testing.T) {
	w := newWorld(t, nil)
	if a := w.legal(); a.Verdict != registry.Good {
		t.Fatalf("%+v", a)
	}
	recorded := w.gateway.Last()
	w.gateway.Twist(func(a *statetest.Answer) { a.Raw = recorded })
	if a := w.legal(); a.Verdict != registry.Unknown || a.Code != state.Stale {
		t.Errorf("at once: %+v", a)
	}
	w.pass(24 * time.Hour)
	if a := w.legal(); a.Verdict != registry.Unknown || a.Code != state.Stale || strings.Count(w.said(), "ALERT") != 2 {
		t.Errorf("a day later: %+v\n%s", a, w.said())
	}
	// The same number of an answer within the second, without a word about the question.
	w.gateway.Twist(func(a *statetest.Answer) { a.ID, a.Correlation = "one", "" })
	first, second := w.legal(), w.legal()
	if first.Verdict != registry.Good || second.Code != state.Stale {
		t.Errorf("%+v, then %+v", first, second)
	}
}

func TestR16Silence(t *testing.T) {
	w := newWorld(t, func(c *state.Config) { c.Bounds.Whole = time.Second })
	w.gateway.Twist(func(a *statetest.Answer) { a.Silence = time.Minute })
	a := w.legal()
	if a.Verdict != registry.Unknown || a.Code != state.Silent || a.Detail["t"] != w.time().Format(time.RFC3339) {
		t.Errorf("%+v", a)
	}
	if n := w.gateway.Asked(); n != 1 {
		t.Errorf("a silent service was asked %d times", n)
	}
}

// Errors of the network are tried twice more, with the same message; refusals never.
func TestRetry(t *testing.T) {
	w := newWorld(t, nil)
	w.gateway.Twist(func(a *statetest.Answer) { a.Break = w.gatewayTry(a.Correlation) < 3 })
	if a := w.legal(); a.Verdict != registry.Good {
		t.Errorf("%+v", a)
	}
	if n := w.gateway.Asked(); n != 3 {
		t.Errorf("asked %d times", n)
	}
	w.gateway.Twist(func(a *statetest.Answer) { a.Status, a.Raw = http.StatusForbidden, "no" })
	if a := w.legal(); a.Code != state.Token || w.gateway.Asked() != 4 {
		t.Errorf("%+v, asked %d times", a, w.gateway.Asked())
	}
}

// tries counts how often each question came.
var tries sync.Map

func (w *world) gatewayTry(id string) int {
	n, _ := tries.LoadOrStore(id, new(int))
	counter, ok := n.(*int)
	if !ok {
		w.t.Error("no counter")
		return 0
	}
	*counter++ // under the gateway's mutex
	return *counter
}

// Five failures, and the service is left alone; then one question goes through.
func TestBreaker(t *testing.T) {
	w := newWorld(t, func(c *state.Config) { c.Bounds.Break = 2 * time.Second })
	w.gateway.Twist(func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, http.StatusInternalServerError })
	began := w.time()
	for range 5 {
		if a := w.legal(); a.Code != state.Fault {
			t.Fatalf("%+v", a)
		}
		w.pass(time.Second)
	}
	a := w.legal()
	if a.Verdict != registry.Unknown || a.Code != state.Open || a.Detail["t"] != began.Format(time.RFC3339) || w.gateway.Asked() != 5 {
		t.Errorf("%+v, asked %d times", a, w.gateway.Asked())
	}
	if w.count("registry.adapter.open") != 1 {
		t.Error("not recorded")
	}
	w.gateway.Twist(nil)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for tries := 0; w.legal().Verdict != registry.Good; tries++ {
		if tries == 300 {
			t.Fatal("never asked again")
		}
		<-tick.C
	}
	if w.count("registry.adapter.closed") != 1 {
		t.Error("not recorded")
	}
}

// Answers are remembered for those who do not open a gate: good ones for a quarter of an hour, bad ones for a
// minute, unknown ones never.
func TestMemory(t *testing.T) {
	w := newWorld(t, nil)
	ask := func(p registry.Purpose, bin ident.BIN, verdict registry.Verdict, asked int) {
		t.Helper()
		if a := w.Legal(t.Context(), p, bin); a.Verdict != verdict || w.gateway.Asked() != asked {
			t.Errorf("%s %s: %s, asked %d times, want %s and %d", p, bin, a.Verdict, w.gateway.Asked(), verdict, asked)
		}
	}
	ask(registry.ForNotify, company, registry.Good, 1)
	ask(registry.ForValidate, company, registry.Good, 1)
	for i, gate := range []registry.Purpose{registry.ForRegister, registry.ForReregister, registry.ForKey} {
		ask(gate, company, registry.Good, 2+i)
	}
	w.pass(15*time.Minute + time.Second)
	ask(registry.ForNotify, company, registry.Good, 5)
	ask(registry.ForNotify, other, registry.Bad, 6)
	w.pass(59 * time.Second)
	ask(registry.ForNotify, other, registry.Bad, 6)
	w.pass(2 * time.Second)
	ask(registry.ForNotify, other, registry.Bad, 7)
	w.gateway.Twist(func(a *statetest.Answer) { a.Code = "x" })
	w.pass(time.Hour)
	ask(registry.ForNotify, company, registry.Unknown, 8)
	ask(registry.ForNotify, company, registry.Unknown, 9)
}

// Two questions at once; a third waits, and gives up.
func TestQueue(t *testing.T) {
	w := newWorld(t, func(c *state.Config) { c.Bounds.Queue, c.Bounds.Whole = 100*time.Millisecond, 2*time.Second })
	w.gateway.Twist(func(a *statetest.Answer) { a.Silence = time.Minute })
	var codes sync.Map
	var wait sync.WaitGroup
	for i := range 3 {
		wait.Go(func() { codes.Store(i, w.legal().Code) })
	}
	wait.Wait()
	n := map[any]int{}
	codes.Range(func(_, code any) bool { n[code]++; return true })
	if n[state.Silent] != 2 || n[state.Busy] != 1 || w.gateway.Asked() != 2 {
		t.Errorf("%v, asked %d times", n, w.gateway.Asked())
	}
}

// What cannot be recorded is not used.
func TestUnrecorded(t *testing.T) {
	w := newWorld(t, nil)
	w.mu.Lock()
	w.refuse = errors.New("disk full")
	w.mu.Unlock()
	if a := w.legal(); a.Verdict != registry.Unknown || a.Code != state.Unrecorded || a.Value.Leader.IIN != "" {
		t.Errorf("%+v", a)
	}
}

func TestPersonAndPhone(t *testing.T) {
	w := newWorld(t, nil)
	person := func() registry.Answer[registry.Person] { return w.Person(t.Context(), registry.ForKey, man) }
	w.gateway.Put("GBDFLINFO", man, statetest.Person(man, ""))
	if a := person(); a.Verdict != registry.Good || a.Value.Surname != "СКРЫТАЯ" || a.Value.Citizenship != "398" || a.Value.Born != "1980-01-02" || a.Value.Dead || a.Value.Excluded || a.Value.Nonresident {
		t.Errorf("%+v", a)
	}
	w.gateway.Put("GBDFLINFO", man, statetest.Person(man, "<deathDate>2025-01-01</deathDate><excludeStatus>1</excludeStatus>"))
	if a := person(); a.Verdict != registry.Good || !a.Value.Dead || !a.Value.Excluded {
		t.Errorf("%+v", a)
	}
	w.gateway.Put("GBDFLINFO", man, statetest.NoPerson)
	if a := person(); a.Verdict != registry.Bad || a.Code != registry.PersonUnknown {
		t.Errorf("%+v", a)
	}
	w.gateway.Put("GBDFLINFO", man, statetest.Person("009900000909", ""))
	if a := person(); a.Verdict != registry.Unknown || a.Code != state.OtherNumber {
		t.Errorf("%+v", a)
	}
	phone := func() registry.Answer[registry.MobileContact] { return w.Phone(t.Context(), registry.ForNotify, man) }
	w.gateway.Put("MCDB_SERVICE", man, statetest.Phone(man, "not a phone"))
	if a := phone(); a.Verdict != registry.Unknown {
		t.Errorf("%+v", a)
	}
	w.gateway.Put("MCDB_SERVICE", man, statetest.Phone(man, ""))
	if a := phone(); a.Verdict != registry.Bad || a.Code != registry.NoPhone {
		t.Errorf("%+v", a)
	}
	w.pass(2 * time.Minute)
	w.gateway.Put("MCDB_SERVICE", man, statetest.Phone(man, "+77011234567"))
	if a := phone(); a.Verdict != registry.Good || a.Value.Phone != "+77011234567" {
		t.Errorf("%+v", a)
	}
	without := newWorld(t, func(c *state.Config) { c.Gateway.Access = "" })
	if a := without.Person(t.Context(), registry.ForKey, man); a.Verdict != registry.Unknown || a.Code != registry.ConsentNeeded || without.gateway.Asked() != 0 {
		t.Errorf("%+v", a)
	}
}

// The tax committee's answers, as it gives them: always 200. Who asks by enterpriseValidation is left out (decision/0034).
func TestR20EmptyBody(t *testing.T) {
	const rows = `{"taxpayerPortalSearchResponses":[{"code":"%","name":"ИП ТЕСТ","taxpayerType":"IP","messageResult":"SUCCESS","beginDate":"2020-02-03","endDate":null,"endReason":null}]}`
	row := strings.ReplaceAll(rows, "%", man)
	for name, c := range map[string]struct {
		data, vat string
		status    int
		verdict   registry.Verdict
		code      string
		ip, pays  bool
	}{
		"R-20 an empty body is no payer":        {row, "", 0, registry.Good, "", true, false},
		"R-20 an empty body about the taxpayer": {"", "", 0, registry.Unknown, state.Unreadable, false, false},
		"payer":                                 {row, `{"iinBin":"` + man + `","ndsRegistrationDate":"2021-01-01","ndsDeregistrationDate":null}`, 0, registry.Good, "", true, true},
		"payer no longer":                       {row, `{"iinBin":"` + man + `","ndsRegistrationDate":"2021-01-01","ndsDeregistrationDate":"2022-01-01"}`, 0, registry.Good, "", true, false},
		"payer is another":                      {row, `{"iinBin":"` + company + `","ndsRegistrationDate":"2021-01-01"}`, 0, registry.Unknown, state.OtherNumber, false, false},
		"ended":                                 {strings.Replace(row, `"endDate":null`, `"endDate":"2024-05-06"`, 1), "", 0, registry.Good, "", false, false},
		"no sole proprietor":                    {`{"taxpayerPortalSearchResponses":[]}`, "", 0, registry.Good, "", false, false},
		"another":                               {strings.ReplaceAll(rows, "%", company), "", 0, registry.Unknown, state.OtherNumber, false, false},
		"no success":                            {strings.Replace(row, "SUCCESS", "OTHER", 1), "", 0, registry.Unknown, state.Unreadable, false, false},
		"two rows":                              {strings.Replace(row, "[{", `[{"code":"1"},{`, 1), "", 0, registry.Unknown, state.Unreadable, false, false},
		"null":                                  {`{"taxpayerPortalSearchResponses":null}`, "", 0, registry.Unknown, state.Unreadable, false, false},
		"R-21 errorResponse":                    {`{"errorResponse":{"code":"1","taxpayerType":"IP","messageResult":"FAILED","errorMessage":"x"}}`, "", 0, registry.Unknown, state.Failed, false, false},
		"token":                                 {row, "", http.StatusForbidden, registry.Unknown, state.Token, false, false},
		"address":                               {row, "", http.StatusNotFound, registry.Unknown, state.Token, false, false},
		"too many":                              {row, "", http.StatusTooManyRequests, registry.Unknown, state.Failed, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.tax.Say(statetest.TaxData, c.data)
			w.tax.Say(statetest.VATData, c.vat)
			w.tax.Fail(c.status)
			a := w.Taxpayer(t.Context(), registry.ForRegister, man)
			today := registry.DateOf(w.time())
			if a.Verdict != c.verdict || a.Code != c.code || a.Value.SoleProprietor(today) != c.ip || a.Value.VATPayer(today) != c.pays {
				t.Errorf("%+v", a)
			}
			if strings.Contains(w.said(), "ALERT") != (c.code == state.Token || c.code == state.OtherNumber) {
				t.Errorf("alert: %s", w.said())
			}
		})
	}
	w := newWorld(t, nil)
	if a := w.Taxpayer(t.Context(), registry.ForRegister, company); a.Verdict != registry.Bad || a.Code != registry.TaxpayerUnknown {
		t.Errorf("an organisation that is not there: %+v", a)
	}
}

// Open data give names, from the second place when the first has none; never a head with a number.
func TestR22OpenData(t *testing.T) {
	w := newWorld(t, nil)
	w.open.Say("/stat", `{"success":true,"obj":{"bin":"`+company+`","name":"АО\n«ТЕСТ»","registerDate":"2018-01-01","fio":"ДРУГАЯ ФАМИЛИЯ","ip":false}}`)
	if a := w.Names(t.Context(), registry.ForRegister, company); a.Verdict != registry.Good || a.Value.Name != "АО «ТЕСТ»" || a.Value.Head != "ДРУГАЯ ФАМИЛИЯ" || a.Source != state.SourceOpen {
		t.Errorf("%+v", a)
	}
	w.open.Say("/stat", `{"success":true,"obj":null}`)
	if a := w.Names(t.Context(), registry.ForRegister, company); a.Verdict != registry.Bad {
		t.Errorf("%+v", a)
	}
	w.open.Say("/stat", `<html>`)
	w.open.Say("/data", `[{"bin":"`+company+`","nameru":"ИНОЕ","director":"ИВАН"}]`)
	if a := w.Names(t.Context(), registry.ForRegister, company); a.Verdict != registry.Good || a.Value.Name != "ИНОЕ" {
		t.Errorf("%+v", a)
	}
	w.open.Fail(http.StatusTooManyRequests)
	if a := w.Names(t.Context(), registry.ForRegister, company); a.Verdict != registry.Unknown {
		t.Errorf("%+v", a)
	}
}

// A thousand questions of every kind, good and broken: no number, name or phone in log, audit or error.
func TestR28NothingPersonalInLogs(t *testing.T) {
	w := newWorld(t, nil)
	w.gateway.Put("GBDFLINFO", man, statetest.Person(man, ""))
	w.gateway.Put("MCDB_SERVICE", man, statetest.Phone(man, "+77011234567"))
	w.tax.Say(statetest.TaxData, `{"taxpayerPortalSearchResponses":[{"code":"`+man+`","name":"СКРЫТАЯ","taxpayerType":"IP","messageResult":"SUCCESS","beginDate":"2020-02-03"}]}`)
	twists := []func(*statetest.Answer){nil, nil, nil, func(a *statetest.Answer) { a.Data = statetest.Person("009900000909", "") },
		func(a *statetest.Answer) { a.At = a.At.AddDate(-1, 0, 0) }, func(a *statetest.Answer) { a.Break = true },
		func(a *statetest.Answer) { a.Raw, a.Status = statetest.Fault, 500 }, func(a *statetest.Answer) { a.Code = man }}
	var errs strings.Builder
	keep := func(err error) {
		if err != nil {
			errs.WriteString(err.Error() + "\n")
		}
	}
	for i := range 250 {
		w.gateway.Twist(twists[i%len(twists)])
		w.tax.Fail([]int{0, http.StatusForbidden, http.StatusBadGateway}[i%3])
		keep(w.Legal(t.Context(), registry.ForKey, company).Err)
		keep(w.Person(t.Context(), registry.ForKey, man).Err)
		keep(w.Phone(t.Context(), registry.ForNotify, man).Err)
		keep(w.Taxpayer(t.Context(), registry.ForValidate, man).Err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) < 1000 || errs.Len() == 0 || w.log.Len() == 0 {
		t.Fatalf("%d events, %d bytes of errors, %d of log", len(w.events), errs.Len(), w.log.Len())
	}
	all := w.log.String() + errs.String()
	for _, e := range w.events {
		all += e.Action + e.Actor + e.Object + e.Result
		for k, v := range e.Detail {
			all += " " + k + " " + v
		}
	}
	for _, secret := range []string{man, company, "009900000909", "77011234567", "СКРЫТАЯ", "ФАМИЛИЯ", "quiet-word", "token-of-ours", "consent\n"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is told", secret)
		}
	}
}

// The gateway's password and people's numbers go over https only, unless somebody says that the way there is sealed.
func TestGatewayOverHTTP(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		url   string
		allow bool
		taken bool
	}{
		{"https://gateway.example.kz/SyncChannel", false, true}, {"http://127.0.0.1:9999/SyncChannel", false, true},
		{"http://gateway.example.kz/SyncChannel", false, false}, {"http://10.1.2.3/SyncChannel", false, false}, {"http://127.0.0.1.example.kz/SyncChannel", false, false},
		{"http://gateway.example.kz/SyncChannel", true, true}, {"ftp://gateway.example.kz/SyncChannel", true, false}, {"", true, false},
	} {
		g := w.gateway.Config()
		g.URL, g.AllowHTTP, g.Access = c.url, c.allow, ""
		if _, err := state.New(state.Config{Gateway: &g, Audit: w.record, Hash: strings.ToUpper}); (err == nil) != c.taken {
			t.Errorf("%s, allowed: %v: %v", c.url, c.allow, err)
		}
	}
}

// Questions go to the configured hosts only, and tokens over https only.
func TestHosts(t *testing.T) {
	for name, address := range map[string]string{"no host": "/x", "user": "https://a:b@c/", "scheme": "ftp://c/", "token in the clear": "http://kgd.example.kz/"} {
		if _, err := state.New(state.Config{Tax: &state.Tax{URL: address}, Audit: func(context.Context, audit.Event) error { return nil }, Hash: strings.ToUpper}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
