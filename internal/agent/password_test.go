package agent

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pki"
)

// TestC28WeakPasswordsAreRefused in the window: no key file is written, and the page that asked hears
// of no password at all.
func TestC28WeakPasswordsAreRefused(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(keysCall("generate", generateArgs))
	b.window().decide(Decision{Folder: b.folder})
	made := result[ncalayer.Generated](t, s.read())
	var certs []string
	for _, k := range made.Keys {
		r, err := pki.ParseRequest(unbase(t, k.CSR))
		if err != nil {
			t.Fatal(err)
		}
		leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
		certs = append(certs, base64.StdEncoding.EncodeToString(leaf.Certificate.Raw))
	}
	s.send(keysCall("install", `{"requestId":"KZ-2026-000123","certificates":["`+strings.Join(certs, `","`)+`"],"locale":"ru"}`))
	h := b.window()
	for weak, code := range map[string]string{"12345678": "password_default", "abcdef": "password_classes"} {
		if p := h.problem("/decide", Decision{NewPassword: weak, NewPassword2: weak}); p.Code != code || p.Field != "new-password" || p.Text == "" {
			t.Errorf("%s: %+v", weak, p)
		}
	}
	h.cancel()
	reply := s.read()
	for _, weak := range []string{"12345678", "abcdef"} {
		if strings.Contains(reply, weak) {
			t.Errorf("the page hears of the password: %s", reply)
		}
	}
	files, err := os.ReadDir(b.folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, k := range made.Keys {
			if strings.HasSuffix(f.Name(), k.KeyID+".p12") {
				t.Errorf("%s was written", f.Name())
			}
		}
	}
}
