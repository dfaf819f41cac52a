package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"senim/internal/headless"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/pki"
)

// screen is a browser a person looks at the agent's pages with.
type screen struct {
	*bench
	ctx context.Context //nolint:containedctx // of the browser, which lives as long as the test
}

// screenTime bounds one act of a person.
const screenTime = 30 * time.Second

// look starts the system's browser, or skips.
func (b *bench) look() *screen {
	b.Helper()
	path, err := headless.Path()
	if err != nil {
		b.Skip(err.Error() + ": nobody looked at the pages")
	}
	opts := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(b.TempDir()), chromedp.Flag("disable-dev-shm-usage", true))
	alloc, end := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	b.Cleanup(func() { cancel(); end() })
	return b.watch(ctx)
}

// tab is another page of the same browser.
func (s *screen) tab() *screen {
	s.Helper()
	ctx, cancel := chromedp.NewContext(s.ctx)
	s.Cleanup(cancel)
	return s.watch(ctx)
}

// watch fails the test when a script of the page does.
func (b *bench) watch(ctx context.Context) *screen {
	b.Helper()
	s := &screen{b, ctx}
	if err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		return chromedp.Listen(ctx, func(ev any) {
			switch ev := ev.(type) {
			case *runtime.EventExceptionThrown:
				what := ev.ExceptionDetails.Text
				if e := ev.ExceptionDetails.Exception; e != nil {
					what += " " + e.Description
				}
				b.Errorf("a script of the page fails: %s %s", what, ev.ExceptionDetails.URL)
			case *cdplog.EventEntryAdded:
				if string(ev.Entry.Level) == "error" && !strings.Contains(ev.Entry.Text, "status of 4") {
					b.Errorf("the console says %s", ev.Entry.Text)
				}
			}
		})
	})); err != nil {
		b.Fatal(err)
	}
	return s
}

func (s *screen) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, screenTime)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		s.shot("failed")
		s.Fatalf("%s: %v", what, err)
	}
}

// open shows the window that comes next.
func (s *screen) open() {
	s.Helper()
	s.do("open the page", chromedp.Navigate(s.unopened().url), s.ready())
}

func (s *screen) ready() chromedp.Action[chromedp.Void] {
	return chromedp.WaitReady(chromedp.CSS("body[data-state=ready]"))
}

func (s *screen) click(sel string) {
	s.Helper()
	s.do("press "+sel, chromedp.Click(chromedp.CSS(sel)))
}

func (s *screen) see(sel string) {
	s.Helper()
	s.do("see "+sel, chromedp.WaitVisible(chromedp.CSS(sel)))
}

func eval[T any](s *screen, js string) T {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, screenTime)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		s.Fatalf("%s: %v", js, err)
	}
	return v
}

// looks shows the page at three widths: nothing sticks out at the side, every text is there, and the
// pictures are kept where SENIM_SHOTS says.
func (s *screen) looks(name string) {
	s.Helper()
	for _, size := range []struct {
		name   string
		width  int64
		height int64
	}{{"narrow", 320, 700}, {"phone", 390, 844}, {"desktop", 1100, 900}} {
		if _, err := chromedp.Call(s.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: size.width, Height: size.height, DeviceScaleFactor: 1, Mobile: size.name != "desktop"}); err != nil {
			s.Fatal(err)
		}
		if over := eval[float64](s, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			s.Errorf("%s, %s: %v pixels stick out", name, size.name, over)
		}
		if size.name != "narrow" {
			s.shot(name + "-" + size.name)
		}
	}
	text := eval[string](s, `document.body.innerText`)
	for _, bad := range []string{"[agent.", "[home.", "undefined", "{n}", "{date}"} {
		if strings.Contains(text, bad) {
			s.Errorf("%s: the page says %q:\n%s", name, bad, text)
		}
	}
	if unnamed := eval[string](s, `[...document.querySelectorAll('button,input:not([type=hidden])')].filter((e) => e.offsetParent &&
		!(e.textContent.trim() || e.getAttribute('aria-label') || e.labels && e.labels.length)).map((e) => e.outerHTML).join('\n')`); unnamed != "" {
		s.Errorf("%s: nobody can name %s", name, unnamed)
	}
}

func (s *screen) shot(name string) {
	dir := os.Getenv("SENIM_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, screenTime)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
	if err != nil {
		s.Logf("picture %s: %v", name, err)
	}
}

// office is a folder as an accountant has it.
func (b *bench) office() {
	b.issue("GOST512_1f923a405e7a60ef08debcf4715d7f818637b82b.p12", company("ТОО «Алма-Тау Сауда үйі»", "123456789021"), 6)
	b.issue("GOST512_2f923a405e7a60ef08debcf4715d7f818637b82b.p12", company("ЖШС «Бастау Құрылыс және Жобалау Орталығы»", "123456789034"), 200)
	b.issue("GOST512_3f923a405e7a60ef08debcf4715d7f818637b82b.p12", company("ТОО «Самал»", "123456789047"), -3)
	b.issue("GOST512_4f923a405e7a60ef08debcf4715d7f818637b82b.p12", company("ТОО «Самал»", "123456789047"), 300)
	_, signIn := b.authority.ClassicPair(company("ТОО «Алма-Тау Сауда үйі»", "123456789021"))
	b.key("AUTH_RSA256_5f923a405e7a60ef08debcf4715d7f818637b82b.p12", signIn)
	b.issue("GOST512_6f923a405e7a60ef08debcf4715d7f818637b82b.p12", pki.Holder{CommonName: "АХМЕТОВА ӘЛИЯ", Surname: "АХМЕТОВА", Given: "ҚАЙРАТҚЫЗЫ",
		IIN: "123456789012", Email: "a@example.kz", Roles: []pki.Role{pki.RoleIndividual}}, 25)
}

// TestWindowInBrowser walks through the window and the agent's own page in three languages, at the width
// of a phone and of a desk.
func TestWindowInBrowser(t *testing.T) {
	b := bring(t, func(c *Config) { c.Cabinet = "https://cabinet.example.kz/" })
	b.office()
	s := b.look()
	socket := b.dial("https://xn--80aa2ba3abq.kz")
	for _, tag := range lang.All() {
		name := func(what string) string { return what + "-" + string(tag) }
		socket.ask(commonCall("changeLocale", `"`+string(tag)+`"`))
		if tag == lang.KK { // what nobody opened yet
			b.agent.ShowHome(tag)
			s.open()
			s.do("choose the language", chromedp.Click(chromedp.CSS("#language [lang=kk]")), s.ready())
			s.looks(name("home-first"))
			for _, part := range []string{"calendar", "sites", "folders", "authorities", "settings", "keys"} { // also while nothing is known
				s.click("#parts [data-part=" + part + "]")
				s.see("#parts [data-part=" + part + "][aria-current=page]")
			}
			for _, f := range keystore.Scan(b.agent.looked()) {
				s.do("see whose "+f.Name, chromedp.SendKeys(chromedp.CSS("#password-"+f.ID), password+kb.Enter),
					chromedp.WaitReady(chromedp.CSS(`[data-key-id="`+f.ID+`"]:not([data-state=locked])`)), s.ready())
			}
			s.click("#language [lang=ru]")
		}
		// A document of which a part is signed; a wrong password with hints; then the signature.
		socket.send(commonCall("signXml", `"PKCS12","SIGNATURE","<order><head><number>17</number></head><body Id=\"b1\"><goods>Алма</goods><sum>125000</sum></body></order>","//*[@Id='b1']","/order"`))
		s.open()
		s.see("mark")
		s.looks(name("sign"))
		s.click(`.key[data-fits=true]`)
		s.see("#password")
		s.do("type in another layout", chromedp.SendKeys(chromedp.CSS("#password"), "Йцукен"))
		if hint := eval[string](s, `document.getElementById('password-hint').textContent`); hint != tag.Text("agent.ui.layout") {
			t.Errorf("%s: the hint says %q", tag, hint)
		}
		eval[bool](s, `document.getElementById('password').dispatchEvent(new KeyboardEvent('keydown', { key: 'A', modifierCapsLock: true }))`)
		if hint := eval[string](s, `document.getElementById('password-hint').textContent`); !strings.Contains(hint, tag.Text("agent.ui.caps")) {
			t.Errorf("%s: the hint says %q", tag, hint)
		}
		s.click("#sign")
		s.see("#error[data-code=wrong_password]")
		s.looks(name("wrong"))
		eval[string](s, `document.getElementById('password').value = ""`)
		s.do("type it again", chromedp.SendKeys(chromedp.CSS("#password"), password+kb.Enter), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		if got := socket.read(); !strings.Contains(got, "Signature") {
			t.Errorf("%s: %.200s", tag, got)
		}
		// Many documents, one consent.
		var data []string
		for i := range 30 {
			data = append(data, fmt.Sprintf(`"<doc n=\"%d\"/>"`, i))
		}
		socket.send(commonCall("signXmls", `"PKCS12","SIGNATURE",[`+strings.Join(data, ",")+`],"",""`))
		s.open()
		s.looks(name("many"))
		s.do("sign them", chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS("#sign")),
			chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		if got := object[[]string](t, socket.read()); len(got) != 30 {
			t.Errorf("%s: %d documents", tag, len(got))
		}
		b.agent.ShowHome(tag)
		s.open()
		s.do("choose the language", chromedp.Click(chromedp.CSS("#language [lang="+string(tag)+"]")), s.ready())
		for _, part := range []string{"keys", "calendar", "sites", "folders", "tokens", "settings"} {
			s.click("#parts [data-part=" + part + "]")
			s.looks(name("home-" + part))
		}
		s.click("#parts [data-part=folders]")
		s.do("name no folder", chromedp.SendKeys(chromedp.CSS("#folder"), "/no/such"+kb.Enter), chromedp.WaitVisible(chromedp.CSS("#error[data-code=no_folder]")))
		s.looks(name("home-no-folder"))
	}
	// What a person does about a site on the page holds.
	s.click("#parts [data-part=sites]")
	s.do("block the site", chromedp.Click(chromedp.CSS(".site .blocked")), chromedp.WaitVisible(chromedp.CSS(".site[data-permission=blocked]")))
	if got := socket.ask(commonCall("getKeyInfo", `"PKCS12"`)); !strings.Contains(got, "action.canceled") {
		t.Errorf("a blocked site: %s", got)
	}
	s.click("#parts [data-part=calendar]")
	s.do("save the calendar", chromedp.Click(chromedp.CSS("#export")))
	s.click("#parts [data-part=keys]")
	s.do("forget all, asked twice", chromedp.Click(chromedp.CSS("#forget-all")), chromedp.Click(chromedp.CSS("#forget-all[data-sure]")),
		chromedp.WaitReady(chromedp.CSS(".certificate[data-state=locked]")))
	if e := b.agent.known.all(nil); len(e) != 0 {
		t.Errorf("%d keys are still known", len(e))
	}
}

// TestTokenTwiceInBrowser: the page that is open says that somebody else opened its link, and that nothing was signed.
func TestTokenTwiceInBrowser(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.look()
	socket := b.dial(page)
	socket.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.unopened()
	s.do("open the page", chromedp.Navigate(h.url), s.ready())
	url, token, _ := strings.Cut(h.url, "#")
	thief := &hand{b: b, url: url}
	if p := thief.problem("/open", map[string]any{"token": token}); p.Code != "token_twice" {
		t.Errorf("%+v", p)
	}
	s.do("wait for the end", chromedp.WaitReady(chromedp.CSS("body[data-state=failed]")))
	if got := eval[string](s, `document.body.innerText`); !strings.Contains(got, lang.RU.Text("agent.problem.token_twice")) {
		t.Errorf("%s", got)
	}
	if got := socket.read(); !strings.Contains(got, "action.canceled") {
		t.Errorf("%s", got)
	}
}

// TestHomeTokenTwiceInBrowser: the page that is open says that its link was opened once more, also while somebody types a password there.
func TestHomeTokenTwiceInBrowser(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.look()
	id := keystore.Scan(b.agent.looked())[0].ID
	for _, tag := range lang.All() {
		b.agent.ShowHome(tag)
		h := b.unopened()
		s.do("open the page", chromedp.Navigate(h.url), s.ready())
		s.do("begin to type", chromedp.SendKeys(chromedp.CSS("#password-"+id), "Secr"))
		url, token, _ := strings.Cut(h.url, "#")
		thief := &hand{b: b, url: url}
		if p := thief.problem("/open", map[string]any{"token": token}); p.Code != "token_twice" {
			t.Errorf("%+v", p)
		}
		s.do("wait for the end", chromedp.WaitReady(chromedp.CSS("body[data-state=done]")))
		if got := eval[string](s, `document.getElementById('done').innerText`); got != tag.Text("home.token_twice") {
			t.Errorf("%s: the page says %q", tag, got)
		}
		if n := eval[int](s, `document.querySelectorAll('input[type=password]').length`); n != 0 {
			t.Errorf("%s: what was typed is still there", tag)
		}
		s.looks("home-twice-" + string(tag))
	}
}
