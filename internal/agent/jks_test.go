package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	java "github.com/pavlo-v-chernykh/keystore-go/v4"

	"senim/algid"
	"senim/cms"
	"senim/internal/keystore"
	"senim/internal/pkitest"
)

// jks lays a Java key store into the folder; its keys are called key, key2 and so on.
func (b *bench) jks(name string, leaves ...*pkitest.Leaf) {
	b.Helper()
	store := java.New()
	for i, leaf := range leaves {
		alias := "key"
		if i > 0 {
			alias += strconv.Itoa(i + 1)
		}
		der, err := algid.MarshalPrivateKey(leaf.Key)
		if err == nil {
			err = store.SetPrivateKeyEntry(alias, java.PrivateKeyEntry{PrivateKey: der, CertificateChain: []java.Certificate{{Type: "X509", Content: leaf.Certificate.Raw}}}, []byte(password))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	var content bytes.Buffer
	err := store.Store(&content, []byte(password))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.folder, name), content.Bytes(), 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// TestSeveralKeysInAStore: each key of a Java key store is a row of its own, and signs for itself. What one password
// opened is known of all of them. For the acts on the file they are one row.
func TestSeveralKeysInAStore(t *testing.T) {
	b := bring(t)
	person, head := b.authority.Individual(), b.authority.Head()
	b.jks("keys.jks", person, head)
	s := b.dial(page)
	s.send(signRequest)
	h := b.window()
	if len(h.view.Keys) != 2 || h.row("keys.jks · key").ID == h.row("keys.jks · key2").ID {
		t.Fatalf("%+v", h.view.Keys)
	}
	id := h.unlock("keys.jks · key2")
	if h.row("keys.jks · key").State != "known" || h.row("keys.jks · key").Card.Owner != b.agent.card(person.Certificate, "en").Owner {
		t.Errorf("%+v", h.row("keys.jks · key"))
	}
	if p := h.problem("/decide", Decision{Key: h.row("keys.jks · key").ID}); p.Code != "locked" {
		t.Errorf("a key that was not opened itself: %+v", p)
	}
	h.decide(Decision{Key: id})
	der, err := cms.Decode([]byte(result[[]string](t, s.read())[0]))
	if err != nil {
		t.Fatal(err)
	}
	if sd := good(t, der, nil); !bytes.Equal(sd.Certificates()[0].Raw, head.Certificate.Raw) {
		t.Error("another key signed")
	}

	h, end := b.do(ActPassword)
	if len(h.view.Keys) != 1 || h.row("keys.jks").Card != nil || len(h.row("").Remarks) != 1 {
		t.Fatalf("%+v", h.view.Keys)
	}
	h.decide(Decision{Key: h.row("").ID, Password: password, NewPassword: "Another1", NewPassword2: "Another1"})
	if _, ok, err := end(); !ok || err != nil {
		t.Fatal(err)
	}
	files := keystore.Scan([]string{b.folder})
	for i, leaf := range []*pkitest.Leaf{person, head} {
		if len(files) != 2 {
			t.Fatalf("%+v", files)
		}
		if key, err := keystore.Unlock(files[i], "Another1"); err != nil || !bytes.Equal(key.Certificate.Raw, leaf.Certificate.Raw) || b.agent.known.find(files[i].ID) == nil {
			t.Errorf("%s: %v", files[i].Name, err)
		}
	}
}

// TestAppletSeveralKeys: getKeys has a line for each key in the store, and the alias of a line picks that key, in
// questions and in signatures.
func TestAppletSeveralKeys(t *testing.T) {
	b := bring(t)
	leaves := map[string]*pkitest.Leaf{"key": b.authority.Individual(), "key2": b.authority.Head()}
	b.jks("keys.jks", leaves["key"], leaves["key2"])
	store := `"JKS",` + quote(filepath.Join(b.folder, "keys.jks"))
	s := b.dial(page)
	s.send(appletCall("getKeys", store+`,"","ALL"`))
	h := b.window()
	if len(h.view.Keys) != 2 || len(h.view.Warnings) != 2 || h.view.Warnings[1].Code != "all-keys" {
		t.Fatalf("%+v %+v", h.view.Keys, h.view.Warnings)
	}
	h.decide(Decision{Key: h.unlock("keys.jks · key")})
	lines := strings.Split(text(t, s.read()), "\n")
	if len(lines) != 2 {
		t.Fatalf("%q", lines)
	}
	got := map[string]string{}
	for _, l := range lines {
		fields := strings.Split(l, "|")
		got[fields[3]] = fields[2]
	}
	for alias, leaf := range leaves {
		if got[alias] != keyInfo(leaf.Certificate).Serial {
			t.Errorf("%s: %s", alias, got[alias])
		}
		for _, name := range []string{alias, strings.ToUpper(alias), keyInfo(leaf.Certificate).Alias} {
			if dn := text(t, s.ask(appletCall("getSubjectDN", store+`,`+quote(name)+`,""`))); dn != leaf.Certificate.Subject.String() {
				t.Errorf("%s: %s", name, dn)
			}
		}
		s.send(appletCall("createCMSSignature", store+`,`+quote(alias)+`,"","text",true`))
		h := b.window()
		if len(h.view.Keys) != 1 || h.row("").State != map[string]string{"key": "unlocked", "key2": "known"}[alias] {
			t.Errorf("%s: %+v", alias, h.view.Keys)
		}
		h.unlock("")
		h.decide(Decision{Key: h.row("").ID})
		if sd := good(t, unbase(t, text(t, s.read())), nil); !bytes.Equal(sd.Certificates()[0].Raw, leaf.Certificate.Raw) {
			t.Errorf("%s: another key signed", alias)
		}
	}
	if got := s.ask(appletCall("getSubjectDN", store+`,"key3",""`)); got != `{"result":"","errorCode":"EMPTY_KEY_LIST"}` {
		t.Errorf("%s", got)
	}
	b.noWindow()
	if got := len(strings.Split(text(t, s.ask(appletCall("getKeys", store+`,"","SIGN"`))), "\n")); got != 2 {
		t.Errorf("%d lines of keys that sign", got)
	}
}
