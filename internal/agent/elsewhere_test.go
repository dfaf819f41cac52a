package agent

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// TestInstalledElsewhere: a key made under a password leaves no secret on the disk, and is finished on another computer,
// whose agent has never heard of it, by the file and that password alone.
func TestInstalledElsewhere(t *testing.T) {
	here := bring(t)
	there := bring(t, func(c *Config) { c.Pool = here.authority.Pool() })
	s := here.dial(page)
	s.send(keysCall("generate", generateArgs))
	h := here.window()
	for _, c := range []struct{ one, two, code, field string }{
		{"", "", "password_length", "new-password"}, {"Qwerty12", "Qwerty13", "passwords_differ", "new-password-2"},
	} {
		if p := h.problem("/decide", Decision{Folder: here.folder, Confirm: true, NewPassword: c.one, NewPassword2: c.two}); p.Code != c.code || p.Field != c.field {
			t.Errorf("%q: %+v", c.one, p)
		}
	}
	h.decide(Decision{Folder: here.folder, Confirm: true, NewPassword: "Carried42", NewPassword2: "Carried42"})
	made := result[ncalayer.Generated](t, s.read())
	if _, err := os.Stat(filepath.Join(pendingIn(here.agent.config.Data), "pending.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a secret on the disk: %v", err)
	}
	var certs []string
	for _, k := range made.Keys {
		r, err := pki.ParseRequest(unbase(t, k.CSR))
		if err != nil {
			t.Fatal(err)
		}
		leaf := here.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
		certs = append(certs, base64.StdEncoding.EncodeToString(leaf.Certificate.Raw))
	}
	install := keysCall("install", `{"requestId":"KZ-2026-000123","certificates":["`+strings.Join(certs, `","`)+`"],"locale":"ru"}`)
	other := there.dial(page)
	other.send(install)
	there.window().decide(Decision{}) // the files did not come along yet
	if got := other.read(); !strings.Contains(got, "no_pending_key") {
		t.Fatalf("%s", got)
	}
	files, err := filepath.Glob(filepath.Join(here.folder, "PENDING_*.p8"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if err := os.Rename(f, filepath.Join(there.folder, filepath.Base(f))); err != nil {
			t.Fatal(err)
		}
	}
	other.send(install)
	h = there.window()
	if h.view.Kind != "install" || !h.view.Sealed || h.view.Confirm == "" || len(h.view.Warnings) == 0 || h.view.Warnings[len(h.view.Warnings)-1].Code != "stray" {
		t.Fatalf("%+v", h.view)
	}
	if p := h.problem("/decide", Decision{Password: "Carried42", NewPassword: "Secret42", NewPassword2: "Secret42"}); p.Code != "confirm" {
		t.Errorf("%+v", p)
	}
	for _, wrong := range []string{"", "Carried43"} {
		if p := h.problem("/decide", Decision{Password: wrong, NewPassword: "Secret42", NewPassword2: "Secret42", Confirm: true}); p.Code != "pending_password" || p.Field != "pending-password" {
			t.Errorf("%q: %+v", wrong, p)
		}
	}
	h.decide(Decision{Password: "Carried42", NewPassword: "Secret42", NewPassword2: "Secret42", Confirm: true})
	for _, f := range result[ncalayer.Installed](t, other.read()).Files {
		content, err := os.ReadFile(filepath.Join(there.folder, f.FileName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pfx.Decode(content, "Secret42"); err != nil || !f.Created {
			t.Errorf("%v", err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(there.folder, "PENDING_*.p8")); err != nil || len(left) != 0 || len(there.agent.keeper.Unfinished()) != 0 {
		t.Errorf("%v %v", left, err)
	}
}

// TestNoKeychainNoSecretOnDisk: where the keychain does not work, a page's key is made only under a password of the
// person's; where it does, nobody is asked.
func TestNoKeychainNoSecretOnDisk(t *testing.T) {
	for name, c := range map[string]struct {
		chain  *chest
		forced bool
	}{"none": {nil, true}, "one that works": {&chest{}, false}} {
		b := bring(t, func(o *Config) {
			o.AskPending = true
			if c.chain != nil {
				o.Keychain = c.chain
			}
		})
		s := b.dial(page)
		s.send(keysCall("generate", generateArgs))
		h := b.window()
		if h.view.Sealed != c.forced {
			t.Errorf("%s: %+v", name, h.view)
		}
		d := Decision{Folder: b.folder}
		if c.forced {
			if p := h.problem("/decide", d); p.Field != "new-password" {
				t.Errorf("%s: %+v", name, p)
			}
			d.NewPassword, d.NewPassword2 = "Carried42", "Carried42"
		}
		h.decide(d)
		s.read()
		if key, err := os.ReadFile(filepath.Join(pendingIn(b.agent.config.Data), "pending.key")); err == nil && len(key) == 64 {
			t.Errorf("%s: the secret lies in a file", name)
		}
	}
}

// TestKeychainLocksMeanwhile: what counts is the keychain when the key is made, not when the window came.
func TestKeychainLocksMeanwhile(t *testing.T) {
	secrets := &chest{}
	b := bring(t, func(o *Config) { o.AskPending, o.Keychain = true, secrets })
	view := b.look()
	s := b.dial(page)
	s.send(keysCall("generate", generateArgs))
	view.open()
	view.do("leave the password out", chromedp.WaitNotVisible(chromedp.CSS("#new-password")), view.ready())
	secrets.lock(true)
	view.click("#sign")
	view.do("be asked for a password", chromedp.WaitVisible(chromedp.CSS("#new-password[aria-invalid=true]")), view.ready())
	if left, err := filepath.Glob(filepath.Join(b.folder, "*")); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	view.do("type one", chromedp.SendKeys(chromedp.CSS("#new-password"), "Carried42"), chromedp.SendKeys(chromedp.CSS("#new-password-2"), "Carried42"))
	view.click("#sign")
	if got := s.read(); !strings.Contains(got, `"csr"`) {
		t.Error(got)
	}
	if key, err := os.ReadFile(filepath.Join(pendingIn(b.agent.config.Data), "pending.key")); err == nil && len(key) == 64 {
		t.Error("the secret lies in a file")
	}
}

// TestStrayKeyHasNoOwner: a page that only asks to finish a key made elsewhere changes nothing: who asks first is not its maker, and
// every site is warned of alike.
func TestStrayKeyHasNoOwner(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	file, err := pfx.EncryptPrivateKey(rand.Reader, person.Key, []byte("Qwerty12"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.folder, "PENDING_GOST512_"+keyInfo(person.Certificate).KeyID+".p8"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, origin := range []string{"https://evil.example", page} {
		s := b.dial(origin)
		s.send(keysCall("install", `{"requestId":"x","certificates":["`+base64.StdEncoding.EncodeToString(person.Certificate.Raw)+`"]}`))
		h := b.window()
		if h.view.Kind != "install" || h.view.Confirm == "" || !slices.ContainsFunc(h.view.Warnings, func(r Remark) bool { return r.Code == "stray" }) {
			t.Errorf("%s: %s, %+v", origin, h.view.Kind, h.view.Warnings)
		}
		h.cancel()
		s.read()
		if n := b.agent.keeper.Unfinished(); len(n) != 0 {
			t.Errorf("%s cancelled, and %d keys are noted as its own", origin, len(n))
		}
	}
}
