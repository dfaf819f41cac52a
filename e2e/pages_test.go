package e2e

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe is the accessibility checker, when the styles' tools are installed (npm ci).
const axe = "../internal/web/assets/src/node_modules/axe-core/axe.min.js"

// look judges one page as it stands: what a person would stumble over, in words; none when empty.
// The accessibility checker looks where it was brought, see lookAfter.
// Pages that wait, as the mail box, refresh themselves on purpose: without a script nothing else can.
const look = `(async (lang) => {
	await document.fonts.ready; // the letters of the system may be wider
	const bad = [], d = document.documentElement;
	if (d.scrollWidth > innerWidth) {
		const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).pop();
		bad.push("wider than the screen: " + d.scrollWidth + " > " + innerWidth + (wide ? ", as <" + wide.tagName + " class=" + wide.className + "> " + (wide.innerText || "").slice(0, 60) : ""));
	}
	const heads = document.querySelectorAll("h1").length;
	if (heads !== 1) bad.push(heads + " headings of the first level");
	if (d.lang !== lang) bad.push("lang is " + d.lang);
	for (const m of document.body.innerText.matchAll(/\[[a-z_]+\.[a-z_.]+\]/g)) bad.push("no text for " + m[0]);
	for (const i of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
		if (!i.labels.length && !i.getAttribute("aria-label")) bad.push("no label: " + i.name + i.id);
	for (const l of document.querySelectorAll("label.govuk-label:not(.govuk-radios__label):not(.govuk-checkboxes__label)"))
		if (/^\p{Ll}/u.test(l.innerText.trim())) bad.push("a label begins small: " + l.innerText);
	const size = (e) => parseFloat(getComputedStyle(e).fontSize);
	for (const m of document.querySelectorAll(".senim-mono > .govuk-tag")) {
		if (size(m) > size(m.parentElement)) bad.push("a mark is larger than its number: " + m.parentElement.innerText);
		const number = document.createRange();
		number.selectNodeContents(m.parentElement.firstChild);
		const at = number.getBoundingClientRect(), own = m.getBoundingClientRect();
		if (own.top > at.bottom || own.bottom < at.top) bad.push("a mark stands on another line than its number: " + m.parentElement.innerText);
	}
	if (window.axe && innerWidth < 640) {
		const found = await axe.run(document, {resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
			rules: {"meta-refresh": {enabled: false}}});
		for (const v of found.violations) if (["serious", "critical"].includes(v.impact))
			bad.push(v.id + ": " + v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", "));
	}
	return bad;
})(%s)`

// shape is a page without its words: elements, their attributes, and where words are. Two languages of one page differ
// in nothing else but the mark of the language itself, so what the accessibility checker finds in one it finds in the other.
const shape = `(() => {
	const kept = new Set(["class", "id", "for", "role", "type", "tabindex", "style", "aria-hidden", "aria-describedby", "aria-labelledby", "aria-expanded", "aria-controls"]);
	const of = (n) => n.nodeType === 3 ? (n.data.trim() ? "w" : "") : n.nodeType !== 1 ? "" :
		"<" + n.tagName + [...n.attributes].filter((a) => a.name !== "aria-current").map((a) => " " + a.name + "=" + (kept.has(a.name) ? a.value : !!a.value.trim())).join("") + ">" +
		[...n.childNodes].map(of).join("").replace(/w+/g, "w") + "/";
	return of(document.documentElement);
})()`

// serviceAsks is how the example's program sends people to the portal: to the page of consent when
// somebody is signed in, else to the one that says who asks.
const serviceAsks = "/oidc/authorize?response_type=code&client_id=example&redirect_uri=http://127.0.0.1/callback&scope=openid+profile+email+iin+organization+certificate+offline_access" +
	"&state=12345678&nonce=12345678&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

// lookingWith makes who looks at pages, with the checker when it is installed.
func lookingWith(t *testing.T, w *tab) *pages {
	t.Helper()
	checker, err := os.ReadFile(axe)
	if err != nil {
		t.Log("axe-core is not installed (npm ci in internal/web/assets/src): the pages are looked at without it")
	}
	p := &pages{t: t, axe: string(checker)}
	p.open(w)
	return p
}

// TestPages looks at the pages a stranger, a key's owner, a head and an operator reach, in three
// languages, on a phone and on a desk.
func TestPages(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), shared(t)
	p := lookingWith(t, newTab(t, b, sys, "ru"))
	for _, at := range []string{"/", "/signin", "/check", "/check/consent/AAAA", "/visit", "/no-such-page", "/email/AAAA", "/unsubscribe/AAAA", "/desk/signin"} {
		p.look("open", sys.Cabinet+at)
	}
	p.look("responder", sys.Responder+"/")
	p.look("mailbox", sys.Mailbox+"/")
	p.look("mailbox", sys.Mailbox+"/sms")

	p.w.open(sys.Cabinet+"/signin").use("/signin", keyOf(sys.Person("person"), "personal"))
	for _, at := range []string{"/keys", "/keys/reissue", "/applications", "/profile", "/apply/legal", "/apply/legal/employee",
		"/apply/legal/employee/data?bin=123456789021", "/signup", "/factor?for=reissue:x&next=/keys", "/check/person", "/keys/share", "/reports", "/calendar", "/many"} {
		p.look("cabinet", sys.Cabinet+at)
	}
	who := sys.Person("person")
	p.lookAfter("cabinet-check_person-found", func() {
		p.w.open(sys.Cabinet+"/check/person").fill("number", who.IIN).submit("/check/person").sees(serial(t, keyOf(who, "personal")))
	})
	me := enter(t, sys, sys.Cabinet+"/signin", keyOf(who, "personal"))
	me.open(sys.Cabinet+"/keys/reissue").send("/keys/reissue", "email", who.Email, "city", "Астана", "storage", "PKCS12")
	p.look("cabinet-draft", me.p.URL.String())
	p.look("cabinet-upload", me.p.URL.String()+"/upload")
	head := newTab(t, b, sys, "ru")
	head.open(sys.Cabinet+"/signin").use("/signin", keyOf(sys.Person("old-head"), "company-X"))
	p.open(head)
	p.look("head", sys.Cabinet+"/confirm")
	for _, at := range []string{"/company", "/delegation", "/delegation/new"} {
		p.look("company", sys.Cabinet+at)
	}
	clerk := newTab(t, b, sys, "ru")
	clerk.open(sys.Cabinet+"/desk/signin").use("/desk/signin", keyOf(sys.Person("clerk-1"), "office"))
	p.open(clerk)
	for _, at := range []string{"/desk/", "/desk/find", "/desk/take", "/desk/list", "/desk/registry", "/desk/registry/new", "/desk/loads"} {
		p.look("desk", sys.Cabinet+at)
	}
}

// TestPagesOfThePortal looks at the pages of a stranger, of a participant and of whom he invites.
func TestPagesOfThePortal(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), shared(t)
	p := lookingWith(t, newTab(t, b, sys, "ru"))
	for _, at := range []string{"/", "/login", "/login/recover", "/login/change-email", "/login/reset-password", "/register",
		"/register/confirm?t=AAAA", "/esf-web/login/", "/registry-status", "/no-such-page", serviceAsks,
		strings.Replace(serviceAsks, "?", "?acr_values=urn:senim:acr:certificate&", 1)} {
		p.look("portal", sys.Portal+at)
	}
	head, guest := sys.Person("old-head"), sys.Person("deputy")
	p.w.portalSignIn(keyOf(head, "company-X"), head.PortalPassword)
	for _, at := range []string{"/me", "/me/details", "/me/password", "/me/entries", "/me/agreements", "/me/passkeys", "/login/profile", "/org/users/invite", "/me/services", "/oidc/end", "/oidc/end?client_id=nobody",
		"/oidc/authorize?client_id=nobody", "/oidc/request/AAAA", serviceAsks} {
		p.look("portal-in", sys.Portal+at)
	}
	speak(p.w, "ru")
	now := time.Now()
	p.w.open(sys.Portal+"/org/users/invite").fill("iin", guest.IIN).fill("email", guest.Email).fill("proxy", "17").date("from", now).date("to", now.AddDate(0, 6, 0))
	p.w.act("a permission", chromedp.Click(css("main .govuk-checkboxes__input")))
	p.w.submit("/org/users/invite")
	p.look("portal-invite-sign", read(p.w, "where", chromedp.Location()))
	speak(p.w, "ru")
	p.w.use("/org/users/invite/", keyOf(head, "company-X"))
	p.look("portal-users", sys.Portal+"/org/users")
	p.look("portal-acts", sys.Portal+"/me/acts") // the invitation is one
	link := p.w.link(guest.Email, "/invite?")
	p.open(newTab(t, b, sys, "ru"))
	p.look("portal-invited", link)
	speak(p.w, "ru")
	p.w.open(link).use("/invite", keyOf(guest, "company-X"))
	p.look("portal-accept", read(p.w, "where", chromedp.Location()))
}

// TestSignInLeavesTheConsoleEmpty: nothing in red and no warning for whom looks into the console, as those
// do who help people by telephone; the client's own look for another program included.
func TestSignInLeavesTheConsoleEmpty(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), shared(t)
	head := sys.Person("old-head")
	for name, at := range map[string]string{"cabinet": sys.Cabinet + "/signin", "portal": sys.Portal + "/login"} {
		p := &pages{t: t, all: true}
		w := newTab(t, b, sys, "ru")
		p.open(w)
		w.open(at)
		_, part, _ := strings.Cut(strings.SplitN(at, "://", 2)[1], "/")
		w.use(part, keyOf(head, "company-X"))
		p.mu.Lock()
		for _, line := range p.said {
			t.Errorf("%s: the console says %s", name, line)
		}
		p.mu.Unlock()
	}
}

// date sets a field of a date.
func (w *tab) date(name string, day time.Time) *tab {
	w.t.Helper()
	w.act("the date "+name, chromedp.SetValue(css("main [name=%q]", name), day.Format(time.DateOnly)))
	return w
}

// pages looks at pages in one tab and gathers what its console says.
type pages struct {
	t    *testing.T
	w    *tab
	axe  string
	all  bool // warnings too, and pages that say no with an error status
	mu   sync.Mutex
	said []string // under mu
}

func (p *pages) open(w *tab) {
	p.t.Helper()
	p.w = w
	// The context of the tab: that of one act ends with it, and the listening too.
	err := chromedp.Listen(w.ctx, func(ev any) {
		line := ""
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			line = e.ExceptionDetails.Text
		case *cdplog.EventEntryAdded:
			// A page that says no with an error status is a page, not a fault.
			no := strings.Contains(e.Entry.Text, "the server responded with a status of 4")
			if level := string(e.Entry.Level); level == "error" && !no || p.all && (level == "error" || level == "warning") {
				line = e.Entry.Text
			}
		}
		if line != "" {
			p.mu.Lock()
			p.said = append(p.said, line)
			p.mu.Unlock()
		}
	})
	if err != nil {
		w.t.Fatalf("listen to the console: %v", err)
	}
}

// look opens the page in each language and size. The responder and the mail box follow the browser's
// language, our sites too as long as nobody chose one.
func (p *pages) look(kind, address string) {
	p.t.Helper()
	_, path, _ := strings.Cut(strings.SplitN(address, "://", 2)[1], "/")
	p.lookAfter(kind+"-"+strings.NewReplacer("/", "_", "?", "_").Replace(path), func() { p.w.open(address) })
}

// lookAfter looks at the page that an act leads to; the act is done again for each language. The accessibility checker,
// which takes as long as everything else, looks at the narrow page (the wide one has the same elements) in the first
// language, and in another where the page differs in more than words. The tab is left at a desk with the page in
// Russian, so that a test goes on from there.
func (p *pages) lookAfter(name string, act func()) {
	p.t.Helper()
	name = name[:min(len(name), 80)] // a service's request is longer than a file's name may be
	checked := map[string]bool{}
	for _, tag := range []string{"kk", "en", "ru"} {
		speak(p.w, tag)
		p.size(1280, 900)
		act()
		address := name
		if form := read(p.w, "the shape of the page", chromedp.Evaluate[string](shape)); p.axe != "" && !checked[form] {
			checked[form] = true
			p.w.act("bring axe", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](p.axe+";true"))
				return err
			}))
		}
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"phone", 320, 700}, {"desk", 1280, 900}} {
			p.size(size.width, size.height)
			bad := read(p.w, "look at the page", chromedp.Evaluate[[]string](script(look, tag), chromedp.EvalAwaitPromise))
			for _, one := range bad {
				p.t.Errorf("%s in %s, %s: %s", address, tag, size.name, one)
			}
			p.w.shot(name + "-" + size.name)
		}
		p.mu.Lock()
		if len(p.said) > 0 {
			b, _ := json.Marshal(p.said)
			p.t.Errorf("%s in %s: the console says %s", address, tag, b)
			p.said = nil
		}
		p.mu.Unlock()
	}
}

func (p *pages) size(width, height int64) {
	p.t.Helper()
	if _, err := chromedp.Call(p.w.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1}); err != nil {
		p.t.Fatal(err)
	}
}
