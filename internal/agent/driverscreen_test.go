package agent

import (
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"senim/internal/lang"
	"senim/internal/pkitest"
)

// TestDriversInBrowser: in three languages a person adds the driver of a token by choosing its file, after the page said what a driver is,
// sees the token and its key, also when it is pulled out while the page is open, and takes the driver away.
func TestDriversInBrowser(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	p, dir := newPort(t), t.TempDir()
	mine := filepath.Join(dir, "libdriver.so")
	copyTo(t, driver.Module, mine, 0o600)
	needPrivate(t, mine)
	data := t.TempDir()
	leftOn(t, driver, data)
	b := bring(t, func(o *Config) { o.TokenProgram, o.Folders, o.Data = driver.Program, []string{dir}, data })
	b.agent.lookEvery = 50_000_000
	s := b.look()
	for _, tag := range lang.All() {
		name := func(what string) string { return "drivers-" + what + "-" + string(tag) }
		b.agent.ShowHome(tag)
		s.open()
		s.do("choose the language", chromedp.Click(chromedp.CSS("#language [lang="+string(tag)+"]")), s.ready())
		s.click("#parts [data-part=tokens]")
		s.looks(name("none"))
		s.click("#driver-choose")
		s.see("#chooser")
		s.do("go to the folder", chromedp.Click(`//button[text()="`+dir+`"]`), chromedp.WaitVisible(chromedp.CSS(`#chooser input[value="`+mine+`"]`)), s.ready())
		s.click(`#chooser input[value="` + mine + `"]`)
		s.do("without the tick", chromedp.Click(chromedp.CSS("#driver-add")), chromedp.WaitVisible(chromedp.CSS("#error[data-code=driver_sure]")), s.ready())
		s.looks(name("sure"))
		s.click("#driver-sure")
		s.do("add it", chromedp.Click(chromedp.CSS("#driver-add")), chromedp.WaitVisible(chromedp.CSS(".driver[data-kind=own]")), s.ready())
		s.looks(name("one"))
		s.click("#parts [data-part=keys]")
		s.see(".certificate[data-state=known]")
		s.see(".discard-record")
		s.looks(name("keys"))
		p.pull()
		s.see(".certificate[data-state=away]")
		s.looks(name("away"))
		p.plug()
		s.see(".certificate[data-state=known]")
		s.click("#parts [data-part=tokens]")
		s.do("take it away", chromedp.Click(chromedp.CSS(".driver .remove")), chromedp.WaitNotPresent(chromedp.CSS(".driver")), s.ready())
	}
}
