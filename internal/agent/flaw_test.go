package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/lang"
)

// TestFlawedFilesStandLast: what is no key by its form is greyed, after the keys, with the reason, in the windows and on the
// agent's page; no password is asked for it.
func TestFlawedFilesStandLast(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	b.key("GOST512_b.p12", b.authority.Head())
	whole, err := os.ReadFile(filepath.Join(b.folder, "GOST512_a.p12"))
	if err != nil {
		t.Fatal(err)
	}
	flaws := map[string]string{"empty.p12": "empty", "cut.p12": "cut", "text.jks": "foreign"}
	for name, content := range map[string][]byte{"empty.p12": nil, "cut.p12": whole[:len(whole)-100], "text.jks": []byte("hello")} {
		if err := os.WriteFile(filepath.Join(b.folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	socket := b.dial(page)
	for _, request := range []string{commonCall("getKeyInfo", `"PKCS12"`), keysCall("list", `{"locale":"ru"}`)} {
		socket.send(request)
		h := b.window()
		if len(h.view.Keys) != 5 {
			t.Fatalf("%d keys", len(h.view.Keys))
		}
		for i, k := range h.view.Keys {
			if flaw := flaws[k.File]; (i < 2) != (flaw == "") || k.Fits != (i < 2) || flaw != "" && (len(k.Reasons) != 1 || k.Reasons[0].Text != lang.RU.Text("agent.reason.flaw-"+flaw)) {
				t.Errorf("%d: %+v", i, k)
			}
		}
		if p := h.problem("/unlock", map[string]any{"id": h.row("empty.p12").ID, "password": password}); p.Code != "unreadable_key" {
			t.Errorf("%+v", p)
		}
		h.cancel()
		socket.read()
	}
	h := b.home()
	keys := h.view.Groups[0].Keys
	for i, k := range keys {
		if flaw := flaws[k.File]; len(keys) != 5 || (i < 2) != (flaw == "") || flaw != "" && (k.State != "broken" || len(k.Remarks) != 1 || k.Remarks[0].Code != "flaw-"+flaw) {
			t.Errorf("%d: %+v", i, k)
		}
	}
	if f := h.view.Folders[0]; f.Keys != 2 {
		t.Errorf("%+v", f)
	}
	s := b.look()
	for _, tag := range lang.All() {
		socket.ask(commonCall("changeLocale", `"`+string(tag)+`"`))
		socket.send(commonCall("getKeyInfo", `"PKCS12"`))
		s.open()
		if n := eval[int](s, `document.querySelectorAll('.key[data-fits=false] input:disabled').length`); n != 3 {
			t.Errorf("%d rows cannot be chosen", n)
		}
		if got := eval[string](s, `[...document.querySelectorAll('.key[data-fits=false]')].map((e) => e.innerText).join()`); strings.Contains(got, tag.Text("agent.ui.locked")) {
			t.Errorf("%s", got)
		}
		s.looks("flaws-" + string(tag))
		s.click("#cancel")
		socket.read()
	}
}
