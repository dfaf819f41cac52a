package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Q-01 in the browser: the page with the code, looked at in three languages and two sizes, goes on by
// itself when the phone has signed.
func TestQ01PhoneInBrowser(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), start(t, "-qr.enabled")
	checker, err := os.ReadFile(axe)
	if err != nil {
		t.Log("axe-core is not installed (npm ci in internal/web/assets/src): the page was looked at without it")
	}
	who := sys.Person("old-head")
	key := keyOf(who, "company-X")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(key.password), 0o600); err != nil {
		t.Fatal(err)
	}

	w := newTab(t, b, sys, "ru")
	p := &pages{t: t, axe: string(checker)}
	p.open(w)
	p.look("login", sys.Portal+"/login")
	speak(w, "en")
	w.open(sys.Portal + "/login").press(css("main button[formaction]")).sees("Waiting for the signature")
	p.look("phone", read(w, "read the address", chromedp.Evaluate[string](`location.href`)))
	shown := read(w, "look at the code", chromedp.Evaluate[bool](`(() => { const i = document.querySelector("img.senim-qr"); return i.complete && i.naturalWidth > 0 })()`))
	if !shown {
		t.Error("the code is not drawn")
	}
	code := read(w, "read the code", chromedp.Evaluate[string](`document.querySelector('main a[href*="m.egov.kz/mobileSign"]').href`))
	w.mark()
	phone := exec.CommandContext(t.Context(), filepath.Join(programs(t), "senim"), "qr-phone", "--yes", "--key", key.file, "--password-file", password, code)
	out, err := phone.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the portal took it") {
		t.Fatalf("the phone: %v\n%s", err, out)
	}
	w.arrive()
	w.fill("password", who.PortalPassword).submit("/login/password")
	w.open(sys.Portal + "/me").sees("ТЕСТ")
}
