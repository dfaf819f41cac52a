package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestManyCompaniesInBrowser: an accountant with a folder of companies opens all with the password typed once, finds one by
// its number, sees what ends soon, and in the window of a site the keys that do not fit are out of the way.
func TestManyCompaniesInBrowser(t *testing.T) {
	b := bring(t, func(c *Config) { c.Cabinet = "https://cabinet.example.kz/" })
	const companies = 9
	for i := range companies {
		b.issue(fmt.Sprintf("GOST512_%d%039d.p12", i, i), company("ТОО «Фирма "+strconv.Itoa(i)+"»", fmt.Sprintf("12345678%03d1", i)), 20+30*i)
	}
	for i := range 3 {
		b.issue(fmt.Sprintf("GOST512_%d%039d.p12", i, 900+i), company("ТОО «Былое "+strconv.Itoa(i)+"»", fmt.Sprintf("22345678%03d1", i)), -5-i)
	}
	s := b.look()
	count := func(sel string) int { return eval[int](s, `document.querySelectorAll('`+sel+`').length`) }
	shown := func() int {
		return eval[int](s, `[...document.querySelectorAll('[data-key-id]')].filter((e) => e.checkVisibility()).length`)
	}
	b.agent.ShowHome(lang.RU)
	s.open()
	first := keystore.Scan(b.agent.looked())[0].ID
	s.do("open one, and with its password the others", chromedp.Click(chromedp.CSS("#same-"+first)), chromedp.SendKeys(chromedp.CSS("#password-"+first), password+kb.Enter),
		chromedp.WaitNotPresent(chromedp.CSS("[data-state=locked]")), s.ready())
	if n := count("#part [data-key-id]"); n != companies+3 {
		t.Errorf("%d keys on the page", n)
	}
	if text := eval[string](s, `document.getElementById('live').textContent`); text != lang.RU.Text("home.ui.opened-many", "n", strconv.Itoa(companies+3)) {
		t.Errorf("the page says %q", text)
	}
	if text := eval[string](s, `document.getElementById('soon').textContent`); !strings.Contains(text, "Фирма 0") || strings.Contains(text, "Фирма 1") {
		t.Errorf("what ends soon: %q", text)
	}
	s.looks("home-many-ru")
	s.do("find by a number typed with spaces", chromedp.SendKeys(chromedp.CSS("#find"), "123 456 780 031"))
	if n := shown(); n != 1 {
		t.Errorf("%d keys of one number", n)
	}
	s.looks("home-found-ru")
	s.do("forget the words", chromedp.SendKeys(chromedp.CSS("#find"), kb.Escape))
	s.do("find by the heading's words, in any order", chromedp.SendKeys(chromedp.CSS("#find"), "4» фирма"))
	if n := shown(); n != 1 {
		t.Errorf("%d keys of one name", n)
	}

	socket := b.dial("https://portal.example.kz")
	socket.send(commonCall("getKeyInfo", `"PKCS12"`))
	s.open()
	if n, folded := shown(), count("#unfit [data-fits=false]"); n != companies || folded != 3 {
		t.Errorf("%d keys are seen, %d folded away", n, folded)
	}
	s.see("#unfit summary")
	s.looks("sign-companies-ru")
	s.do("find one that does not fit", chromedp.SendKeys(chromedp.CSS("#find"), "былое 2"))
	if n := shown(); n != 1 {
		t.Errorf("%d keys are seen of one that does not fit", n)
	}
	s.do("forget the words", chromedp.SendKeys(chromedp.CSS("#find"), kb.Escape))
	if state := eval[string](s, `document.body.dataset.state`); state != "ready" {
		t.Errorf("Escape in the field that finds: the window is %s", state)
	}
	s.do("find another", chromedp.SendKeys(chromedp.CSS("#find"), "фирма 7"+kb.Enter))
	if state := eval[string](s, `document.body.dataset.state`); state != "ready" {
		t.Errorf("Enter in the field that finds: the window is %s", state)
	}
	s.click(`[data-key-id]:not([hidden])`)
	s.do("give it", chromedp.SendKeys(chromedp.CSS("#password"), password+kb.Enter), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
	if got := socket.read(); !strings.Contains(got, "Фирма 7") {
		t.Errorf("%.300s", got)
	}
}

// TestFoundByACopy: a key that is found by the folder of a copy says where that copy is; the date of a file says what it is of.
func TestFoundByACopy(t *testing.T) {
	b := bring(t)
	for i := range 9 {
		b.key("GOST512_"+strconv.Itoa(i)+".p12", b.authority.Individual())
	}
	content, err := os.ReadFile(filepath.Join(b.folder, "GOST512_4.p12"))
	if err != nil {
		t.Fatal(err)
	}
	there := ""
	for _, name := range []string{"АО Компания 29", "АО Компания 30"} {
		there = filepath.Join(b.folder, name, "копия.p12")
		if err := os.MkdirAll(filepath.Dir(there), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(there, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, socket := b.look(), b.dial(page)
	rows := func() string {
		return eval[string](s, `[...document.querySelectorAll('[data-key-id]')].filter((e) => e.checkVisibility()).map((e) => e.innerText).join('|')`)
	}
	found := func(where string) {
		t.Helper()
		if got := rows(); !strings.Contains(got, lang.RU.Text("agent.file.dated", "date", lang.RU.Date(time.Now()))) || strings.Contains(got, "Компания 30") && where == "the window" {
			t.Errorf("%s: %s", where, got)
		}
		s.do("find the folder of a copy", chromedp.SendKeys(chromedp.CSS("#find"), "компания 30"))
		if got := rows(); strings.Contains(got, "|") || strings.Count(got, lang.RU.Text("agent.ui.copy-at")+" "+there) != 1 {
			t.Errorf("%s: %s", where, got)
		}
		s.looks("copy-" + strings.ReplaceAll(where, " ", "-"))
		s.do("and one by its name", chromedp.SendKeys(chromedp.CSS("#find"), kb.Escape), chromedp.SendKeys(chromedp.CSS("#find"), "GOST512_4"))
		if got := rows(); strings.Contains(got, lang.RU.Text("agent.ui.copy-at")) && where == "the window" {
			t.Errorf("%s: %s", where, got)
		}
	}
	b.agent.ShowHome(lang.RU)
	s.open()
	found("the page")
	socket.send(commonCall("getKeyInfo", `"PKCS12"`))
	s.open()
	found("the window")
	s.click("#cancel")
	socket.read()
}
