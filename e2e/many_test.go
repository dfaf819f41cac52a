package e2e

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// speak asks for the pages that follow in a language.
func speak(w *tab, lang string) {
	w.t.Helper()
	w.lang = lang
	if _, err := chromedp.Call(w.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}}); err != nil {
		w.t.Fatalf("speak %s: %v", lang, err)
	}
}

// TestManyInBrowser renews the keys of a folder in one go, in the browser: the agent's windows for
// many keys have a script of their own.
func TestManyInBrowser(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), start(t)
	w := newTab(t, b, sys, "ru")
	person, head := keyOf(sys.Person("person"), "personal"), keyOf(sys.Person("old-head"), "company-X")
	w.open(sys.Cabinet+"/signin").use("/signin", person)

	// The folder: a wrong password for the rest is nobody's trouble; one password opens many.
	w.open(sys.Cabinet + "/many").ask("/many/list")
	v := w.openWindow()
	v.pick(head.file)
	v.act("the password of all", chromedp.SendKeys(css("#password"), head.password), chromedp.Click(css("#same")))
	v.shot("agent-many-list")
	v.act("open", chromedp.Click(css("#sign")), chromedp.WaitReady(css("body[data-state=ready] .key[data-state=unlocked] input[type=checkbox]")))
	v.act("tick all", chromedp.Click(css("#all")))
	v.shot("agent-many-list-open")
	v.act("tell", chromedp.Click(css("#sign")), chromedp.WaitVisible(css("body[data-state=done]")))
	v.close()
	w.arrive()
	if !strings.Contains(w.text(), "Отметить всё") {
		t.Fatalf("no table of keys:\n%s", w.text())
	}
	p := lookingWith(t, w)
	p.look("many", sys.Cabinet+"/many?tick=999")

	// The selection, asked once for all.
	w.open(sys.Cabinet + "/many?tick=999")
	w.press(css("main form[action='/many/choose'] button:not([formaction])"))
	w.shot("many-chosen")
	w.fill("city", "Алматы").submit("/many/batches")
	address := read(w, "where we are", chromedp.Location())
	p.look("many-batch", address)
	w.open(address)
	folder := t.TempDir()
	w.ask("/keys")
	v = w.openWindow()
	v.act("name the folder", empty("#folder"), chromedp.SendKeys(css("#folder"), folder))
	v.shot("agent-many-generate")
	v.act("make", chromedp.Click(css("#sign")), chromedp.WaitVisible(css("body[data-state=done]")))
	v.close()
	w.arrive()

	// One code for all of them, of the person who renews them.
	w.press(css("main a[href^='/factor']")).code(sys.Person("person").Email)

	// One wrong password is said beside its key, and the others stay open.
	w.ask("/sign")
	v = w.openWindow()
	keys := read(v, "the keys", chromedp.Evaluate[int](`document.querySelectorAll("input[data-password]").length`))
	if keys < 2 {
		t.Fatalf("%d keys to open", keys)
	}
	v.act("one wrong password", chromedp.SendKeys(css("input[data-password]"), "Wrong123"))
	v.act("open", chromedp.Click(css("#sign")), chromedp.WaitVisible(css("body[data-state=ready] .wrong[data-code=wrong_password]")))
	if n := read(v, "the wrong ones", chromedp.Evaluate[int](`document.querySelectorAll(".wrong").length`)); n != 1 {
		t.Errorf("%d keys are said to be wrong", n)
	}
	v.act("the password of all", empty("input[data-password]"), chromedp.SendKeys(css("input[data-password]"), head.password), chromedp.Click(css("#same")))
	v.shot("agent-many-sign")
	v.act("sign", chromedp.Click(css("#sign")), chromedp.WaitVisible(css("body[data-state=done]")))
	v.close()
	w.arrive()
	w.act("issued", chromedp.WaitVisible(css("main form[action$='/install']")))
	w.shot("many-install")

	w.ask("/install")
	v = w.openWindow()
	v.act("a new password, twice", chromedp.SendKeys(css("#new-password"), "Secret42"), chromedp.SendKeys(css("#new-password-2"), "Secret42"))
	v.shot("agent-many-install")
	v.act("install", chromedp.Click(css("#sign")), chromedp.WaitVisible(css("body[data-state=done]")))
	v.close()
	w.arrive()
	w.shot("many-done")
	files, err := filepath.Glob(filepath.Join(folder, "GOST512_*.p12"))
	if err != nil || len(files) == 0 || !strings.Contains(w.text(), "Установлено: "+strconv.Itoa(len(files))) {
		t.Errorf("%d files, %v:\n%s", len(files), err, w.text())
	}
}
