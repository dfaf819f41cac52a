package agent

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"senim/cms"
	"senim/internal/cabinet/client"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/pki"
)

// fakeCabinet answers as the cabinet does; what it lists is the test's.
type fakeCabinet struct {
	mu     sync.Mutex
	ways       // under mu
	signed int // under mu: sign-ins
}

// ways is how it answers.
type ways struct {
	list      any    // of GET /api/keys
	challenge string // instead of its own
	down      string // path that cannot be reached
	refuse    string // path that is refused
}

func (c *fakeCabinet) set(w ways) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ways, c.signed = w, 0
}

func (c *fakeCabinet) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.signed
}

const cabinetOrigin = "https://cabinet.example.kz"

func (c *fakeCabinet) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.URL.Path == c.down {
		return nil, io.ErrUnexpectedEOF
	}
	status, answer := http.StatusOK, any(struct{}{})
	switch {
	case r.URL.Scheme+"://"+r.URL.Host != cabinetOrigin:
		return nil, io.ErrUnexpectedEOF
	case r.URL.Path == c.refuse:
		status, answer = http.StatusUnauthorized, client.Refusal{Code: "STALE", Text: "again"}
	case r.URL.Path == "/api/renewals/challenge":
		text := "senim-challenge 1\norigin: " + cabinetOrigin + "\npurpose: sign-in\nnonce: 1\n"
		if c.challenge != "" {
			text = c.challenge
		}
		answer = client.Challenge{Challenge: []byte(text)}
	case r.URL.Path == "/api/renewals/signin":
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(b))
		var sent [][]byte
		if err != nil || json.Unmarshal([]byte(form.Get("answer")), &sent) != nil || len(sent) != 1 {
			return nil, io.ErrUnexpectedEOF
		}
		if _, err := cms.Parse(sent[0]); err != nil {
			return nil, err
		}
		c.signed++
	case r.URL.Path == "/api/keys":
		answer = c.list
	}
	b, err := json.Marshal(answer)
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(b))), Request: r}, err
}

func listOf(certs ...*pki.Certificate) client.Listed {
	l := client.Listed{Keys: []client.ListedKey{}}
	for _, c := range certs {
		l.Keys = append(l.Keys, client.ListedKey{Certificate: c.Raw})
	}
	return l
}

// compare does the act with one key and gives what was said.
func (b *bench) compare(file string) string {
	b.Helper()
	h, end := b.do(ActCompare)
	e := h.decide(Decision{Key: h.unlock(file)})
	said, ok, err := end()
	if err != nil || !ok || said == "" || e.Text != said {
		b.Fatalf("%q %v %v, the window says %q", said, ok, err, e.Text)
	}
	return said
}

// codes are the remarks on the keys of the agent's page, by file, or by serial for those that are not here.
func (v HomeView) codes() map[string]string {
	out := map[string]string{}
	add := func(name string, k KeyRow) {
		for _, r := range k.Remarks {
			out[name] += r.Code + " "
		}
	}
	for _, g := range v.Groups {
		for _, k := range g.Keys {
			add(k.File, k)
		}
	}
	for _, l := range v.Lists {
		for _, k := range l.Keys {
			add(k.ID, k)
		}
	}
	return out
}

// TestPain12CabinetList: the cabinet's list beside the keys here. What is on both, only there, only here; an
// older key beside its newer, wherever the two are; each that had better go leads to its revocation.
func TestPain12CabinetList(t *testing.T) {
	cabinet := &fakeCabinet{}
	b := bring(t, func(c *Config) { c.Cabinet, c.CabinetTransport = cabinetOrigin, cabinet })
	mine := pkitest.Person()
	in := func(h pki.Holder, days int, change ...func(*pki.Template)) *pkitest.Leaf {
		s := pkitest.Spec{Holder: h, NotBefore: b.clock().AddDate(-1, 0, days), NotAfter: b.clock().AddDate(0, 0, days)}
		for _, f := range change {
			s.Change = f
		}
		return b.authority.Issue(s)
	}
	alma, bastau := company("ТОО «Алма»", "123456789021"), company("ТОО «Бастау»", "123456789034")
	here, older := in(mine, 300), in(mine, 40)
	b.key("mine.p12", here)
	b.key("older.p12", older)
	withdrawn := in(alma, 200) // here, and not in the list
	b.key("withdrawn.p12", withdrawn)
	unknown := in(bastau, 150)
	second := in(bastau, 250) // of the two that are not here, one is newer
	card := in(alma, 100, func(t *pki.Template) { t.Storage = pki.StorageKaztoken })
	file := in(alma, 120)
	b.key("GOST512_"+fmt.Sprintf("%x", file.Certificate.SubjectKeyID)+".p12", file) // never opened
	l := listOf(here.Certificate, older.Certificate, unknown.Certificate, second.Certificate, card.Certificate, file.Certificate)
	l.Keys[3].Held = true
	cabinet.set(ways{list: l})

	h := b.home()
	for _, name := range []string{"mine.p12", "older.p12", "withdrawn.p12"} {
		h.learn(name)
	}
	if len(h.view.Lists) > 0 || strings.Contains(h.view.codes()["mine.p12"], "listed") {
		t.Error("compared before anybody signed in")
	}
	if came := h.view.Listed; came != 0 {
		t.Errorf("%d lists came", came)
	}
	said := b.compare("mine.p12")
	for _, want := range []string{"in the cabinet: 6", "not on this computer: 4", "ТОО «Бастау»"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said: %s", want, said)
		}
	}
	var alive struct{ Listed int }
	if status := h.post("/alive", map[string]any{}, &alive); status != 200 || alive.Listed != 1 {
		t.Errorf("the page is not told: %d, %d lists", status, alive.Listed)
	}
	h.act("/look", map[string]any{})
	codes := h.view.codes()
	serial := func(l *pkitest.Leaf) string { return l.Certificate.SerialHex() }
	for name, want := range map[string]string{
		"mine.p12": "listed ", "older.p12": "replaced listed ", "withdrawn.p12": "not-listed ",
		serial(unknown): "unknown replaced ", serial(second): "unknown held ", serial(card): "carrier replaced ", serial(file): "closed ",
	} {
		got := codes[name]
		for _, code := range strings.Fields(want) {
			if !strings.Contains(" "+got, " "+code+" ") {
				t.Errorf("%s: %s, want %s", name, got, code)
			}
		}
		if strings.Contains(got, "replaced") != strings.Contains(want, "replaced") {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	links := map[string]string{}
	for _, g := range h.view.Groups {
		for _, k := range g.Keys {
			links[k.File] = k.Revoke
		}
	}
	for _, k := range h.view.Lists[0].Keys {
		links[k.ID] = k.Revoke
	}
	for name, leaf := range map[string]*pkitest.Leaf{"older.p12": older, serial(unknown): unknown, serial(second): second, serial(card): card} {
		if want := cabinetOrigin + "/keys/revoke?serial=" + serial(leaf); links[name] != want {
			t.Errorf("%s leads to %q", name, links[name])
		}
	}
	if links["mine.p12"] != "" {
		t.Errorf("the key in use leads to %q", links["mine.p12"])
	}

	// In the name of one organisation the cabinet tells of that one: others are not judged.
	cabinet.set(ways{list: listOf()})
	b.compare("withdrawn.p12")
	h.act("/look", map[string]any{})
	if got := h.view.codes()["mine.p12"]; !strings.Contains(got, "listed") || strings.Contains(got, "not-listed") || len(h.view.Lists) != 2 {
		t.Errorf("%s, %d lists", got, len(h.view.Lists))
	}
	h.act("/forget", map[string]any{})
	if len(h.view.Lists) != 0 {
		t.Error("lists are kept after everything is forgotten")
	}
}

// TestPain12HostileList: the list is the signer's own or nothing; no challenge but the cabinet's own is signed;
// what could not be read is not called good, and may be tried again.
func TestPain12HostileList(t *testing.T) {
	cabinet := &fakeCabinet{}
	b := bring(t, func(c *Config) { c.Cabinet, c.CabinetTransport = cabinetOrigin, cabinet })
	me := b.authority.Individual()
	b.key("mine.p12", me)
	other := pkitest.Person()
	other.IIN = "850101400001"
	stranger := b.authority.Issue(pkitest.Spec{Holder: other})
	many := client.Listed{Keys: make([]client.ListedKey, client.MaxListed+1)}
	for i := range many.Keys {
		many.Keys[i].Certificate = me.Certificate.Raw
	}
	const asks = "senim-challenge 1\norigin: https://bank.example\npurpose: sign-in\n"
	for name, c := range map[string]struct {
		ways   ways
		code   string
		signed int
	}{
		"another site's challenge": {ways{challenge: asks}, "cabinet_unreachable", 0},
		"another purpose":          {ways{challenge: strings.ReplaceAll(asks, "https://bank.example\npurpose: sign-in", cabinetOrigin+"\npurpose: revoke")}, "cabinet_unreachable", 0},
		"no challenge":             {ways{challenge: "I owe you a house"}, "cabinet_unreachable", 0},
		"no way to sign in":        {ways{down: "/api/renewals/signin"}, "cabinet_unreachable", 0},
		"no way to the list":       {ways{down: "/api/keys"}, "cabinet_unreachable", 1},
		"a list that is refused":   {ways{refuse: "/api/keys"}, "stale", 1},
		"somebody else's key":      {ways{list: listOf(me.Certificate, stranger.Certificate)}, "cabinet_list", 1},
		"a key twice":              {ways{list: listOf(me.Certificate, me.Certificate)}, "cabinet_list", 1},
		"no certificate":           {ways{list: client.Listed{Keys: []client.ListedKey{{Certificate: []byte("<b>x")}}}}, "cabinet_list", 1},
		"too many":                 {ways{list: many}, "cabinet_unreachable", 1},
		"no list":                  {ways{list: "x"}, "cabinet_unreachable", 1},
		"too much":                 {ways{list: strings.Repeat("x", 17<<20)}, "cabinet_unreachable", 1},
	} {
		t.Run(name, func(t *testing.T) {
			cabinet.set(c.ways)
			h, end := b.do(ActCompare)
			key := h.unlock("mine.p12")
			if c.signed > 0 {
				var e ending
				if status := h.post("/decide", Decision{Key: key}, &e); status != 200 || e.Done || e.At != 1 {
					t.Errorf("%d %+v", status, e)
				}
			}
			if p := h.problem("/decide", Decision{Key: key}); p.Code != c.code || p.Text == "" || cabinet.count() != c.signed {
				t.Errorf("%+v, signed %d times", p, cabinet.count())
			}
			if lists, _ := b.agent.listsNow(); len(lists) > 0 {
				t.Error("a list was kept")
			}
			cabinet.set(ways{list: listOf(me.Certificate)})
			if e := h.decide(Decision{Key: key}); !e.Done || e.Failed {
				t.Errorf("tried again: %+v", e)
			}
			if said, ok, err := end(); err != nil || !ok || !strings.Contains(said, "not on this computer: 0") {
				t.Errorf("%q %v %v", said, ok, err)
			}
			b.agent.forgetListed()
		})
	}
}

// TestCompareClosed: closing the window signs nothing; without a cabinet there is no such act.
func TestCompareClosed(t *testing.T) {
	cabinet := &fakeCabinet{ways: ways{list: listOf()}}
	b := bring(t, func(c *Config) { c.Cabinet, c.CabinetTransport = cabinetOrigin, cabinet })
	sign, _ := b.authority.ClassicPair(pkitest.Person())
	b.key("sign.p12", sign)
	b.key("mine.p12", b.authority.Individual())
	h, end := b.do(ActCompare)
	h.unlock("sign.p12")
	h.look()
	if r := h.row("sign.p12"); r.Fits || len(r.Reasons) == 0 || r.Reasons[0].Code != "not-sign-in" {
		t.Errorf("a key that cannot sign in: %+v", r)
	}
	if p := h.problem("/decide", Decision{Key: h.row("sign.p12").ID}); p.Code != "does_not_fit" {
		t.Errorf("%+v", p)
	}
	if p := h.problem("/decide", Decision{Key: h.row("mine.p12").ID}); p.Code != "locked" {
		t.Errorf("%+v", p)
	}
	h.cancel()
	if said, ok, err := end(); said != "" || ok || err != nil || cabinet.count() != 0 {
		t.Errorf("%q %v %v, signed %d", said, ok, err, cabinet.count())
	}
	if _, _, err := bring(t).agent.Do(t.Context(), ActCompare, lang.EN); err == nil {
		t.Error("compared without a cabinet")
	}
}

// TestPain12InBrowser: the button, the window and the list in three languages; the agent's page shows the
// list by itself when it has come.
func TestPain12InBrowser(t *testing.T) {
	cabinet := &fakeCabinet{}
	b := bring(t, func(c *Config) { c.Cabinet, c.CabinetTransport = cabinetOrigin, cabinet })
	me, next := b.authority.Individual(), b.authority.Issue(pkitest.Spec{NotBefore: b.clock(), NotAfter: b.clock().AddDate(1, 0, 0)})
	head := b.authority.Issue(pkitest.Spec{Holder: company("ТОО «Алма-Тау Сауда үйі»", "123456789021")})
	b.key("GOST512_1f923a405e7a60ef08debcf4715d7f818637b82b.p12", me)
	cabinet.set(ways{list: listOf(me.Certificate, next.Certificate, head.Certificate)})
	for _, f := range keystore.Scan(b.agent.looked()) {
		b.agent.known.learn(f, me.Certificate)
	}
	page := b.look()
	s := page.tab()
	b.agent.ShowHome(lang.RU)
	page.open()
	page.click("#act-compare")
	s.open()
	s.looks("compare-ru")
	s.do("type the password and compare", chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS("#sign")),
		chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
	s.looks("compare-done-ru")
	page.see(".list .certificate[data-state=cabinet] .revoke")
	for _, tag := range lang.All() {
		page.do("choose the language", chromedp.Click(chromedp.CSS("#language [lang="+string(tag)+"]")), page.ready())
		page.looks("home-compared-" + string(tag))
		if tag != lang.RU {
			page.click("#act-compare")
			s.open()
			s.looks("compare-" + string(tag))
			s.click("#cancel")
		}
	}
	if n := eval[float64](page, `document.querySelectorAll('.list .certificate').length`); n != 2 {
		t.Errorf("%v keys in the list", n)
	}
}
