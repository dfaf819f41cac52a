package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/lang"
)

const canceledReply = `{"code":"500","message":"action.canceled"}`

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fileCall(path string) string {
	return commonCall("createCAdESFromFile", `"PKCS12","SIGNATURE",`+quote(path)+`,true`)
}

// TestSignFile: a file the page names is read after the person has seen which one it is; one the person
// picked in our own chooser is signed at once.
func TestSignFile(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	folder := t.TempDir()
	named := write(t, filepath.Join(folder, "договор.txt"), "предмет договора")
	s := b.dial(page)
	s.send(fileCall(named))
	h := b.window()
	shown := h.view.Facts
	if h.view.Kind != "read" || len(h.view.Documents) > 0 || len(shown) != 4 || shown[0].Value != "договор.txt" || shown[1].Value != folder {
		t.Errorf("%+v", h.view)
	}
	h.decide(Decision{})
	h = b.window()
	if d := h.view.Documents[0]; d.Name != named || d.Text != "предмет договора" {
		t.Errorf("%+v", d)
	}
	h.decide(Decision{Key: h.unlock("")})
	if sd := good(t, unbase(t, object[string](t, s.read())), nil); string(sd.Content()) != "предмет договора" {
		t.Errorf("%q", sd.Content())
	}

	s.send(commonCall("showFileChooser", `"ALL",`+quote(folder)))
	h = b.window()
	if h.view.Kind != "choose" || h.view.Chooser.Folder != folder || len(h.view.Chooser.Entries) != 1 {
		t.Errorf("%+v", h.view.Chooser)
	}
	if p := h.problem("/decide", Decision{File: filepath.Join(folder, "none")}); p.Code != "no_file" {
		t.Errorf("%+v", p)
	}
	h.decide(Decision{File: named})
	if got := object[string](t, s.read()); got != named {
		t.Errorf("%s", got)
	}
	detached := object[string](t, b.sign(s, strings.Replace(fileCall(named), "true", "false", 1), ""))
	if sd := good(t, unbase(t, detached), []byte("предмет договора")); !sd.Detached() {
		t.Error("not detached")
	}
	// What was picked on one connection is not known on another.
	other := b.dial(page)
	other.send(fileCall(named))
	h = b.window()
	if h.view.Kind != "read" {
		t.Errorf("another connection: %s", h.view.Kind)
	}
	h.cancel()
	if got := other.read(); got != canceledReply {
		t.Errorf("%s", got)
	}
	s.send(commonCall("showFileChooser", `"P12",""`))
	b.window().cancel()
	if got := s.read(); got != canceledReply {
		t.Errorf("%s", got)
	}
}

// TestPain15NoPathIsRead: what a page may not have is refused, whatever the reason is the page hears the
// same, and it hears nothing before the person has seen the path.
func TestPain15NoPathIsRead(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	folder := t.TempDir()
	secret := write(t, filepath.Join(folder, "secret.txt"), "secret")
	link := filepath.Join(folder, "link.txt")
	symlink(t, secret, link)
	key, err := os.ReadFile(filepath.Join(b.folder, "GOST512_a.p12"))
	if err != nil {
		t.Fatal(err)
	}
	s := b.dial(page)
	for name, path := range map[string]string{
		"nothing there": filepath.Join(folder, "none.txt"), "link": link, "device": "/dev/null", "folder": folder, "relative": "secret.txt",
		"another machine": `\\server\share\a.txt`, "own data": filepath.Join(b.agent.config.Data, "authority.key"),
		"key file": filepath.Join(b.folder, "GOST512_a.p12"), "key under another name": write(t, filepath.Join(folder, "a.dat"), string(key)),
		"key in PEM": write(t, filepath.Join(folder, "a.txt"), "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"),
	} {
		t.Run(name, func(t *testing.T) {
			s.send(fileCall(path))
			h := b.window()
			if h.view.Kind == "read" {
				h.decide(Decision{})
				h = b.window()
			}
			if h.view.Kind != "refused" || h.view.Refusal == "" {
				t.Errorf("%+v", h.view)
			}
			h.decide(Decision{})
			if got := s.read(); got != `{"code":"500","message":"file.not_found"}` {
				t.Errorf("%s", got)
			}
		})
	}
	// Another site's challenge in a file is still another site's challenge.
	s.send(fileCall(write(t, filepath.Join(folder, "c.txt"), challenge("https://victim.kz"))))
	b.window().decide(Decision{})
	h := b.window()
	if h.view.Kind != "refused" {
		t.Errorf("%+v", h.view)
	}
	h.decide(Decision{})
	if got := s.read(); got != `{"code":"500","message":"origin.mismatch"}` {
		t.Errorf("%s", got)
	}
}

// TestSizesInWords: the size of a file agrees with its number, in every language.
func TestSizesInWords(t *testing.T) {
	b := bring(t)
	want := map[lang.Tag][]string{lang.RU: {"1 байт", "2 байта", "5 байт", "21 байт"}, lang.EN: {"1 byte", "2 bytes", "5 bytes", "21 bytes"}, lang.KK: {"1 байт", "2 байт", "5 байт", "21 байт"}}
	for i, n := range []int{1, 2, 5, 21} {
		if err := os.WriteFile(filepath.Join(b.folder, string(rune('a'+i))+".txt"), make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := b.dial(page)
	for tag, sizes := range want {
		s.ask(commonCall("changeLocale", `"`+string(tag)+`"`))
		s.send(commonCall("showFileChooser", `"TXT",`+quote(b.folder)))
		h := b.window()
		for i, size := range sizes {
			if e := h.view.Chooser.Entries[i]; !strings.HasPrefix(e.About, size+" ") {
				t.Errorf("%s: %s", tag, e.About)
			}
		}
		h.cancel()
		s.read()
	}
}
