package agent

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"senim/cms"
	"senim/internal/ncalayer"
	"senim/internal/pkitest"
	"senim/pki"
)

func installChallenge(origin, purpose string) string {
	return "senim-challenge 1\norigin: " + origin + "\npurpose: " + purpose + "\nnonce: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\ndigest: 00\nissued: 2026-09-01T10:00:00Z\nexpires: 2026-09-01T10:05:00Z\n"
}

// quoted is a text of JSON.
func quoted(t *testing.T, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// firstSigned holds the signature of an installed key against its certificate.
func firstSigned(t *testing.T, f ncalayer.InstalledFile, challenge string, cert []byte) {
	t.Helper()
	sd, err := cms.Parse(f.Signature)
	if err != nil {
		t.Fatalf("the first signature: %v", err)
	}
	signers, err := sd.Verify([]byte(challenge))
	if err != nil || len(signers) != 1 || string(signers[0].Certificate.Raw) != string(cert) || !sd.Detached() {
		t.Errorf("the first signature: %v", err)
	}
}

// madeFor makes the key of one application and gives its certificate.
func (b *bench) madeFor(s *socket, id string) []byte {
	b.Helper()
	s.send(keysCall("generate", `{"storage":"PKCS12",`+strings.TrimPrefix(orderArgs(id, "123456789011", "123456789021"), "{")))
	b.window().decide(Decision{Folder: b.folder})
	r, err := pki.ParseRequest(unbase(b.T, result[ncalayer.Generated](b.T, s.read()).Keys[0].CSR))
	if err != nil {
		b.Fatal(err)
	}
	return b.authority.Issue(pkitest.Spec{Holder: r.Holder(), Change: func(t *pki.Template) { t.PublicKey, t.SubjectKeyID = r.PublicKey, nil }}).Certificate.Raw
}

// TestFirstSignature: a key that was installed signs the site's challenge for that, once the person has read so; a second
// try signs again, and a site that asks for none gets none.
func TestFirstSignature(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	cert := b.madeFor(s, "F-1")
	challenge := installChallenge(page, "install-keys")
	set := `"requestId":"F-1","certificates":["` + base64.StdEncoding.EncodeToString(cert) + `"]`
	for _, password := range []string{"Secret42", "Secret42"} {
		s.send(keysCall("install", `{`+set+`,"challenge":`+quoted(t, challenge)+`,"locale":"ru"}`))
		h := b.window()
		said := false
		for _, w := range h.view.Warnings {
			said = said || w.Code == "first-signature" && strings.Contains(w.Text, "один раз подпишет")
		}
		if !said {
			t.Errorf("%+v", h.view.Warnings)
		}
		h.decide(Decision{NewPassword: password, NewPassword2: password})
		firstSigned(t, result[ncalayer.Installed](t, s.read()).Files[0], challenge, cert)
	}
	// The file has kept its first password, so another one opens no key: installed, and unsigned.
	s.send(keysCall("install", `{`+set+`,"challenge":`+quoted(t, challenge)+`}`))
	b.window().decide(Decision{NewPassword: "Secret43", NewPassword2: "Secret43"})
	if got := s.read(); strings.Contains(got, "signature") || !strings.HasSuffix(got, `"status":true}`) {
		t.Errorf("%s", got)
	}
	s.send(keysCall("install", `{`+set+`}`))
	b.window().decide(Decision{NewPassword: "Secret42", NewPassword2: "Secret42"})
	if got := s.read(); strings.Contains(got, "signature") {
		t.Errorf("%s", got)
	}
	s.send(keysCall("installMany", `{"orders":[{`+set+`}],"challenge":`+quoted(t, challenge)+`}`))
	b.window().decideAll(Decision{NewPassword: "Secret42", NewPassword2: "Secret42"})
	firstSigned(t, result[ncalayer.InstalledMany](t, s.read()).Orders[0].Files[0], challenge, cert)
}

// TestSec8FirstSignatureRelayed: new keys sign nothing but their installation at the asking site, and what asks for more installs
// nothing.
func TestSec8FirstSignatureRelayed(t *testing.T) {
	b := bring(t)
	s := b.dial(page)
	cert := base64.StdEncoding.EncodeToString(b.madeFor(s, "F-2"))
	set := `{"requestId":"F-2","certificates":["` + cert + `"]`
	for name, challenge := range map[string]string{
		"another site's":  installChallenge("https://bank.example", "install-keys"),
		"to sign in":      installChallenge(page, "sign-in"),
		"two origins":     "senim-challenge 1\norigin: " + page + "\norigin: https://bank.example\npurpose: install-keys\n",
		"no challenge":    "I owe a million",
		"two purposes":    "senim-challenge 1\norigin: " + page + "\npurpose: sign-in\npurpose: install-keys\n",
		"long":            installChallenge(page, "install-keys") + strings.Repeat("x", 1<<10),
		"of another kind": `<xml/>`,
	} {
		for _, call := range []string{keysCall("install", set+`,"challenge":`+quoted(t, challenge)+`,"locale":"ru"}`),
			keysCall("installMany", `{"orders":[`+set+`}],"challenge":`+quoted(t, challenge)+`,"locale":"ru"}`)} {
			s.send(call)
			h := b.window()
			kind := h.view.Kind
			h.decide(Decision{})
			if got := s.read(); kind != "refused" || !strings.HasPrefix(got, `{"code":"CERTIFICATE_IMPORTING_FAILURE","details":"challenge_not_for_this: `) {
				t.Errorf("%s: %s: %s", name, kind, got)
			}
		}
	}
	s.send(keysCall("install", set+`}`))
	b.window().decide(Decision{NewPassword: "Secret42", NewPassword2: "Secret42"})
	if f := result[ncalayer.Installed](t, s.read()).Files[0]; !f.Created {
		t.Error("a refused call had installed the key")
	}
}
