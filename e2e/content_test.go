package e2e

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"senim/internal/robot"
)

// walk is a person without a browser who fills the pages with content; the browser then looks at them.
type walk struct {
	t   *testing.T
	sys *robot.System
	b   *robot.Browser
	p   *robot.Page
}

// enter signs a person in without a browser.
func enter(t *testing.T, sys *robot.System, address string, k choice) *walk {
	t.Helper()
	w := &walk{t: t, sys: sys, b: robot.NewBrowser("ru")}
	return w.open(address).use("answer", robot.Choice{Key: k.file, Password: k.password})
}

func (w *walk) took(p *robot.Page, err error) *walk {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	if code := p.Code(); code != "" {
		w.t.Fatalf("%s refuses with %s:\n%s", p.URL.Path, code, p.Text())
	}
	w.p = p
	return w
}

func (w *walk) open(address string) *walk {
	w.t.Helper()
	return w.took(w.b.Open(w.t.Context(), address))
}

func (w *walk) send(part string, fields ...string) *walk {
	w.t.Helper()
	f, err := w.p.Form(part)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	return w.took(f.Submit(w.t.Context()))
}

func (w *walk) use(part string, c robot.Choice) *walk {
	w.t.Helper()
	defer turn(w.t, w.sys)()
	return w.took(w.sys.Use(w.t.Context(), w.p, part, c, nil))
}

// employee applies for keys of X in a role up to the signature, and gives the address of the
// application and the folder of the new keys.
func (w *walk) employee(who robot.Person, role string, k choice) (address, folder string) {
	w.t.Helper()
	folder = w.t.TempDir()
	w.open(w.sys.Cabinet+"/apply/legal/employee/data?bin="+bin).
		send("/apply/legal/employee/data", "role", role, "email", who.Email, "city", "Астана", "storage", "PKCS12").
		use("/keys", robot.Choice{Folder: folder}).factor(who.Email).
		use("/sign", robot.Choice{Key: k.file, Password: k.password})
	return w.p.URL.String(), folder
}

// factor types the code that comes by e-mail, where the page asks for one.
func (w *walk) factor(email string) *walk {
	w.t.Helper()
	if w.p.URL.Path != "/factor" {
		return w
	}
	w.send("kind", "kind", "email")
	code, err := w.sys.Code(w.t.Context(), email)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.send("code", "code", code)
}

// lend gives the browser's tab the person's session.
func (w *walk) lend(to *tab, site string) {
	w.t.Helper()
	u, err := url.Parse(site)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range w.b.Client().Jar.Cookies(u) {
		if _, err := chromedp.Call(to.ctx, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: site}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// number is the application of an address.
func number(address string) string { return address[strings.LastIndex(address, "/")+1:] }

// TestC08ConfirmByKeyboard: employees apply, and the director confirms two of them with one signature
// by the keyboard alone; a reader who opens every link of the letter confirms nothing (NT-23). The
// pages on the way are looked at with what stands on them; then those of reports, the calendar's link
// (NT-25), delegation up to the delegate's confirmation (C-13), and the check (C-34).
func TestC08ConfirmByKeyboard(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), start(t)
	head, person, staff, next := sys.Person("old-head"), sys.Person("person"), sys.Person("accountant"), sys.Person("new-head")
	leaver := sys.Person("leaver")
	p := lookingWith(t, newTab(t, b, sys, "ru"))

	// Three wait for the director.
	applicant := enter(t, sys, sys.Cabinet+"/signin", keyOf(person, "personal"))
	first, _ := applicant.employee(person, "employee", keyOf(person, "personal"))
	other := enter(t, sys, sys.Cabinet+"/signin", keyOf(staff, "company-X"))
	second, folder := other.employee(staff, "sign-right", keyOf(staff, "company-X"))
	third, _ := enter(t, sys, sys.Cabinet+"/signin", keyOf(next, "personal")).employee(next, "finance", keyOf(next, "personal"))
	director := enter(t, sys, sys.Cabinet+"/signin", keyOf(head, "company-X"))
	director.lend(p.w, sys.Cabinet)
	p.look("waiting", sys.Cabinet+"/confirm")
	p.look("waiting-chosen", sys.Cabinet+"/confirm/sign?number="+number(first)+"&number="+number(second))
	p.look("waiting-reject", sys.Cabinet+"/confirm/reject?number="+number(third))
	p.look("waiting-seen", second)

	// NT-23: a scanner opens every link of the letter that asks for a confirmation; nothing is confirmed.
	letter, err := sys.Letter(t.Context(), head.Email, number(second)[:4])
	if err != nil {
		t.Fatal(err)
	}
	scanner := robot.NewBrowser("ru")
	for _, link := range letter.Links {
		if _, err := scanner.Open(t.Context(), link); err != nil {
			t.Fatal(err)
		}
	}
	director.open(sys.Cabinet + "/confirm")
	for _, one := range []string{first, second, third} {
		if f, err := director.p.Form("/confirm/sign"); err != nil || f == nil || !strings.Contains(director.p.Text(), "Отметить") {
			t.Fatalf("after every link was opened %s does not wait: %v\n%s", one, err, director.p.Text())
		}
	}

	// Two of three are confirmed by the keyboard.
	w := p.w
	w.open(sys.Cabinet + "/confirm")
	w.keys = true
	for _, one := range []string{first, second} {
		w.tick("number", number(one))
	}
	w.press("main form button:not([formaction])").sees("СЕРИКОВА", "АХМЕТОВА")
	w.use("/confirm/sign", keyOf(head, "company-X")).sees("СЕРИКОВА", "АХМЕТОВА").shot("confirmed")
	w.keys = false
	p.look("waiting-rest", sys.Cabinet+"/confirm")

	// The employee finds the application without its number.
	applicant.open(sys.Cabinet + "/applications")
	if !applicant.p.Has(formatted(number(first))) {
		t.Errorf("the list of applications does not show %s:\n%s", number(first), applicant.p.Text())
	}
	issued(t, applicant, first)
	issued(t, other, second)
	other.use("/install", robot.Choice{NewPassword: newPassword})
	p.open(newTab(t, b, sys, "ru"))
	applicant.lend(p.w, sys.Cabinet)
	p.look("issued", first)
	p.look("applications", sys.Cabinet+"/applications")

	// A report, the calendar's link, consent; each made once and looked at.
	applicant.open(sys.Cabinet+"/reports").send("/reports", "which", "mine", "format", "pdf")
	p.look("report", applicant.p.URL.String())
	p.look("reports-made", sys.Cabinet+"/reports")
	applicant.open(sys.Cabinet + "/calendar").send("/calendar/link")
	if text := applicant.p.Text(); !strings.Contains(text, ".ics") {
		t.Errorf("the link of the calendar is not shown:\n%s", text)
	}
	if applicant.open(sys.Cabinet + "/calendar"); strings.Contains(applicant.p.Text(), ".ics") {
		t.Errorf("the link of the calendar is shown a second time:\n%s", applicant.p.Text())
	}
	p.look("calendar-feed", sys.Cabinet+"/calendar")
	applicant.open(sys.Cabinet + "/keys/share").send("/keys/share")
	p.look("shared", sys.Cabinet+"/keys/share")

	// Delegation by the keyboard, to the employee who now has the right to sign.
	w = newTab(t, b, sys, "ru")
	director.lend(w, sys.Cabinet)
	w.open(sys.Cabinet + "/delegation/new")
	w.keys = true
	w.fill("iin", staff.IIN).tick("revoke", "yes").submit("/delegation/new").code(head.Email)
	w.keys = false
	p.open(w)
	p.look("delegation-sign", sys.Cabinet+"/delegation/sign")
	p.look("company-staff", sys.Cabinet+"/company?state=all")
	w.open(sys.Cabinet + "/delegation/sign")
	w.keys = true
	w.use("/delegation/sign", keyOf(head, "company-X"))
	w.keys = false
	p.look("delegations", sys.Cabinet+"/delegation")
	director.open(sys.Cabinet + "/delegation")
	if end, err := director.p.Follow(t.Context(), "/delegation/.*/end"); err != nil {
		t.Error(err)
	} else {
		p.look("delegation-end", end.URL.String())
	}

	// The delegate confirms the third.
	made, err := filepath.Glob(filepath.Join(folder, "*.p12"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%d new key files (%v)", len(made), err)
	}
	delegate := choice{file: made[0], password: newPassword}
	w = newTab(t, b, sys, "ru")
	w.open(sys.Cabinet+"/signin").use("/signin", delegate)
	w.open(sys.Cabinet+"/confirm").tick("number", number(third)).press(css("main form button:not([formaction])"))
	w.sees("ТЕСТОВ").use("/confirm/sign", delegate).sees("Подтверждена").shot("delegate")
	p.open(w)
	p.look("delegate-company", sys.Cabinet+"/company")

	// Somebody is dismissed by the keyboard.
	w = newTab(t, b, sys, "ru")
	director.lend(w, sys.Cabinet)
	w.open(sys.Cabinet + "/company")
	w.keys = true
	w.follow("/company/dismiss?serial=" + serial(t, keyOf(leaver, "company-X"))).shot("dismiss")
	if w.asks("main a[href^='/factor']") {
		w.follow("/factor").code(head.Email)
	}
	w.use("/company/dismiss", keyOf(head, "company-X")).sees("ОМАРОВ").shot("dismissed")

	// C-34: a number never issued is not valid, and says so.
	w = newTab(t, b, sys, "ru")
	w.open(sys.Cabinet+"/check").fill("serial", strings.Repeat("5a", 20)).submit("/check").sees("Не выпускался")
	w.shot("check-never")
	w.open(sys.Cabinet+"/check").fill("serial", serial(t, keyOf(person, "personal"))).submit("/check").sees("Действителен")
	w.shot("check-valid")
	w.open(sys.Cabinet+"/check").fill("serial", serial(t, keyOf(staff, "revoked"))).submit("/check").sees("Отозван")
	w.shot("check-revoked")
	w.open(sys.Cabinet+"/check").fill("serial", serial(t, keyOf(staff, "expired-last-year"))).submit("/check").sees("Истёк")
	w.shot("check-expired")
}

// issued waits until the certificate of an application is there.
func issued(t *testing.T, w *walk, address string) {
	t.Helper()
	w.open(address)
	p, err := w.p.Until(t.Context(), func(p *robot.Page) bool { _, err := p.Form("/install"); return err == nil })
	if err != nil {
		t.Fatal(err)
	}
	w.p = p
}

// formatted is an application's number as pages write it.
func formatted(n string) string { return n[:4] + "-" + n[4:8] + "-" + n[8:] }

// TestC29CodesInBrowser: five wrong codes are the end of a code, the right one does not help any more,
// and a new one comes after a minute; then a link of an e-mail that was used once (C-38).
func TestC29CodesInBrowser(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), start(t)
	who := sys.Person("person")
	w := newTab(t, b, sys, "ru")
	me := enter(t, sys, sys.Cabinet+"/signin", keyOf(who, "personal"))
	me.open(sys.Cabinet+"/keys/reissue").send("/keys/reissue", "email", who.Email, "city", "Астана").
		use("/keys", robot.Choice{Folder: t.TempDir()})
	address := me.p.URL.String()
	me.lend(w, sys.Cabinet)
	p := lookingWith(t, w)
	p.look("factor", address)
	w.open(address).tick("kind", "email").submit("/factor")
	code, err := sys.Code(t.Context(), who.Email)
	if err != nil {
		t.Fatal(err)
	}
	wrong := "111111"
	if code == wrong {
		wrong = "222222"
	}
	for range 4 {
		w.fill("code", wrong).submit("/factor/code").sees("Код неверен")
	}
	w.shot("wrong-code")
	w.fill("code", wrong).submit("/factor/code").refused("CODE_EXHAUSTED").shot("exhausted")

	// The address changes; its link works once.
	me.open(sys.Cabinet+"/signup").send("/signup", "email", "new-address@example.kz", "email2", "new-address@example.kz").
		use("/signup/sign", robot.Choice{Key: who.Keys["personal"], Password: who.Password})
	p.look("profile-waiting", sys.Cabinet+"/profile")
	link := w.link("new-address@example.kz", "/email/")
	w.open(link).shot("email")
	w.submit("/email/")
	w.open(link).refused("LINK_STALE").shot("email-used")
}
