package agent

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// damage breaks a file as disks do.
func damage(t *testing.T, path, how string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch how {
	case "lost":
		err = os.Remove(path)
	case "zeros":
		err = os.WriteFile(path, make([]byte, len(content)), 0o600)
	case "half":
		err = os.WriteFile(path, content[:len(content)/2], 0o600)
	case "empty":
		err = os.WriteFile(path, nil, 0o600)
	case "a folder":
		err = errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func hasRemark(list []Remark, code string) bool {
	for _, r := range list {
		if r.Code == code && r.Text != "" {
			return true
		}
	}
	return false
}

// TestBrokenSettings: settings that cannot be read keep no agent from starting. Which sites were blocked nobody knows
// then: none opens a window, also after another start, until the person says on the agent's page that they may ask.
func TestBrokenSettings(t *testing.T) {
	for _, how := range []string{"zeros", "half", "empty", "a folder"} {
		t.Run(how, func(t *testing.T) {
			data := t.TempDir()
			b := bring(t, func(c *Config) { c.Data = data })
			b.key("GOST512_a.p12", b.authority.Individual())
			b.home().act("/site", map[string]any{"origin": page, "permission": "blocked"})
			folder, path := b.folder, settingsIn(data)
			again := func() *bench {
				next := bring(t, func(c *Config) { c.Data, c.Folders = data, []string{folder} })
				next.folder = folder
				return next
			}
			stop, _ := served.LoadAndDelete(data)
			stop.(func())()
			damage(t, path, how)
			if found := FindBroken(data); len(found) != 1 || found[0].Kind != "settings" || found[0].Path != path {
				t.Errorf("before the start the doctor finds %+v", found)
			}
			for range 2 {
				b = again()
				if found := FindBroken(data); len(found) != 1 || found[0].Path != path+keystore.Aside {
					t.Errorf("the doctor finds %+v", found)
				}
				for _, site := range []string{page, "https://other.example.kz"} {
					if got := b.dial(site).ask(commonCall("getKeyInfo", `"PKCS12"`)); got != canceledCommon {
						t.Errorf("%s: %s", site, got)
					}
				}
				h := b.homeShown() // it opens by itself, to say why
				if !hasRemark(h.view.Broken, "broken-settings") {
					t.Errorf("the agent's page says nothing: %+v", h.view.Broken)
				}
				b.noWindow()
			}
			program := b.dial("") // of programs nothing was remembered
			program.send(commonCall("getKeyInfo", `"PKCS12"`))
			w := b.window()
			if !hasRemark(w.view.Warnings, "broken-settings") {
				t.Errorf("the window says nothing: %+v", w.view.Warnings)
			}
			w.cancel()
			h := b.home()
			h.act("/set", map[string]any{"seen": true})
			if len(h.view.Broken) != 0 || len(FindBroken(data)) != 0 {
				t.Errorf("what was seen is said again: %+v", h.view.Broken)
			}
			b = again()
			s := b.dial(page)
			s.send(commonCall("getKeyInfo", `"PKCS12"`))
			w = b.window()
			if len(w.view.Warnings) != 0 {
				t.Errorf("%+v", w.view.Warnings)
			}
			w.cancel()
		})
	}
}

// TestBrokenSettingsOneSite: who allows one site on the agent's page allows that one.
func TestBrokenSettingsOneSite(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(settingsIn(data), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := bring(t, func(c *Config) { c.Data = data })
	b.home().act("/site", map[string]any{"origin": page, "permission": "allowed"})
	s := b.dial(page)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	b.window().cancel()
	if got := b.dial("https://other.example.kz").ask(commonCall("getKeyInfo", `"PKCS12"`)); got != canceledCommon {
		t.Errorf("%s", got)
	}
}

// TestBrokenPending: keys that wait for their certificates are not lost with their list, nor with its copy.
func TestBrokenPending(t *testing.T) {
	for _, lost := range [][]string{{"pending.json"}, {"pending.json", "pending.copy.json"}} {
		data := t.TempDir()
		b := bring(t, func(c *Config) { c.Data = data })
		s := b.dial(page)
		s.send(keysCall("generate", generateArgs))
		b.window().decide(Decision{Folder: b.folder})
		made := result[ncalayer.Generated](t, s.read())
		stop, _ := served.LoadAndDelete(data)
		stop.(func())()
		for _, name := range lost {
			damage(t, filepath.Join(pendingIn(data), name), "zeros")
		}
		folder, authority := b.folder, b.authority
		b = bring(t, func(c *Config) { c.Data, c.Folders, c.Pool = data, []string{folder}, authority.Pool() })
		b.folder, b.authority = folder, authority
		if h := b.home(); !hasRemark(h.view.Broken, "broken-pending") {
			t.Errorf("%+v", h.view.Broken)
		}
		s = b.dial(page)
		s.send(keysCall("install", `{"requestId":"KZ-2026-000123","certificates":`+b.certified(made.Keys[0].CSR, made.Keys[1].CSR)+`}`))
		h := b.window()
		if h.view.Kind != "install" || h.view.Sealed {
			t.Errorf("%s, a password is asked: %v", h.view.Kind, h.view.Sealed)
		}
		h.decide(Decision{NewPassword: "Another77", NewPassword2: "Another77", Confirm: true})
		if got := s.read(); strings.Count(got, `"created":true`) != 2 {
			t.Errorf("%v lost: %s", lost, got)
		}
	}
}

// TestBrokenRemembered: with the list of kept passwords the agent starts; what can be read of it is offered, and can be
// forgotten.
func TestBrokenRemembered(t *testing.T) {
	data, secrets := t.TempDir(), &chain{kept: map[string]string{}}
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(signRequest)
	h := b.window()
	id := h.row("").ID
	if status := h.post("/unlock", map[string]any{"id": id, "password": password, "remember": true}, nil); status != http.StatusOK {
		t.Fatal(status)
	}
	h.cancel()
	stop, _ := served.LoadAndDelete(data)
	stop.(func())()
	if err := os.WriteFile(rememberedIn(data), []byte(`["`+id+`","0123`), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := b.folder
	b = bring(t, func(c *Config) { c.Data, c.Keychain, c.Folders = data, secrets, []string{folder} })
	s = b.dial(page)
	s.send(signRequest)
	h = b.window()
	if !h.row("").Kept || !hasRemark(h.view.Warnings, "broken-remembered") {
		t.Errorf("kept %v, %+v", h.row("").Kept, h.view.Warnings)
	}
	if status := h.post("/forget", map[string]any{"id": id}, nil); status != http.StatusOK || secrets.count() != 0 {
		t.Errorf("forget: %d, %d kept", status, secrets.count())
	}
	h.cancel()
}

// TestBrokenAuthority: an authority without its key, or with a broken one, is kept beside; another one is made and
// serves, and the person is told that browsers do not know it yet.
func TestBrokenAuthority(t *testing.T) {
	const name = AuthorityKeyFile
	for _, how := range []string{"lost", "zeros"} {
		data := t.TempDir()
		b := bring(t, func(c *Config) { c.Data = data })
		before := b.agent.authority.cert
		stop, _ := served.LoadAndDelete(data)
		stop.(func())()
		damage(t, filepath.Join(data, name), how)
		kept, err := os.ReadFile(filepath.Join(data, AuthorityFile))
		if err != nil {
			t.Fatal(err)
		}
		b = bring(t, func(c *Config) { c.Data = data })
		if b.agent.authority.cert.Equal(before) {
			t.Errorf("%s %s: the same authority", name, how)
		}
		if beside, err := os.ReadFile(filepath.Join(data, AuthorityFile+keystore.Aside)); err != nil || !bytes.Equal(beside, kept) {
			t.Errorf("%s %s: not kept beside: %v", name, how, err)
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting(b), DisableKeepAlives: true}}
		answer, err := client.Get("https://" + b.agent.Addr() + "/")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if h := b.home(); !hasRemark(h.view.Broken, "broken-authority") {
			t.Errorf("%+v", h.view.Broken)
		}
		stop, _ = served.LoadAndDelete(data)
		stop.(func())()
		if err := Erase(t.Context(), data, Erasing{}); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(data); !os.IsNotExist(err) {
			left, _ := os.ReadDir(data)
			t.Errorf("after uninstalling there is still %v", left)
		}
	}
}

// TestScreenBroken: the agent's page says what was lost, and the button lets sites ask again.
func TestScreenBroken(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(settingsIn(data), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := bring(t, func(c *Config) { c.Data = data })
	s := b.look()
	for _, tag := range lang.All() {
		b.agent.ShowHome(tag)
		s.open()
		s.do("choose the language", chromedp.Click(chromedp.CSS("#language [lang="+string(tag)+"]")), s.ready())
		if said := eval[string](s, `document.getElementById('broken').innerText`); !strings.Contains(said, tag.Text("agent.broken.settings")) {
			t.Errorf("%s: the page says %q", tag, said)
		}
		s.looks("home-broken-" + string(tag))
	}
	s.do("say that it is known", chromedp.Click(chromedp.CSS("#broken-seen")), chromedp.WaitNotPresent(chromedp.CSS("#broken")), s.ready())
	socket := b.dial(page)
	socket.send(commonCall("getKeyInfo", `"PKCS12"`))
	b.window().cancel()
}
