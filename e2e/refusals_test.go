package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"senim/internal/lang"
	"senim/internal/robot"
)

// TestAgentTroubles: a revoked key, the window closed, a wrong password, the agent gone; each said on the page or
// in the window, and the person goes on from where he was.
func TestAgentTroubles(t *testing.T) {
	t.Parallel()
	b := browser(t)
	sys, err := robot.Start(t.Context(), robot.Config{Bin: programs(t), Dir: t.TempDir(), Log: logs(t), AskStatus: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sys.Stop() })
	who, other := sys.Person("person"), sys.Person("accountant")
	w := newTab(t, b, sys, "ru").open(sys.Cabinet + "/signin")

	// An agent that can ask the responder does not let a revoked key be chosen.
	w.ask("/signin")
	v := w.openWindow()
	v.pick(other.Keys["revoked"])
	v.act("open the key", chromedp.SendKeys(css("#password"), other.Password), chromedp.Click(css("#sign")),
		chromedp.WaitVisible(css(`.key[data-state=unlocked][data-fits=false] .remark`)))
	v.shot("revoked")
	v.act("cancel", chromedp.Click(css("#cancel")), chromedp.WaitVisible(css("body[data-state=done]")))
	v.close()
	w.says("web.agent.cancelled")
	w.shot("cancelled")

	w.ask("/signin")
	v = w.openWindow()
	v.pick(who.Keys["personal"])
	v.act("a wrong password", chromedp.SendKeys(css("#password"), "Wrong12345"), chromedp.Click(css("#sign")), chromedp.WaitVisible(css("#error")))
	v.shot("wrong-password")
	v.decide(keyOf(who, "personal"))
	w.arrive()
	w.sees("Мои ключи ЭЦП")

	if err := sys.StopAgent(); err != nil {
		t.Fatal(err)
	}
	w = newTab(t, b, sys, "ru").open(sys.Cabinet + "/signin")
	w.ask("/signin")
	w.says("web.agent.absent")
	w.shot("absent")
}

// says waits until the page's live line has the text of a key.
func (w *tab) says(key string) {
	w.t.Helper()
	tag, _ := lang.Parse(w.lang)
	want := tag.Text(key)
	w.act("wait for: "+want, chromedp.WaitVisible(css(".senim-live")))
	for range 200 {
		if got := read(w, "read the line", chromedp.Text(css("main .senim-live"))); strings.Contains(got, want) {
			return
		}
	}
	w.t.Fatalf("the line does not say %q:\n%s", want, w.text())
}

// TestKeysThatDoNotFit: what the agent shows of an expired key and one not yet valid, and the pages
// that refuse a revoked key and the wrong role.
func TestKeysThatDoNotFit(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), shared(t)
	who := sys.Person("accountant")
	for _, folder := range []string{"expired-last-year", "valid-from-next-week"} {
		w := newTab(t, b, sys, "kk").open(sys.Cabinet + "/signin")
		w.ask("/signin")
		v := w.openWindow()
		v.pick(who.Keys[folder])
		v.act("open the key", chromedp.SendKeys(css("#password"), who.Password), chromedp.Click(css("#sign")),
			chromedp.WaitVisible(css(`.key[data-state=unlocked][data-fits=false] .remark`)))
		v.shot(folder)
		v.act("cancel", chromedp.Click(css("#cancel")), chromedp.WaitVisible(css("body[data-state=done]")))
		v.close()
		w.says("web.agent.cancelled")
	}
	newTab(t, b, sys, "kk").open(sys.Cabinet+"/signin").use("/signin", keyOf(who, "revoked")).refused("CERT_REVOKED").shot("revoked")

	w := newTab(t, b, sys, "en").open(sys.Portal + "/register")
	w.tick("category", "legal-entity").submit("/register")
	w.use("/1", keyOf(who, "company-X")).sees("First head")
	w.shot("employee")
	w.use("/1", keyOf(sys.Person("old-head"), "company-X")).shot("already-head")

	w = newTab(t, b, sys, "en").open(sys.Portal + "/login")
	w.use("/login", keyOf(sys.Person("old-head"), "company-X"))
	w.fill("password", "not the password").submit("/login/password").shot("wrong-password")
	w.sees("password")
	newTab(t, b, sys, "en").open(sys.Portal + "/register/confirm?t=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").refused("LINK_STALE")
}
