package agent

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/token"
)

// leftOn makes a pair as a killed agent leaves it: the note was written, the pair made, and nobody was told. Beside it is a pair
// of somebody else's.
func leftOn(t *testing.T, driver keystore.TokenDriver, data string) (mine, other string) {
	t.Helper()
	tok, err := token.Open(token.Config{Program: driver.Program, Module: driver.Module, Label: "KAZTOKEN 1", PIN: []byte(pin)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tok.Close() }()
	mine, other = token.NameOf([]byte("mine, of twenty byte")), token.NameOf([]byte("somebody else's"))
	for _, name := range []string{mine, other} {
		if _, err := tok.Generate(t.Context(), name, 2048); err != nil {
			t.Fatal(err)
		}
	}
	seen := keystore.ScanTokens([]keystore.TokenDriver{driver})
	notes, err := json.Marshal([]keystore.Note{{State: keystore.Making, Origin: page, RequestID: "1", Storage: driver.Storage, Token: "KAZTOKEN 1",
		Serial: seen.Tokens[0].Serial, Name: mine, Made: time.Now()}})
	if err == nil {
		err = errors.Join(os.MkdirAll(pendingIn(data), 0o700), os.WriteFile(filepath.Join(pendingIn(data), "pending.json"), notes, 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
	return mine, other
}

// TestPairLeftOnToken: a pair that a killed agent left on a token is on the agent's page and is deleted from there with the PIN;
// other pairs stay, and so does everything when the token is not plugged in.
func TestPairLeftOnToken(t *testing.T) {
	driver, data := emptyToken(t), t.TempDir()
	mine, other := leftOn(t, driver, data)
	p := newPort(t)
	b := bring(t, func(o *Config) { o.Tokens, o.Data = []keystore.TokenDriver{driver}, data })
	h := b.home()
	if l := h.view.Pending; len(l) != 1 || l[0].ID != mine || l[0].Token != "KAZTOKEN 1" || l[0].Left != lang.RU.Text("home.pending.left", "token", "KAZTOKEN 1") || l[0].Origin != page {
		t.Fatalf("%+v", l)
	}
	p.pull()
	if p := h.problem("/discard", map[string]any{"id": mine, "password": pin}); p.Code != "token_unplugged" || p.Text == "" {
		t.Errorf("%+v", p)
	}
	p.plug()
	if p := h.problem("/discard", map[string]any{"id": mine, "password": "0000"}); p.Code != "wrong_pin" && p.Code != "pin_last_try" || p.Field != "pin-"+mine {
		t.Errorf("%+v", p)
	}
	for _, id := range []string{other, "", "id:00"} {
		if p := h.problem("/discard", map[string]any{"id": id, "password": pin}); p.Code != "not_written" {
			t.Errorf("%q: %+v", id, p)
		}
	}
	if h.act("/discard", map[string]any{"id": mine, "password": pin}); len(h.view.Pending) != 0 {
		t.Errorf("%+v", h.view.Pending)
	}
	tok, err := token.Open(token.Config{Program: driver.Program, Module: driver.Module, Label: "KAZTOKEN 1", PIN: []byte(pin)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tok.Close() }()
	if _, err := tok.Key(t.Context(), mine); !errors.Is(err, token.ErrNotFound) {
		t.Errorf("the pair is still there: %v", err)
	}
	if _, err := tok.Key(t.Context(), other); err != nil {
		t.Errorf("somebody else's pair: %v", err)
	}
	// A key that waits for its certificate is deleted in the same way; who lost the token takes the note away alone.
	s := b.dial(page)
	for _, record := range []bool{false, true} {
		s.send(keysCall("generate", `{"requestId":"r","storage":"AKKaztokenStore","profiles":[{"algorithm":"RSA2048","usage":"SIGNATURE"}],
 "subject":{"commonName":"ТЕСТОВ ТЕСТ","surname":"ТЕСТОВ","iin":"123456789011","email":"t@example.kz"},"locale":"ru"}`))
		w := b.window()
		w.decide(Decision{Token: w.view.Tokens[0].ID, Password: pin})
		s.read()
		n := b.agent.keeper.Waiting(page)
		if len(n) != 1 {
			t.Fatalf("%+v", n)
		}
		body := map[string]any{"id": n[0].KeyID, "password": pin}
		if record {
			body = map[string]any{"id": n[0].KeyID, "record": true}
		}
		if h.act("/discard", body); len(h.view.Pending) != 0 {
			t.Errorf("%+v", h.view.Pending)
		}
		again, err := token.Open(token.Config{Program: driver.Program, Module: driver.Module, Label: "KAZTOKEN 1", PIN: []byte(pin)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Key(t.Context(), n[0].Name); (err == nil) != record {
			t.Errorf("only the note %v: %v", record, err)
		}
		_ = again.Close()
	}
	if strings.Contains(b.log.String(), pin) {
		t.Error("the PIN is in the log")
	}
}
