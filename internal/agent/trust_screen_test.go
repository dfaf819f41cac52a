package agent

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"senim/internal/freeport"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// TestTrustInBrowser: in three languages a person adds an authority after comparing its fingerprint, has a key made that
// will be installed elsewhere, gives it up, and turns on the door for large documents, whose port is taken.
func TestTrustInBrowser(t *testing.T) {
	other, err := freeport.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	b := bring(t, func(c *Config) { c.Pool, c.LargeSwitch = nil, other.Addr().String() })
	s := b.look()
	socket := b.dial(page)
	for _, tag := range lang.All() {
		name := func(what string) string { return what + "-" + string(tag) }
		socket.send(keysCall("generate", strings.Replace(strings.Replace(generateArgs, "KZ-2026-000123", name("r"), 1), `"locale":"ru"`, `"locale":"`+string(tag)+`"`, 1)))
		s.open()
		s.click("#confirm")
		s.see("#new-password")
		s.looks(name("elsewhere"))
		s.do("give the password", chromedp.SendKeys(chromedp.CSS("#new-password"), "Carried42"), chromedp.SendKeys(chromedp.CSS("#new-password-2"), "Carried42"),
			chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		made := result[ncalayer.Generated](t, socket.read())

		b.agent.ShowHome(tag)
		s.open()
		s.do("choose the language", chromedp.Click(chromedp.CSS("#language [lang="+string(tag)+"]")), s.ready())
		s.click("#parts [data-part=keys]")
		one := `[data-key-id="` + made.Keys[0].KeyID + `"]`
		s.click(one + " .discard")
		s.see(one + " .discard[data-sure]")
		s.looks(name("home-discard"))
		s.do("give the key up", chromedp.Click(chromedp.CSS(one+" .discard[data-sure]")), chromedp.WaitNotPresent(chromedp.CSS(one)), s.ready())

		s.click("#parts [data-part=authorities]")
		s.looks(name("home-authorities-none"))
		lay := func(text string) {
			eval[bool](s, `(() => { const d = new DataTransfer(); d.items.add(new File([Uint8Array.from(atob("`+text+`"), (c) => c.charCodeAt(0))], 'root.cer'));
				document.getElementById('authority').files = d.files; return true; })()`)
			s.click("#authority-look")
		}
		lay("eA==")
		s.see("#error[data-code=no_authority]")
		s.looks(name("home-authority-wrong"))
		lay(base64.StdEncoding.EncodeToString(b.authority.Root.Raw))
		s.see("#offered #authority-add")
		s.looks(name("home-authority-offered"))
		s.do("trust it", chromedp.Click(chromedp.CSS("#authority-add")), chromedp.WaitVisible(chromedp.CSS(".certificate .remove")), s.ready())
		s.looks(name("home-authorities"))
		s.do("trust it no more", chromedp.Click(chromedp.CSS(".certificate .remove")), chromedp.WaitNotPresent(chromedp.CSS(".certificate .remove")), s.ready())

		s.click("#parts [data-part=settings]")
		s.do("large documents", chromedp.Click(chromedp.CSS("#large")), chromedp.WaitVisible(chromedp.CSS("#large-held")), s.ready())
		s.looks(name("home-large"))
		s.do("not any more", chromedp.Click(chromedp.CSS("#large")), chromedp.WaitNotPresent(chromedp.CSS("#large-held")), s.ready())
	}
}
