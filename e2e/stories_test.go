package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"senim/internal/robot"
	"senim/ocsp"
	"senim/pki"
)

const (
	bin         = "123456789021"
	newPassword = "Calm2027tea"
)

func keyOf(p robot.Person, folder string) choice {
	return choice{file: p.Keys[folder], password: p.Password}
}

// code chooses e-mail for the second factor, reads the code in the mail box, and types it.
func (w *tab) code(email string) {
	w.t.Helper()
	w.shot("factor")
	w.tick("kind", "email").submit("/factor")
	w.shot("factor-code")
	code, err := w.sys.Code(w.t.Context(), email)
	if err != nil {
		w.t.Fatal(err)
	}
	w.fill("code", code).submit("/factor/code")
}

// issue walks from an application's page to installed keys, and gives the new key.
func (w *tab) issue(email, folder string, present choice) choice {
	w.t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.use("/keys", choice{folder: folder, shot: "generate"})
	w.code(email)
	w.shot("sign-application")
	w.use("/sign", present)
	w.act("wait for the certificate", chromedp.WaitVisible(css(`main form[action*="/install"]`)))
	w.shot("install")
	w.use("/install", choice{newPassword: newPassword, shot: "install"})
	w.shot("installed")
	files, err := filepath.Glob(filepath.Join(folder, "*.p12"))
	if err != nil || len(files) != 1 {
		w.t.Fatalf("%d key files in the new folder, want one (%v)", len(files), err)
	}
	return choice{file: files[0], password: newPassword}
}

// TestC01C02StoryBByKeyboard renews a person's key in the browser, and revokes the old one, without a mouse: the
// agent's windows too.
func TestC01C02StoryBByKeyboard(t *testing.T) {
	t.Parallel()
	b := browser(t)
	sys := start(t)
	who := sys.Person("person")
	letter, err := sys.Letter(t.Context(), who.Email, sys.Cabinet)
	if err != nil {
		t.Fatal(err)
	}
	w := newTab(t, b, sys, "ru")
	w.keys = true
	w.open(letter.Links[0]).shot("signin")
	present := keyOf(who, "personal")
	present.shot = "signin"
	w.use("/signin", present).sees("Мои ключи ЭЦП", who.IIN[:3])
	w.shot("keys")
	w.follow("/keys/reissue").shot("reissue")
	w.fill("email", who.Email).fill("city", "Астана").submit("/keys/reissue")
	w.shot("generate")
	made := w.issue(who.Email, filepath.Join(filepath.Dir(who.Folder), "person-2027"), present)
	w.open(sys.Cabinet+"/keys").sees(serial(t, made), serial(t, present), "заменён")
	w.shot("both")
	w.open(sys.Cabinet + "/keys/revoke?reason=superseded&serial=" + serial(t, present)).shot("revoke")
	w.submit("/keys/revoke").shot("revoke-sign")
	w.use("/keys/revoke/sign", made).sees("отозван")
	w.shot("revoked")
	// C-02: everybody is told at once, and of that key alone.
	gone, here := certificate(t, present), certificate(t, made)
	if one, other := status(t, sys, gone), status(t, sys, here); one.Status != ocsp.Revoked || one.Reason != pki.Superseded || other.Status != ocsp.Good {
		t.Errorf("the responder says %v, %v of the old key, %v of the new one", one.Status, one.Reason, other.Status)
	}
	if listed(t, sys, gone, here) {
		t.Error("the list has the new key")
	}
	again := newTab(t, b, sys, "ru").open(sys.Cabinet + "/signin")
	again.use("/signin", keyOf(who, "personal")).refused("CERT_REVOKED").shot("refused-revoked")
}

// TestC32StoryA re-registers a company after its head changed. The delegation of the former head ends, the application
// that waits for him is rejected, and the new head is offered his key of the company and no other.
func TestC32StoryA(t *testing.T) {
	t.Parallel()
	b := browser(t)
	sys := start(t)
	old, head := sys.Person("old-head"), sys.Person("new-head")
	before := newTab(t, b, sys, "ru")
	before.portalSignIn(keyOf(old, "company-X"), old.PortalPassword).sees("АО «ТЕСТ»")
	before.shot("me")
	deputy, newcomer := sys.Person("deputy"), sys.Person("newcomer")
	director := enter(t, sys, sys.Cabinet+"/signin", keyOf(old, "company-X"))
	director.open(sys.Cabinet+"/delegation/new").send("/delegation/new", "iin", deputy.IIN, "confirm", "yes").factor(old.Email)
	director.use("/delegation/sign", robot.Choice{Key: old.Keys["company-X"], Password: old.Password})
	applicant := enter(t, sys, sys.Cabinet+"/signin", keyOf(newcomer, "personal"))
	waiting, _ := applicant.employee(newcomer, "employee", keyOf(newcomer, "personal"))
	delegate := newTab(t, b, sys, "ru")
	delegate.open(sys.Cabinet+"/signin").use("/signin", keyOf(deputy, "company-X"))
	delegate.open(sys.Cabinet + "/confirm").sees("ИВАНОВА")
	changeHead(t, b, sys, head)

	w := newTab(t, b, sys, "ru")
	w.open(sys.Cabinet+"/apply/legal").use("/signin", keyOf(head, "personal"))
	w.shot("legal")
	w.fill("bin", bin).submit("/apply/legal").sees("АО «ТЕСТ»")
	w.shot("legal-data")
	w.fill("email", head.Email).fill("city", "Астана").submit("/apply/legal/data")
	company := w.issue(head.Email, filepath.Join(filepath.Dir(head.Folder), "new-head-X"), keyOf(head, "personal"))

	delegate.open(sys.Cabinet + "/confirm").refused("ROLE_CANNOT_CONFIRM").shot("delegate-ended")
	if ended, err := applicant.b.Open(t.Context(), waiting); err != nil || ended.Code() != "HEAD_CHANGED" || !ended.Has("Отклонена") {
		t.Errorf("the application of an employee: %v\n%s", err, ended.Text())
	}
	chief := newTab(t, b, sys, "ru")
	chief.open(sys.Cabinet+"/signin").use("/signin", company)
	chief.sees("Ключи прежнего руководителя: 1", serial(t, keyOf(old, "company-X"))).shot("previous-head-keys")
	for _, folder := range []string{"personal", "company-Y"} {
		if strings.Contains(chief.text(), serial(t, keyOf(old, folder))) {
			t.Errorf("the new head is offered the former one's %s key", folder)
		}
	}

	w.open(sys.Portal + "/register").shot("categories")
	w.tick("category", "legal-entity").submit("/register").shot("step1")
	w.use("/1", company).sees(bin[:3])
	w.shot("step2")
	w.fill("email", head.Email).fill("email2", head.Email).fill("password", "quiet-evening-bread").fill("password2", "quiet-evening-bread")
	w.submit("/2").shot("step3")
	w.use("/3", company).shot("step4")
	link := w.link(head.Email, "/register/confirm")
	w.open(link).shot("confirm")
	w.use("/register/confirm", company)
	w.fill("password", "quiet-evening-bread").submit("/login/password").sees("АО «ТЕСТ»")
	w.shot("completed")
	if _, err := sys.Letter(t.Context(), head.Email, "(АО «ТЕСТ»)"); err != nil {
		t.Error(err)
	}

	before.open(sys.Portal + "/me").sees("Вход")
	before.use("/login", keyOf(old, "company-X"))
	before.fill("password", old.PortalPassword).submit("/login/password").sees("Смена руководителя предприятия")
	before.shot("previous-head")
	newTab(t, b, sys, "ru").portalSignIn(keyOf(old, "company-Y"), old.PortalPassword).sees("ДОСТЫК")
	newTab(t, b, sys, "ru").open(link).refused("LINK_STALE")
}

// portalSignIn signs in with the key, then the password, to «Мои реквизиты».
func (w *tab) portalSignIn(k choice, password string) *tab {
	w.t.Helper()
	w.open(w.sys.Portal+"/login").use("/login", k)
	w.fill("password", password).submit("/login/password")
	return w.open(w.sys.Portal + "/me")
}

// link is the address in the newest letter.
func (w *tab) link(to, part string) string {
	w.t.Helper()
	l, err := w.sys.Letter(w.t.Context(), to, part)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range l.Links {
		if strings.Contains(one, part) {
			return one
		}
	}
	w.t.Fatalf("the letter «%s» has no link to %s", l.Subject, part)
	return ""
}

// changeHead has two clerks record and confirm the new head of X.
func changeHead(t *testing.T, b context.Context, sys *robot.System, head robot.Person) {
	t.Helper()
	names := strings.Fields(head.Name)
	one := newTab(t, b, sys, "ru")
	one.open(sys.Cabinet+"/desk/signin").use("/desk/signin", keyOf(sys.Person("clerk-1"), "office"))
	one.open(sys.Cabinet + "/desk/registry/new")
	for field, value := range map[string]string{"bin": bin, "iin": head.IIN, "surname": names[0], "name": names[1], "patronymic": names[2],
		"position": "Директор", "document": "Решение № 7"} {
		one.fill(field, value)
	}
	one.act("the date", chromedp.SetValue(css("main [name=appointed_on]"), time.Now().Format(time.DateOnly)))
	scan := filepath.Join(t.TempDir(), "order.pdf")
	if err := os.WriteFile(scan, []byte("%PDF-1.7 the order"), 0o600); err != nil {
		t.Fatal(err)
	}
	one.act("the scan", chromedp.SetUploadFiles(css("main input[type=file]"), []string{scan}))
	one.shot("clerk-new")
	one.submit("/desk/registry/new").shot("clerk-sign")
	one.use("/desk/registry/", keyOf(sys.Person("clerk-1"), "office"))
	two := newTab(t, b, sys, "ru")
	two.open(sys.Cabinet+"/desk/signin").use("/desk/signin", keyOf(sys.Person("clerk-2"), "office"))
	two.open(sys.Cabinet + "/desk/registry").press(css("main tr[data-change] a"))
	two.shot("clerk-confirm")
	two.use("/desk/registry/", keyOf(sys.Person("clerk-2"), "office"))
	two.shot("clerk-done")
}
