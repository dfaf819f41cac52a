package agent

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// TestInstallAfterKill: when installing was cut off between two files, the person is told to type the password of
// the first; when both stand, that it is the one that holds. Never do two files end with two passwords.
func TestInstallAfterKill(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(keysCall("generateMany", `{"storage":"PKCS12","orders":[`+orderArgs("A-1", "123456789011", "123456789021")+","+orderArgs("A-2", "123456789012", "123456789025")+`],"locale":"ru"}`))
	b.window().decideAll(Decision{Folder: b.folder})
	var certs []string
	for _, o := range result[ncalayer.GeneratedMany](t, s.read()).Orders {
		r, err := pki.ParseRequest(unbase(t, o.Keys[0].CSR))
		if err != nil {
			t.Fatal(err)
		}
		leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
		certs = append(certs, quote(base64.StdEncoding.EncodeToString(leaf.Certificate.Raw)))
	}
	waiting, err := filepath.Glob(filepath.Join(b.folder, "PENDING_*"))
	if err != nil || len(waiting) != 2 {
		t.Fatalf("%v %v", waiting, err)
	}
	pending, err := os.ReadFile(waiting[1])
	if err != nil {
		t.Fatal(err)
	}
	one := `{"requestId":"A-1","certificates":[` + strings.Join(certs, ",") + `]`
	first, second := Decision{NewPassword: "First111", NewPassword2: "First111"}, Decision{NewPassword: "Second22", NewPassword2: "Second22"}
	s.send(keysCall("install", one+`,"locale":"ru"}`))
	b.window().decide(first)
	s.read()
	cut := func() { // as if the second file had not come to its name
		t.Helper()
		name := strings.Replace(strings.TrimSuffix(filepath.Base(waiting[1]), ".p8"), "PENDING_", "", 1) + ".p12"
		if err := os.Remove(filepath.Join(b.folder, name)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(waiting[1], pending, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, request := range []string{keysCall("install", one+`,"locale":"ru"}`), keysCall("installMany", `{"orders":[`+one+`}],"locale":"ru"}`)} {
		cut()
		s.send(request)
		h := b.window()
		if p := h.problem("/decide", second); p.Code != "first_password" || p.Field != "new-password" || !strings.Contains(p.Text, "который задали тогда") {
			t.Errorf("%+v", p)
		}
		if e := h.decide(first); e.Text == lang.RU.Text("agent.done.first_password") {
			t.Errorf("%+v", e)
		}
		s.read()
		s.send(request)
		if e := b.window().decide(second); e.Failed || e.Text != lang.RU.Text("agent.done.first_password") {
			t.Errorf("%+v", e)
		}
		if got := s.read(); strings.Contains(got, `"created":true`) {
			t.Errorf("%s", got)
		}
	}
	made, err := filepath.Glob(filepath.Join(b.folder, "*.p12"))
	if err != nil || len(made) != 2 {
		t.Fatalf("%v %v", made, err)
	}
	for _, path := range made {
		content, err := os.ReadFile(path)
		if err == nil {
			_, err = pfx.Decode(content, "First111")
		}
		if err != nil {
			t.Error(err)
		}
	}
}
