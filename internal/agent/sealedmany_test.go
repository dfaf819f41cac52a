package agent

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// sealedKey has a page make one key under a password of the person's, and gives its certificate as a set of installMany.
func (b *bench) sealedKey(s *socket, id, sealed string) (set string) {
	b.Helper()
	args := `{"requestId":"` + id + `","storage":"PKCS12","profiles":[{"algorithm":"GOST512","usage":"SIGNATURE"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","organization":"ТОО «` + id + `»","bin":"` + map[string]string{"free": "123456789021", "one": "123456789034", "two": "123456789047", "far": "123456789050"}[id] + `","email":"t@example.kz"},"locale":"ru"}`
	s.send(keysCall("generate", args))
	b.window().decide(Decision{Folder: b.folder, Confirm: sealed != "", NewPassword: sealed, NewPassword2: sealed})
	made := result[ncalayer.Generated](b.T, s.read())
	r, err := pki.ParseRequest(unbase(b.T, made.Keys[0].CSR))
	if err != nil {
		b.Fatal(err)
	}
	leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
	return `{"requestId":"` + id + `","certificates":["` + base64.StdEncoding.EncodeToString(leaf.Certificate.Raw) + `"]}`
}

// TestManyInstallSealed: of the keys that are finished in one window, each that was made under a password of the person's takes that
// password; a wrong one is said beside its key and what was done stays done; one can be left out. A key from another computer is found by
// its file.
func TestManyInstallSealed(t *testing.T) {
	b := bring(t)
	elsewhere := bring(t, func(c *Config) { c.Pool = b.authority.Pool() })
	elsewhere.authority = b.authority
	s := b.dial(page)
	sets := []string{b.sealedKey(s, "free", ""), b.sealedKey(s, "one", "Carried41"), b.sealedKey(s, "two", "Carried42"), elsewhere.sealedKey(elsewhere.dial(page), "far", "Carried43")}
	files, err := filepath.Glob(filepath.Join(elsewhere.folder, "PENDING_*.p8"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Rename(files[0], filepath.Join(b.folder, filepath.Base(files[0]))); err != nil {
		t.Fatal(err)
	}
	s.send(keysCall("installMany", `{"orders":[`+strings.Join(sets, ",")+`],"locale":"ru"}`))
	h := b.window()
	c := h.view.Certificates
	if h.view.Kind != "install-many" || h.view.Sealed || len(c) != 4 || c[0].Sealed || !c[1].Sealed || !c[2].Sealed || !c[3].Sealed {
		t.Fatalf("%+v", c)
	}
	if h.view.Confirm == "" || h.problem("/decide", Decision{NewPassword: "Secret42", NewPassword2: "Secret42"}).Code != "confirm" { // one came from elsewhere
		t.Errorf("%+v", h.view.Warnings)
	}
	d := Decision{Confirm: true, NewPassword: "Secret42", NewPassword2: "Secret42", Passwords: map[string]string{c[1].ID: "Carried41", c[2].ID: "Carried41"}}
	for range 2 { // the first two are finished
		if status := h.post("/decide", d, nil); status != 200 {
			t.Fatal(status)
		}
	}
	for range 2 {
		if p := h.problem("/decide", d); p.Code != "pending_password" || p.Field != "pending-"+c[2].ID || p.Text == "" {
			t.Errorf("%+v", p)
		}
	}
	d.Skip, d.Passwords[c[3].ID] = []string{c[2].ID}, "Carried43"
	h.decide(d)
	done := result[ncalayer.InstalledMany](t, s.read())
	for i, o := range done.Orders {
		if i == 2 {
			if o.Error == nil || !strings.HasPrefix(o.Error.Details, "not_unlocked: ") {
				t.Errorf("%+v", o)
			}
			continue
		}
		if o.Error != nil || len(o.Files) != 1 {
			t.Fatalf("%+v", o.Error)
		}
		content, err := os.ReadFile(filepath.Join(b.folder, o.Files[0].FileName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pfx.Decode(content, "Secret42"); err != nil {
			t.Error(err)
		}
	}
	if n := b.agent.keeper.Unfinished(); len(n) != 1 || n[0].KeyID != c[2].ID {
		t.Errorf("%+v", n)
	}
	// The rest, the same call again: what is finished asks for nothing.
	s.send(keysCall("installMany", `{"orders":[`+sets[1]+","+sets[2]+`],"locale":"ru"}`))
	h = b.window()
	if c := h.view.Certificates; c[0].Sealed || !c[1].Sealed {
		t.Errorf("%+v", c)
	}
	h.decide(Decision{NewPassword: "Secret42", NewPassword2: "Secret42", Passwords: map[string]string{c[2].ID: "Carried42"}})
	if done := result[ncalayer.InstalledMany](t, s.read()); done.Orders[1].Error != nil || !done.Orders[1].Files[0].Created || done.Orders[0].Files[0].Created {
		t.Errorf("%+v", done)
	}
}

// TestManySealedInBrowser: the window asks for these passwords, each beside its owner, and says a wrong one there.
func TestManySealedInBrowser(t *testing.T) {
	b := bring(t)
	s := b.look()
	socket := b.dial(page)
	for i, tag := range lang.All() {
		secret := "Secret4" + strconv.Itoa(i) // never that of the keys before
		name := func(what string) string { return "sealed-" + what + "-" + string(tag) }
		// The keys are made without the browser.
		sealed := func(id string) string {
			order := keysCall("generate", `{"requestId":"`+id+`","storage":"PKCS12","profiles":[{"algorithm":"GOST512","usage":"SIGNATURE"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","organization":"ТОО «Алма-Тау Сауда үйі»","bin":"123456789021","email":"t@example.kz"},"locale":"`+string(tag)+`"}`)
			socket.send(order)
			s.open()
			s.click("#confirm")
			s.do("give the password", chromedp.SendKeys(chromedp.CSS("#new-password"), "Carried42"), chromedp.SendKeys(chromedp.CSS("#new-password-2"), "Carried42"),
				chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
			made := result[ncalayer.Generated](t, socket.read())
			r, err := pki.ParseRequest(unbase(t, made.Keys[0].CSR))
			if err != nil {
				t.Fatal(err)
			}
			leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
			return `{"requestId":"` + id + `","certificates":["` + base64.StdEncoding.EncodeToString(leaf.Certificate.Raw) + `"]}`
		}
		sets := sealed(name("a")) + "," + sealed(name("b"))
		socket.send(keysCall("installMany", `{"orders":[`+sets+`],"locale":"`+string(tag)+`"}`))
		s.open()
		s.see(".sealed input[type=password]")
		s.do("fill in", chromedp.SendKeys(chromedp.CSS(".sealed:nth-of-type(1) input[type=password]"), "Carried42"), chromedp.SendKeys(chromedp.CSS("#new-password"), secret),
			chromedp.SendKeys(chromedp.CSS("#new-password-2"), secret), chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("#error[data-code=pending_password]")))
		s.looks(name("wrong"))
		s.do("the other", chromedp.SendKeys(chromedp.CSS(".sealed:nth-of-type(2) input[type=password]"), "Carried42"),
			chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		if done := result[ncalayer.InstalledMany](t, socket.read()); done.Orders[0].Error != nil || done.Orders[1].Error != nil {
			t.Errorf("%+v", done)
		}
	}
}
