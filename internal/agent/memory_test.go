package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/keystore"
)

// TestPlainIndexIsLittle: a plain file holds certificates and paths; not which site was answered with which key, nor when.
func TestPlainIndexIsLittle(t *testing.T) {
	b := bring(t, func(c *Config) { c.Remember = true })
	b.key("GOST512_a.p12", b.authority.Individual())
	b.sign(b.dial(page), signRequest, "")
	file, err := os.ReadFile(filepath.Join(b.agent.config.Data, "catalogue.json"))
	if err != nil {
		t.Fatal(err)
	}
	var w written
	if err := json.Unmarshal(file, &w); err != nil || len(w.Keys) != 1 {
		t.Fatalf("%v, %d keys", err, len(w.Keys))
	}
	if len(w.Last) != 0 || !w.Keys[0].Used.IsZero() {
		t.Errorf("%s", file)
	}
	if b.agent.known.chosen(page) == "" {
		t.Error("while the agent runs it knows")
	}
}

// TestForgetForgetsThePassword: who forgets a key on the agent's page has its kept password forgotten, too.
func TestForgetForgetsThePassword(t *testing.T) {
	secrets := &chest{}
	b := bring(t, func(c *Config) { c.Keychain = secrets })
	kept := func() (n int) {
		for _, k := range keystore.Scan([]string{b.folder}) {
			if _, err := secrets.Get(passwordName(k.ID)); err == nil {
				n++
			}
		}
		return n
	}
	keep := func() {
		for _, k := range keystore.Scan([]string{b.folder}) {
			if err := b.agent.recaller.keep(k.ID, password); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.key("GOST512_a.p12", b.authority.Individual())
	b.key("GOST512_b.p12", b.authority.Head())
	h := b.home()
	h.learn("GOST512_a.p12")
	h.learn("GOST512_b.p12")
	keep()
	h.act("/forget", map[string]any{"id": h.view.Groups[0].Keys[0].ID})
	if n := kept(); n != 1 {
		t.Errorf("one was forgotten, %d are kept", n)
	}
	keep()
	h.act("/forget", map[string]any{})
	if n := kept(); n != 0 {
		t.Errorf("all were forgotten, %d are kept", n)
	}
}

// TestProgramsArePaused: one program that tires the person is put off alone, is listed, and can be listened to again.
func TestProgramsArePaused(t *testing.T) {
	b := bring(t)
	tiring, other := site{Class: "program", Program: "/usr/bin/tiring"}, site{Class: "program", Program: "/usr/bin/other"}
	red := siteOf("http://old.example.kz")
	for range 3 {
		b.agent.canceled(tiring)
	}
	if !b.agent.tiresome(tiring) || b.agent.tiresome(other) {
		t.Error("cancels of one program count for another")
	}
	b.agent.block(tiring)
	b.agent.block(red)
	if !b.agent.blocked(tiring) || b.agent.blocked(other) || !b.agent.blocked(red) {
		t.Error("the block is not of one program")
	}
	h := b.home()
	if len(h.view.Sites) != 2 || !h.view.Sites[0].Passing || !h.view.Sites[1].Passing || h.view.Sites[0].Site.Origin != tiring.Program {
		t.Fatalf("%+v", h.view.Sites)
	}
	if p := h.problem("/site", map[string]any{"origin": h.view.Sites[0].Origin, "permission": "blocked"}); p.Code != "bad_request" {
		t.Errorf("a program blocked for good: %+v", p)
	}
	for range 2 {
		h.act("/site", map[string]any{"origin": h.view.Sites[0].Origin, "permission": "ask"})
	}
	if len(h.view.Sites) != 0 || b.agent.blocked(tiring) || b.agent.blocked(red) || b.agent.tiresome(tiring) {
		t.Errorf("%+v", h.view.Sites)
	}
}

// TestReminderIsTakenBack: when the last due key was renewed, what was said is taken back.
func TestReminderIsTakenBack(t *testing.T) {
	said := make(chan string, 8)
	data, secrets := t.TempDir(), &chest{}
	first := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	if title, text := first.agent.Reminder(); title != "" || text != "" {
		t.Errorf("%q %q", title, text)
	}
	b := bring(t, func(c *Config) { c.Notify = func(_, text string) { said <- text } })
	select {
	case text := <-said:
		if text != "" {
			t.Errorf("%q", text)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing is said when no key is due: an older warning would stand")
	}
	_ = b
}

// TestQuietProfile: the window's own browser profile keeps no passwords, and a profile that is there stays as it is.
func TestQuietProfile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), profileFolder)
	path := filepath.Join(dir, "Default", "Preferences")
	if err := quietProfile(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Service *bool `json:"credentials_enable_service"`
		Profile struct {
			Manager *bool `json:"password_manager_enabled"`
		} `json:"profile"`
	}
	if err := json.Unmarshal(b, &set); err != nil || set.Service == nil || *set.Service || set.Profile.Manager == nil || *set.Profile.Manager {
		t.Errorf("%s %v", b, err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := quietProfile(dir); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "{}" {
		t.Errorf("%s %v", b, err)
	}
}
