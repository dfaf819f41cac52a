package agent

import (
	"encoding/base64"
	"strings"
	"testing"

	"senim/internal/keystore"
	"senim/internal/pkitest"
	"senim/internal/token"
)

const pin = "2468-user"

// softhsm makes a SoftHSM2 token with a key and its certificate, as a CA hands them out.
func softhsm(t *testing.T, authority *pkitest.Authority) keystore.TokenDriver {
	t.Helper()
	dir := t.TempDir()
	h := pkitest.NewSoftHSM(t, dir, "KAZTOKEN 1")
	program := pkitest.TokenProgram(t, dir)
	tok, err := token.Open(token.Config{Program: program, Module: h.Module, Label: h.Label, PIN: []byte(pin)})
	if err != nil {
		t.Fatal(err)
	}
	key, err := tok.Generate(t.Context(), "rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	leaf := authority.Issue(pkitest.Spec{Key: key, Holder: pkitest.Person()})
	if err := tok.Certify(t.Context(), "rsa", leaf.Certificate.Raw); err != nil {
		t.Fatal(err)
	}
	if err := tok.Close(); err != nil {
		t.Fatal(err)
	}
	return keystore.TokenDriver{Storage: "AKKaztokenStore", Program: program, Module: h.Module}
}

// TestPain14TokenIsAStorageLikeAnother: named when plugged in, shown with its owner before any PIN, signs
// with the PIN, and is not offered where the page wants key files; its PIN is kept nowhere.
func TestPain14TokenIsAStorageLikeAnother(t *testing.T) {
	driver := softhsm(t, pkitest.New(t))
	c := &chain{kept: map[string]string{}}
	b := bring(t, func(o *Config) { o.Tokens, o.Keychain = []keystore.TokenDriver{driver}, c })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	if got := object[[]string](t, s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`)); len(got) != 1 || got[0] != "AKKaztokenStore" {
		t.Fatal(got)
	}
	if reply := s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["AKJaCartaStore"]}`); !strings.Contains(reply, "storage.empty") {
		t.Error(reply)
	}
	request := `{"module":"kz.gov.pki.knca.commonUtils","method":"createCAdESFromBase64","args":["AKKaztokenStore","","aGVsbG8=",true]}`
	s.send(request)
	h := b.window()
	row := h.row("KAZTOKEN 1")
	if !row.Fits || !row.Pin || row.Card == nil || row.Card.Owner == "" || row.Folder != "" {
		t.Errorf("%+v", row)
	}
	if file := h.row("GOST512_a.p12"); file.Fits {
		t.Error("a key file fits where the page wants a token")
	}
	if p := h.problem("/unlock", map[string]any{"id": row.ID, "password": "0000"}); !strings.Contains(p.Code, "pin") || p.Text == "" {
		t.Errorf("wrong PIN: %+v", p)
	}
	if status := h.post("/unlock", map[string]any{"id": row.ID, "password": pin, "remember": true}, nil); status != 200 || c.count() != 0 {
		t.Fatalf("right PIN: %d, %d secrets kept", status, c.count())
	}
	h.decide(Decision{Key: row.ID})
	der, err := base64.StdEncoding.DecodeString(object[string](t, s.read()))
	if err != nil {
		t.Fatal(err)
	}
	good(t, der, []byte("hello"))

	// Every storage: the token fits too. Key files only: it does not, and says why.
	for storages, fits := range map[string]bool{"null": true, `["PKCS12","AKKaztokenStore"]`: true, `["PKCS12"]`: false} {
		s.send(strings.Replace(signRequest, `"args":{`, `"args":{"allowedStorages":`+storages+`,`, 1))
		h := b.window()
		if row := h.row("KAZTOKEN 1"); row.Fits != fits || !fits && (len(row.Reasons) == 0 || row.Reasons[0].Code != "storage") {
			t.Errorf("%s: %+v", storages, row)
		}
		h.cancel()
		s.read()
	}
	if strings.Contains(b.log.String(), pin) {
		t.Error("the PIN is in the log")
	}
}

// TestPain14BrokenDriver: a driver that fails hides no key file.
func TestPain14BrokenDriver(t *testing.T) {
	b := bring(t, func(o *Config) {
		o.Tokens = []keystore.TokenDriver{{Storage: "AKKaztokenStore", Program: "/nowhere/senim-token", Module: "driver.so"}}
	})
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	if reply := s.ask(`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`); reply != `{"responseObject":[],"code":"200"}` {
		t.Error(reply)
	}
	if reply := b.sign(s, signRequest, "GOST512_a.p12"); !strings.Contains(reply, "BEGIN CMS") {
		t.Error(reply)
	}
}

// TestJKSIsAStorage: a Java key store is opened where the page allows it.
func TestJKSIsAStorage(t *testing.T) {
	b := bring(t)
	b.jks("GOST512_j.jks", b.authority.Individual())
	s := b.dial(page)
	if reply := b.sign(s, signRequest, "GOST512_j.jks"); !strings.Contains(reply, "BEGIN CMS") {
		t.Error(reply)
	}
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`)
	h := b.window()
	if h.row("GOST512_j.jks").Fits {
		t.Error("offered where the page wants PKCS #12")
	}
	h.cancel()
	s.read()
	s.send(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["JKS"]}`)
	h = b.window()
	h.decide(Decision{Key: h.unlock("GOST512_j.jks")})
	if reply := s.read(); !strings.Contains(reply, `"code":"200"`) {
		t.Error(reply)
	}
}

// TestNURSignAnyStorage: the procurement portal names no storage, so a key in any is offered.
func TestNURSignAnyStorage(t *testing.T) {
	b := bring(t)
	b.jks("GOST512_j.jks", b.authority.Individual())
	s := b.dial(page)
	if reply := b.sign(s, `{"module":"NURSign","type":"xml","data":"<a/>"}`, "GOST512_j.jks"); !strings.Contains(reply, "SignatureValue") || !strings.Contains(reply, `"errorCode":"NONE"`) {
		t.Error(reply)
	}
}
