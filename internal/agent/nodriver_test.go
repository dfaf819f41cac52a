package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/pkitest"
)

const storageEmpty = `{"code":"500","message":"storage.empty"}`

// nothingSaid checks that no notice is shown or about to be.
func (b *bench) nothingSaid(when string) {
	b.Helper()
	if !b.agent.notices.over() {
		b.Errorf("%s: something is said", when)
	}
	b.noWindow()
}

// said waits until the notice is over.
func (b *bench) said() {
	b.Helper()
	for begun := time.Now(); !b.agent.notices.over(); time.Sleep(5 * time.Millisecond) { //nolint:forbidigo // its end has no signal
		if time.Since(begun) > 10*time.Second {
			b.Fatal("the notice stays")
		}
	}
}

// driverMissed closes the notice that a driver is missing.
func (b *bench) driverMissed() {
	b.Helper()
	h := b.window()
	if h.view.Kind != "notice" || h.view.Title != h.view.Lang.Text("agent.title.no-driver") {
		b.Errorf("no notice of a driver: %+v", h.view)
	}
	h.cancel()
	b.said()
}

// TestNoDriver: a site that wants a token for which there is no driver hears what NCALayer says, at once; the person learns what is missing,
// and is led to the drivers.
func TestNoDriver(t *testing.T) {
	b := bring(t, func(c *Config) {
		c.TokenProgram = os.Args[0]
		c.KnownDrivers = []keystore.TokenDriver{{Storage: "AKAKEYStore", Module: "akey.so"}}
	})
	part := lang.RU.Text("home.ui.part-tokens")
	none := func(tag lang.Tag, storage string) string {
		return tag.Text("agent.notice.no-driver", "name", tag.Text("home.token."+storage), "part", tag.Text("home.ui.part-tokens"))
	}
	ill := lang.RU.Text("agent.notice.ill-driver", "part", part,
		"driver", lang.RU.Text("agent.token.driver", "name", "aKEY", "why", lang.RU.Text("home.driver.problem.path")))
	for _, c := range []struct{ request, reply, text string }{
		{commonCall("getKeyInfo", `"AKKaztokenStore"`), storageEmpty, none(lang.RU, "AKKaztokenStore")},
		{commonCall("createCAdESFromBase64", `"AKKZIDCardStore","","MTEK",true`), storageEmpty, none(lang.RU, "AKKZIDCardStore")},
		{commonCall("getKeyInfo", `"AKAKEYStore"`), storageEmpty, ill},
		{`{"module":"kz.gov.pki.cms.CMSSignUtil","lang":"kk","method":"signFilePath","args":["x","","AKJaCartaStore"]}`, storageEmpty, none(lang.KK, "AKJaCartaStore")},
		{appletCall("loadSlotList", `"AKEToken72KStore"`), `{"result":"","errorCode":"EMPTY_SLOT"}`, none(lang.RU, "AKEToken72KStore")},
		{knpModule + `"command":"signDocument","requestId":"7","storageType":"KAZTOKEN","xml":"<a/>"}`,
			`{"error":{"cryptoError":"TOKEN_NOT_AVAILABLE"},"resultStatus":{"resultCode":"ERROR"},"requestId":"7"}`, none(lang.RU, "AKKaztokenStore")},
	} {
		s := b.dial(page)
		if got := s.ask(c.request); got != c.reply {
			t.Errorf("%s: %s", c.request, got)
		}
		h := b.window()
		if v := h.view; v.Kind != "notice" || v.Refusal != c.text || v.Title != v.Lang.Text("agent.title.no-driver") || v.Button == "" || v.Site.Origin != page || len(v.Keys) > 0 {
			t.Errorf("%s: %+v", c.request, v)
		}
		if e := h.decide(Decision{}); e.Failed || e.Text != h.view.Lang.Text("agent.done.notice") {
			t.Errorf("%+v", e)
		}
		home := b.homeShown()
		if home.view.Part != "tokens" {
			t.Errorf("led to %q", home.view.Part)
		}
		home.post("/close", map[string]any{}, nil)
		b.said()
		_ = s.c.CloseNow()
	}
	if home := b.home(); home.view.Part != "" {
		t.Errorf("the person's own page begins with %q", home.view.Part)
	}
	s := b.dial("https://new.example.kz")
	for request, reply := range map[string]string{ // nothing is missing for these
		commonCall("getActiveTokens", ""): `{"responseObject":[],"code":"200"}`, commonCall("getKeyInfo", `"Pocket"`): `{"code":"500","message":"storage.unknown"}`,
		commonCall("getKeyInfo", `""`): `{"code":"500","message":"storageName.param.empty"}`, commonCall("nothing", `"AKKaztokenStore"`): `{"code":"500","message":"NoSuchMethodException nothing"}`,
	} {
		if got := s.ask(request); got != reply {
			t.Errorf("%s: %s", request, got)
		}
		b.nothingSaid(request)
	}
	if len(b.agent.settings.get().Sites) != 0 {
		t.Error("a notice makes a site one that was answered")
	}
}

// TestNoDriverWithoutProgram: what is missing is not the driver where the program is that loads it.
func TestNoDriverWithoutProgram(t *testing.T) {
	b := bring(t, func(c *Config) { c.TokenProgram = filepath.Join(t.TempDir(), "senim-token") })
	s := b.dial(page)
	if got := s.ask(commonCall("getKeyInfo", `"AKKaztokenStore"`)); got != storageEmpty {
		t.Errorf("%s", got)
	}
	if v := b.window().view; !strings.Contains(v.Refusal, lang.RU.Text("home.driver.problem.program")) {
		t.Errorf("%+v", v)
	}
}

// TestDriverWithoutToken: where a driver works the site says itself that the token is to be plugged in.
func TestDriverWithoutToken(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	newPort(t).pull()
	b := bring(t, func(c *Config) { c.Tokens = []keystore.TokenDriver{driver} })
	s := b.dial(page)
	if got := s.ask(commonCall("getKeyInfo", `"AKKaztokenStore"`)); got != storageEmpty {
		t.Errorf("%s", got)
	}
	b.nothingSaid("a driver works")
}

// TestHostileNoDriver: pages cannot pour out these notices, and they make way for work.
func TestHostileNoDriver(t *testing.T) {
	b := bring(t, func(c *Config) { c.TokenProgram = os.Args[0] })
	b.key("GOST512_a.p12", b.authority.Individual())
	storages := tokenStorages()
	ask := func(s *socket, i int) {
		t.Helper()
		if got := s.ask(commonCall("getKeyInfo", `"`+storages[i%len(storages)]+`"`)); got != storageEmpty {
			t.Errorf("%s", got)
		}
	}
	s, other := b.dial(page), b.dial("https://other.example.kz")
	ask(s, 0)
	h := b.window()
	for i := range 12 { // while it is shown
		ask(s, i)
		ask(other, i)
		b.noWindow()
	}
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	work := b.window()
	if work.view.Kind != "info" || reachable(h.url) {
		t.Errorf("the notice did not make way: %s", work.view.Kind)
	}
	work.decide(Decision{Key: work.unlock("")})
	s.read()
	b.said()
	for i := range 12 { // after it, also when the person answered the site
		ask(s, i)
		b.nothingSaid("again")
		ask(other, i)
		b.nothingSaid("another site")
	}
	rest := restSite
	for range 8 {
		b.wait(rest - time.Second)
		ask(s, 1)
		b.nothingSaid("before " + rest.String())
		b.wait(time.Second)
		ask(s, 1)
		h := b.window()
		h.cancel()
		b.said()
		if rest = min(2*rest, restMost); b.agent.tiresome(siteOf(page)) {
			t.Error("so rarely, and yet a site to be sent away")
		}
	}
	for i := range 40 { // one with many names gains little: all together wait as long
		ask(b.dial("https://"+string(rune('a'+i%26))+strings.Repeat("x", i/26)+".example.kz"), i)
		b.nothingSaid("one of many names")
	}
	b.wait(restMost)
	b.agent.block(siteOf(page))
	ask(s, 0)
	b.nothingSaid("a blocked site")
}

// TestNoDriverInBrowser: in three languages the notice says what is missing and leads to the part of the agent's page where drivers are added;
// or it is closed.
func TestNoDriverInBrowser(t *testing.T) {
	b := bring(t, func(c *Config) { c.TokenProgram = os.Args[0] })
	s := b.look()
	socket := b.dial(page)
	for _, tag := range lang.All() {
		name := func(what string) string { return "no-driver-" + what + "-" + string(tag) }
		socket.ask(commonCall("changeLocale", `"`+string(tag)+`"`))
		ask := func() {
			b.wait(2 * restMost)
			if got := socket.ask(commonCall("getKeyInfo", `"AKKaztokenStore"`)); got != storageEmpty {
				t.Errorf("%s", got)
			}
			s.open()
		}
		part := tag.Text("home.ui.part-tokens")
		ask()
		if got := eval[string](s, `document.getElementById('refusal').innerText`); got != tag.Text("agent.notice.no-driver", "name", "KAZTOKEN", "part", part) {
			t.Errorf("%s: %q", tag, got)
		}
		if got := eval[string](s, `document.getElementById('title').innerText`); got != tag.Text("agent.title.no-driver") {
			t.Errorf("%s: %q", tag, got)
		}
		if got := eval[string](s, `document.getElementById('cancel').innerText`); got != tag.Text("agent.ui.seen") {
			t.Errorf("%s: %q", tag, got)
		}
		s.looks(name("said"))
		s.do("close it", chromedp.Click(chromedp.CSS("#cancel")), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		if got := eval[string](s, `document.getElementById('done').innerText`); got != tag.Text("agent.done.notice") {
			t.Errorf("%s: closed, the window says %q", tag, got)
		}
		b.said()
		ask()
		if got := eval[string](s, `document.getElementById('sign').innerText`); got != tag.Text("agent.notice.open", "part", part) {
			t.Errorf("%s: %q", tag, got)
		}
		s.do("go on to the drivers", chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		b.said()
		s.open()
		s.see("#parts [data-part=tokens][aria-current=page]")
		s.see("#driver-choose")
		if got := eval[string](s, `document.getElementById('title').innerText`); got != tag.Text("home.ui.title-tokens") {
			t.Errorf("%s: led to %q", tag, got)
		}
		s.looks(name("led"))
	}
}
