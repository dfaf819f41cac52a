package agent

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

func keysCall(method, args string) string {
	return `{"module":"kz.senim.keys","method":"` + method + `","args":` + args + `}`
}

const generateArgs = `{"requestId":"KZ-2026-000123","storage":"PKCS12","token":null,
 "profiles":[{"algorithm":"GOST512","usage":"SIGNATURE"},{"algorithm":"RSA2048","usage":"AUTHENTICATION"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","givenName":"ТЕСТОВИЧ","iin":"123456789011","organization":"АО \"ТЕСТ\"","bin":"123456789021","country":"KZ","email":"t@example.kz"},"locale":"ru"}`

// TestRenewal makes keys, has them certified, installs and lists them, all through the socket.
func TestRenewal(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	s.send(keysCall("generate", generateArgs))
	h := b.window()
	if h.view.Kind != "generate" || len(h.view.Owner) != 6 || len(h.view.Profiles) != 2 || h.view.Folder != b.folder {
		t.Errorf("%+v", h.view)
	}
	if p := h.problem("/decide", Decision{Folder: "/no/such/folder"}); p.Code != "no_folder" || p.Field != "folder" {
		t.Errorf("%+v", p)
	}
	h.decide(Decision{Folder: b.folder})
	first := s.read()
	made := result[ncalayer.Generated](t, first)
	if strings.Contains(first, b.folder) || len(made.Keys) != 2 {
		t.Fatalf("%s", first)
	}
	// A lost reply: the same again after one click.
	s.send(keysCall("generate", generateArgs))
	h = b.window()
	if !h.view.Again {
		t.Error("the window does not say that the keys are there already")
	}
	h.decide(Decision{})
	if again := s.read(); again != first {
		t.Errorf("%s", again)
	}
	// What a click without a folder brings is not looked into from now on, and neither is what nobody checked.
	s.send(keysCall("generate", generateArgs))
	b.window().decide(Decision{Folder: "/no/such/folder"})
	if again := s.read(); again != first {
		t.Errorf("%s", again)
	}
	if got := b.agent.settings.get().Folders; !slices.Equal(got, []string{b.folder}) {
		t.Errorf("folders %q", got)
	}
	s.send(keysCall("generate", strings.Replace(generateArgs, "t@example.kz", "u@example.kz", 1)))
	b.window().decide(Decision{})
	if got := s.read(); !strings.HasPrefix(got, `{"code":"CSR_GENERATING_FAILURE","details":"request_id_used: `) {
		t.Errorf("%s", got)
	}
	var certs []string
	for _, k := range made.Keys {
		r, err := pki.ParseRequest(unbase(t, k.CSR))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.CheckSignature(); err != nil || r.Subject.String() != `CN=ТЕСТОВ ТЕСТ,SURNAME=ТЕСТОВ,SERIALNUMBER=IIN123456789011,C=KZ,O=АО \"ТЕСТ\",OU=BIN123456789021,GIVENNAME=ТЕСТОВИЧ` || r.Emails[0] != "t@example.kz" || !r.Storage.Equal(pki.StoragePKCS12) {
			t.Errorf("request: %v %s %v", err, r.Subject, r.Emails)
		}
		leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
		certs = append(certs, base64.StdEncoding.EncodeToString(leaf.Certificate.Raw))
	}
	install := keysCall("install", `{"requestId":"KZ-2026-000123","certificates":["`+strings.Join(certs, `","`)+`"],"locale":"kk"}`)
	s.send(install)
	h = b.window()
	if h.view.Kind != "install" || len(h.view.Certificates) != 2 || !h.view.Certificates[0].Card.IssuerKnown || h.view.Confirm != "" {
		t.Errorf("%+v", h.view)
	}
	for _, c := range []struct{ one, two, code string }{
		{"abc", "abc", "password_length"}, {"qwerty12", "qwerty12", "password_classes"}, {"Qwerty 12", "Qwerty 12", "password_charset"}, {"Qwerty12", "Qwerty13", "passwords_differ"},
	} {
		if p := h.problem("/decide", Decision{NewPassword: c.one, NewPassword2: c.two}); p.Code != c.code || p.Text == "" {
			t.Errorf("%s: %+v", c.one, p)
		}
	}
	h.decide(Decision{NewPassword: "Secret42", NewPassword2: "Secret42"})
	reply := s.read()
	done := result[ncalayer.Installed](t, reply)
	if strings.Contains(reply, b.folder) || len(done.Files) != 2 || !done.Files[0].Created {
		t.Fatalf("%s", reply)
	}
	for i, prefix := range []string{"GOST512_", "AUTH_RSA256_"} {
		f := done.Files[i]
		content, err := os.ReadFile(filepath.Join(b.folder, f.FileName))
		if err != nil || f.FileName != prefix+made.Keys[i].KeyID+".p12" {
			t.Fatal(f.FileName, err)
		}
		if file, err := pfx.Decode(content, "Secret42"); err != nil || file.Alias != f.KeyID {
			t.Errorf("%v", err)
		}
	}
	s.send(install)
	b.window().decide(Decision{NewPassword: "Secret42", NewPassword2: "Secret42"})
	if again := result[ncalayer.Installed](t, s.read()); again.Files[0].Created || again.Files[1].Created {
		t.Errorf("%+v", again)
	}
	// The new key is known already, signs, and is listed when ticked.
	s.send(keysCall("list", `{"bin":"123456789021"}`))
	h = b.window()
	if len(h.view.Keys) != 2 || h.view.Keys[0].State != "known" {
		t.Errorf("%+v", h.view.Keys)
	}
	h.decide(Decision{Keys: []string{h.view.Keys[0].ID, "nonsense"}})
	reply = s.read()
	if listed := result[ncalayer.Listed](t, reply); len(listed.Keys) != 1 || listed.Keys[0].State != "active" || listed.Keys[0].BIN != "123456789021" || strings.Contains(reply, ".p12") {
		t.Errorf("%s", reply)
	}
	s.send(keysCall("list", `{}`))
	b.window().decide(Decision{})
	if got := s.read(); got != `{"body":{"result":{"keys":[]}},"status":true}` {
		t.Errorf("%s", got)
	}
	for _, call := range []string{keysCall("list", `{}`), install, keysCall("generate", strings.Replace(generateArgs, "000123", "000124", 1))} {
		s.send(call)
		b.window().cancel()
		if got := s.read(); got != `{"body":{},"status":true}` {
			t.Errorf("%s", got)
		}
	}
}

func TestListHides(t *testing.T) {
	b := bring(t)
	person := b.authority.Individual()
	b.key("GOST512_a.p12", person)
	b.key("GOST512_b.p12", b.authority.Head())
	s := b.dial(page)
	s.send(keysCall("list", `{"iin":"`+person.Certificate.Holder().IIN+`"}`))
	h := b.window()
	locked := []string{}
	for _, k := range h.view.Keys {
		locked = append(locked, k.ID)
	}
	h.decide(Decision{Keys: locked}) // never opened: never told
	if got := s.read(); got != `{"body":{"result":{"keys":[]}},"status":true}` {
		t.Errorf("%s", got)
	}
	s.send(keysCall("list", `{}`))
	h = b.window()
	id := h.unlock("GOST512_a.p12")
	h.decide(Decision{Keys: []string{id}})
	if got := result[ncalayer.Listed](t, s.read()); len(got.Keys) != 1 || got.Keys[0].IIN != person.Certificate.Holder().IIN {
		t.Errorf("%+v", got)
	}
}

func TestInstallRefused(t *testing.T) {
	b := bring(t)
	s, other := b.dial(page), b.dial("https://other.kz")
	if got := s.ask(keysCall("install", `{"requestId":"1","certificates":["AAAA"]}`)); !strings.HasPrefix(got, `{"code":"INVALID_IMPORTING_CERTIFICATE","details":"not_a_certificate: `) {
		t.Errorf("%s", got)
	}
	foreign := base64.StdEncoding.EncodeToString(b.authority.Individual().Certificate.Raw)
	s.send(keysCall("install", `{"requestId":"1","certificates":["`+foreign+`"]}`))
	h := b.window()
	if h.view.Kind != "refused" || h.view.Refusal == "" {
		t.Errorf("%+v", h.view)
	}
	h.decide(Decision{})
	if got := s.read(); !strings.HasPrefix(got, `{"code":"INVALID_IMPORTING_CERTIFICATE","details":"no_pending_key: `) {
		t.Errorf("%s", got)
	}
	// Another site than the one that had the keys made: only with an extra confirmation.
	s.send(keysCall("generate", strings.Replace(generateArgs, `,{"algorithm":"RSA2048","usage":"AUTHENTICATION"}`, "", 1)))
	b.window().decide(Decision{Folder: b.folder})
	made := result[ncalayer.Generated](t, s.read())
	r, err := pki.ParseRequest(unbase(t, made.Keys[0].CSR))
	if err != nil {
		t.Fatal(err)
	}
	leaf := b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }})
	other.send(keysCall("install", `{"requestId":"1","certificates":["`+base64.StdEncoding.EncodeToString(leaf.Certificate.Raw)+`"]}`))
	h = b.window()
	d := Decision{NewPassword: "Secret42", NewPassword2: "Secret42"}
	if p := h.problem("/decide", d); p.Code != "confirm" || h.view.Confirm == "" {
		t.Errorf("%+v", p)
	}
	// An existing file is never touched.
	name := filepath.Join(b.folder, "GOST512_"+made.Keys[0].KeyID+".p12")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Confirm = true
	if e := h.decide(d); !e.Failed {
		t.Errorf("%+v", e)
	}
	if got := other.read(); !strings.HasPrefix(got, `{"code":"CERTIFICATE_IMPORTING_FAILURE","details":"file_exists: `) {
		t.Errorf("%s", got)
	}
	if content, _ := os.ReadFile(name); string(content) != "mine" {
		t.Error("an existing file was changed")
	}
}
