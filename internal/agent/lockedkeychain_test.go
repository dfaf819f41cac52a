package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPain09KeychainLockedAtSignIn: the agent starts before the person opens the system's keychain. What it knew is not
// lost: it says so, asks again when the person comes, reminds then, and keeps what it learned and was told to forget
// meanwhile.
func TestPain09KeychainLockedAtSignIn(t *testing.T) {
	data, secrets := t.TempDir(), &chest{}
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	b.issue("a.p12", company("ТОО «Алма»", "123456789021"), 5)
	b.issue("b.p12", company("ТОО «Бастау»", "123456789034"), 200)
	b.issue("c.p12", company("ТОО «Самал»", "123456789047"), 300)
	b.issue("d.p12", company("ТОО «Дала»", "123456789058"), 300)
	h := b.home()
	h.learn("a.p12")
	h.learn("b.p12")
	folder, now := b.folder, b.clock()
	sealed := filepath.Join(data, "catalogue")
	before, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}

	secrets.lock(true)
	said := make(chan string, 8)
	start := func() *bench {
		next := bring(t, func(c *Config) {
			c.Data, c.Keychain, c.Folders, c.Now = data, secrets, []string{folder}, func() time.Time { return now }
			c.Notify = func(title, text string) { said <- text }
		})
		next.folder = folder
		return next
	}
	b = start()
	if text := <-said; text != "" {
		t.Errorf("reminded of %q", text)
	}
	h = b.home()
	if h.view.Index != "locked" || h.view.IndexText == "" {
		t.Errorf("the page says the list is %s", h.view.Index)
	}
	h.learn("b.p12") // again: nobody knows it now
	h.learn("c.p12")
	h.learn("d.p12")
	id := ""
	for _, g := range h.view.Groups {
		if g.Name == "ТОО «Бастау»" {
			id = g.Keys[0].ID
		}
	}
	if p := h.problem("/forget", map[string]any{"id": id}); p.Code != "index_locked" || p.Text == "" {
		t.Errorf("what cannot be forgotten on the disk: %+v", p)
	}
	if now, err := os.ReadFile(sealed); err != nil || !bytes.Equal(now, before) {
		t.Errorf("the list that could not be read was touched: %v", err)
	}

	secrets.lock(false)
	b.home()
	select {
	case text := <-said:
		if !strings.HasPrefix(text, "ТОО «Алма»: ") {
			t.Errorf("reminded of %q", text)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was reminded once the keychain was open")
	}
	known := func(h *homeHand) (names []string) {
		for _, g := range h.view.Groups {
			if g.Name != "" {
				names = append(names, g.Name)
			}
		}
		return names
	}
	const want = "ТОО «Алма» ТОО «Дала» ТОО «Самал»" // without what was forgotten
	if h = b.home(); strings.Join(known(h), " ") != want || h.view.Index != "keychain" {
		t.Errorf("%v, the list is %s", known(h), h.view.Index)
	}
	if h = start().home(); strings.Join(known(h), " ") != want {
		t.Errorf("after a start: %v", known(h))
	}
}

// TestKeychainIsNotAskedAtEveryWindow: a keychain that stays locked may ask the person each time: windows leave it alone
// for a while, the agent's page asks.
func TestKeychainIsNotAskedAtEveryWindow(t *testing.T) {
	secrets := &chest{locked: true}
	b := bring(t, func(c *Config) { c.Keychain = secrets })
	b.key("a.p12", b.authority.Individual())
	s := b.dial(page)
	b.home()
	count := func() int {
		secrets.mu.Lock()
		defer secrets.mu.Unlock()
		return secrets.asked
	}
	becomes(t, func() bool { return count() > 0 })
	asked := count()
	for range 3 {
		s.send(commonCall("getKeyInfo", `"PKCS12"`))
		b.window().cancel()
		s.read()
	}
	if n := count(); n != asked {
		t.Errorf("three windows asked it %d times", n-asked)
	}
	b.home()
	becomes(t, func() bool { return count() > asked })
}

// TestForgetAllWhileLocked: who has everything forgotten has it, also of what cannot be read.
func TestForgetAllWhileLocked(t *testing.T) {
	data, secrets := t.TempDir(), &chest{}
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	b.issue("a.p12", company("ТОО «Алма»", "123456789021"), 5)
	b.home().learn("a.p12")
	secrets.lock(true)
	next := bring(t, func(c *Config) { c.Data, c.Keychain = data, secrets })
	next.home().act("/forget", map[string]any{})
	if _, err := os.Stat(filepath.Join(data, "catalogue")); !os.IsNotExist(err) {
		t.Errorf("the list is still there: %v", err)
	}
}
