package agent

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

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
