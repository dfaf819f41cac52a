package agent

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/internal/token"
	"senim/pki"
)

// illProgram stands for senim-token with a token that cannot be read.
func illProgram(t *testing.T) string {
	t.Helper()
	answer := `{"plugged":[{"label":"ESMART 7","problem":"CKR_DEVICE_ERROR"}]}`
	path := filepath.Join(t.TempDir(), "senim-token")
	if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\nprintf '\\000\\000\\000\\%03o%%s' '%s'\ncat >/dev/null\n", len(answer), answer), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// nowhere is a cabinet that does not answer.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no way") }

// TestTokenWindowsInBrowser makes keys on a token, puts their certificates there and begins to renew them, as a person
// does; a token that cannot be read is named where its keys are missing. With pictures it is done in three languages.
func TestTokenWindowsInBrowser(t *testing.T) {
	driver := emptyToken(t)
	b := bring(t, func(c *Config) {
		c.Cabinet, c.CabinetTransport = "https://cabinet.example.kz", nowhere{}
		c.Tokens = []keystore.TokenDriver{driver, {Storage: "AKJaCartaStore", Program: illProgram(t), Module: "jacarta.so"}}
	})
	const file = "GOST512_6f923a405e7a60ef08debcf4715d7f818637b82b.p12"
	b.issue(file, pkitest.Person(), 200)
	if err := os.WriteFile(filepath.Join(b.folder, "смета.txt"), []byte("смета"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := b.look()
	socket := b.dial(page)
	tags := lang.All()
	if os.Getenv("SENIM_SHOTS") == "" {
		tags = tags[:1]
	}
	for i, tag := range tags {
		name := func(what string) string { return "token-" + what + "-" + string(tag) }
		socket.ask(commonCall("changeLocale", `"`+string(tag)+`"`))
		socket.send(keysCall("generate", `{"requestId":"`+string(tag)+`","storage":"AKKaztokenStore","profiles":[{"algorithm":"RSA2048","usage":"SIGNATURE"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","email":"t@example.kz"},"locale":"`+string(tag)+`"}`))
		s.open()
		s.see("#token input:checked")
		s.looks(name("generate"))
		s.do("a wrong PIN", chromedp.SendKeys(chromedp.CSS("#password"), "0000"+kb.Enter), chromedp.WaitVisible(chromedp.CSS("#error[data-code=wrong_pin]")))
		s.looks(name("wrong-pin"))
		s.do("the PIN", chromedp.SendKeys(chromedp.CSS("#password"), pin+kb.Enter), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		made := result[ncalayer.Generated](t, socket.read())

		r, err := pki.ParseRequest(unbase(t, made.Keys[0].CSR))
		if err != nil {
			t.Fatal(err)
		}
		leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), NotBefore: b.clock().AddDate(-3, 0, i), NotAfter: b.clock().AddDate(0, 0, 20+i),
			Change: func(t *pki.Template) {
				t.PublicKey, t.SubjectKeyID, t.ExtKeyUsage = r.PublicKey, nil, append(t.ExtKeyUsage, pki.ClientAuth)
			}})
		socket.send(keysCall("install", `{"requestId":"`+string(tag)+`","certificates":["`+base64.StdEncoding.EncodeToString(leaf.Certificate.Raw)+`"],"locale":"`+string(tag)+`"}`))
		s.open()
		s.looks(name("install"))
		s.do("the PIN", chromedp.SendKeys(chromedp.CSS("#password"), pin+kb.Enter), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		s.looks(name("installed"))
		socket.read()

		socket.send(commonCall("createCAdESFromBase64", `"AKKaztokenStore","","aGVsbG8=",true`))
		s.open()
		s.see(`#warnings [data-code=token-unreadable]`)
		s.looks(name("sign"))
		s.click("#cancel")
		socket.read()

		// What the token cannot make is said in words.
		socket.send(keysCall("generate", `{"requestId":"gost-`+string(tag)+`","storage":"AKKaztokenStore","profiles":[{"algorithm":"GOST512","usage":"SIGNATURE"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","email":"t@example.kz"},"locale":"`+string(tag)+`"}`))
		s.open()
		s.do("the PIN", chromedp.SendKeys(chromedp.CSS("#password"), pin+kb.Enter), chromedp.WaitVisible(chromedp.CSS("body[data-state=failed]")))
		s.looks(name("cannot"))
		socket.read()

		// A file that nobody opened may be due; without it no new password is asked for.
		if i == 0 {
			if n := b.renewFields(s, tag, name("renew-mixed")); n != 2 {
				t.Errorf("%s: %d fields for a new password", tag, n)
			}
			if err := os.Remove(filepath.Join(b.folder, file)); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan error, 1)
		go func() { _, _, err := b.agent.Renew(t.Context(), tag); done <- err }()
		s.open()
		s.see("#warnings [data-code=renew-token]")
		s.looks(name("renew"))
		if seen, err := token.Look(token.Config{Program: driver.Program, Module: driver.Module}); err != nil || seen[0].Low {
			t.Errorf("a wrong PIN was tried: %+v %v", seen, err)
		}
		if n := eval[int](s, newPasswords); n != 0 {
			t.Errorf("%s: a new password is asked for", tag)
		}
		s.do("the PIN, once for all keys of the token", chromedp.SendKeys(chromedp.CSS("input[data-password]"), pin), chromedp.Click(chromedp.CSS("#sign")),
			chromedp.WaitVisible(chromedp.CSS("#error[data-code=cabinet_unreachable]")))
		s.looks(name("renewing"))
		s.click("#cancel")
		if err := <-done; err != nil {
			t.Error(err)
		}

		// A file that is signed and sent.
		socket.send(`{"module":"NURSign","type":"file","data":{"token":"t","url_upload":"` + page + `/upload"}}`)
		s.open()
		s.do("pick the file", chromedp.Click(chromedp.CSS(`input[name=file][value$="смета.txt"]`)), chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		s.open()
		s.see("#warnings [data-code=sent]")
		s.looks(name("send"))
		s.click("#cancel")
		socket.read()
	}
}

// newPasswords counts the fields of a new password.
const newPasswords = `document.querySelectorAll('#new-password, #new-password-2').length`

// renewFields opens the window of renewal, counts its fields for a new password, and closes it.
func (b *bench) renewFields(s *screen, tag lang.Tag, name string) int {
	b.Helper()
	done := make(chan error, 1)
	go func() { _, _, err := b.agent.Renew(b.Context(), tag); done <- err }()
	s.open()
	s.looks(name)
	n := eval[int](s, newPasswords)
	// A password is tried on other files when the person wishes, and never on a token.
	s.do("try a password on all", chromedp.SendKeys(chromedp.CSS(".key:not([data-on]) input[data-password]"), "Wrong123"), chromedp.Click(chromedp.CSS("#same")), chromedp.Click(chromedp.CSS("#sign")),
		chromedp.WaitVisible(chromedp.CSS(".key:not([data-on]) .wrong")))
	if tried := eval[int](s, `document.querySelectorAll('.key[data-on] .wrong').length`); tried != 0 {
		b.Error("a password of a file was tried on a token")
	}
	s.click("#cancel")
	if err := <-done; err != nil {
		b.Error(err)
	}
	return n
}
