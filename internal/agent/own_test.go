package agent

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/pfx"
)

// chain is a keychain for tests.
type chain struct {
	mu     sync.Mutex
	kept   map[string]string // under mu
	closed bool              // under mu
}

func (c *chain) Get(name string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", keystore.ErrNoKeychain
	}
	if s, ok := c.kept[name]; ok {
		return s, nil
	}
	return "", keystore.ErrNoSecret
}

func (c *chain) Set(name, secret string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return keystore.ErrNoKeychain
	}
	c.kept[name] = secret
	return nil
}

func (c *chain) Delete(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, name)
	return nil
}

// count says how many passwords are kept.
func (c *chain) count() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name := range c.kept {
		if name != indexSecret {
			n++
		}
	}
	return n
}

// do opens the window of an act, as a button of our own does.
func (b *bench) do(act Act) (h *hand, end func() (string, bool, error)) {
	b.Helper()
	type answer struct {
		said string
		ok   bool
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		said, ok, err := b.agent.Do(b.Context(), act, lang.EN)
		done <- answer{said, ok, err}
	}()
	return b.window(), func() (string, bool, error) {
		a := <-done
		return a.said, a.ok, a.err
	}
}

const signRequest = `{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"cms","data":"MTEK","signingParams":{"decode":true},"signerParams":{"extKeyUsageOids":[],"chain":[]}}}`

// TestPain10KeptPassword: only when ticked, only in the keychain, in no file and no log; each signature
// still takes a click; it is forgotten when asked, when it is wrong, and when the keychain is gone the
// person types it.
func TestPain10KeptPassword(t *testing.T) {
	c := &chain{kept: map[string]string{}}
	data := t.TempDir()
	b := bring(t, func(o *Config) { o.Keychain, o.Data = c, data })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	b.sign(s, signRequest, "GOST512_a.p12")
	if c.count() != 0 {
		t.Fatal("a password was kept unasked")
	}
	s.send(signRequest)
	h := b.window()
	if row := h.row(""); row.Kept || !h.view.CanKeep {
		t.Errorf("%+v", row)
	}
	id := h.row("").ID
	if status := h.post("/unlock", map[string]any{"id": id, "password": "wrong", "remember": true}, nil); status != 422 || c.count() != 0 {
		t.Errorf("a wrong password: %d, %d kept", status, c.count())
	}
	if status := h.post("/unlock", map[string]any{"id": id, "password": password, "remember": true}, nil); status != 200 || c.count() != 1 {
		t.Fatalf("%d, %d kept", status, c.count())
	}
	h.decide(Decision{Key: id})
	s.read()

	s.send(signRequest)
	h = b.window()
	if !h.row("").Kept {
		t.Error("the window does not say that the password is kept")
	}
	if p := h.problem("/decide", Decision{Key: id}); p.Code != "locked" {
		t.Errorf("signed without a click on the key: %+v", p)
	}
	if status := h.post("/unlock", map[string]any{"id": id, "remembered": true}, nil); status != 200 {
		t.Errorf("by the keychain: %d", status)
	}
	h.decide(Decision{Key: id})
	if reply := s.read(); !strings.Contains(reply, "BEGIN CMS") {
		t.Error(reply)
	}
	err := filepath.WalkDir(data, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(password)) {
			t.Errorf("the password is in %s", path)
		}
		return err
	})
	if err != nil || strings.Contains(b.log.String(), password) {
		t.Errorf("in the log, or %v", err)
	}

	s.send(signRequest)
	h = b.window()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	if p := h.problem("/unlock", map[string]any{"id": id, "remembered": true}); p.Code != "no_keychain" || p.Field != "password" {
		t.Errorf("%+v", p)
	}
	c.mu.Lock()
	c.closed = false
	c.mu.Unlock()
	var out struct{ View View }
	if status := h.post("/forget", map[string]any{"id": id}, &out); status != 200 || out.View.Keys[0].Kept || c.count() != 0 {
		t.Errorf("forget: %d %+v", status, out.View.Keys)
	}
	if p := h.problem("/unlock", map[string]any{"id": id, "remembered": true}); p.Code != "no_keychain" {
		t.Errorf("after it was forgotten: %+v", p)
	}
	h.cancel()
	s.read()
}

// TestPain10ChangePassword: the old file stays beside unless it is to go; a kept password goes.
func TestPain10ChangePassword(t *testing.T) {
	c := &chain{kept: map[string]string{}}
	b := bring(t, func(o *Config) { o.Keychain = c })
	b.key("GOST512_a.p12", b.authority.Individual())
	path := filepath.Join(b.folder, "GOST512_a.p12")
	h, end := b.do(ActPassword)
	id := h.row("").ID
	if err := b.agent.recaller.keep(id, password); err != nil {
		t.Fatal(err)
	}
	good := Decision{Key: id, Password: password, NewPassword: "Another1", NewPassword2: "Another1", Confirm: true}
	for code, change := range map[string]func(*Decision){
		"wrong_password":   func(d *Decision) { d.Password = "wrong" },
		"passwords_differ": func(d *Decision) { d.NewPassword2 = "Another2" },
		"same_password":    func(d *Decision) { d.NewPassword, d.NewPassword2 = password, password },
		"password_length":  func(d *Decision) { d.NewPassword, d.NewPassword2 = "a1B", "a1B" },
		"no_such_key":      func(d *Decision) { d.Key = "00" },
	} {
		d := good
		change(&d)
		if p := h.problem("/decide", d); p.Code != code || p.Text == "" {
			t.Errorf("%s: %+v", code, p)
		}
	}
	h.decide(good)
	if said, ok, err := end(); !ok || err != nil || said == "" {
		t.Fatalf("%q %v %v", said, ok, err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pfx.Decode(content, "Another1"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(keystore.OldName(path)); !os.IsNotExist(err) {
		t.Errorf("the old file: %v", err)
	}
	if c.count() != 0 {
		t.Error("the old password is still kept")
	}
}

// TestPain10ChangePasswordJKS: a Java key store gets a new password as any file does, stays one, and what stands in the
// way is said in words of its own.
func TestPain10ChangePasswordJKS(t *testing.T) {
	b := bring(t)
	b.jks("keys.jks", b.authority.Individual())
	h, end := b.do(ActPassword)
	change := Decision{Key: h.row("").ID, Password: password, NewPassword: "12345678", NewPassword2: "12345678"}
	if p := h.problem("/decide", change); p.Code != "password_default" || p.Field != "new-password" || p.Text != lang.EN.Text("agent.problem.password_default") {
		t.Errorf("%+v", p)
	}
	change.NewPassword, change.NewPassword2 = "Another1", "Another1"
	h.decide(change)
	if said, ok, err := end(); !ok || err != nil || said == "" {
		t.Fatalf("%q %v %v", said, ok, err)
	}
	files := keystore.Scan([]string{b.folder})
	if len(files) != 1 || files[0].Storage != keystore.JKS {
		t.Fatalf("%+v", files)
	}
	if _, err := keystore.Unlock(files[0], "Another1"); err != nil {
		t.Error(err)
	}
}

// TestPain10Backup: a copy that was read back and opened; never over another file.
func TestPain10Backup(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	to := t.TempDir()
	h, end := b.do(ActBackup)
	good := Decision{Key: h.row("").ID, Password: password, Folder: to}
	for code, change := range map[string]func(*Decision){
		"wrong_password": func(d *Decision) { d.Password = "wrong" },
		"no_folder":      func(d *Decision) { d.Folder = filepath.Join(to, "absent") },
		"same_folder":    func(d *Decision) { d.Folder = b.folder },
	} {
		d := good
		change(&d)
		if p := h.problem("/decide", d); p.Code != code || p.Text == "" {
			t.Errorf("%s: %+v", code, p)
		}
	}
	again := strings.ToUpper(b.folder) // Windows' folder of another case of its letters is the same one
	if runtime.GOOS != "windows" {
		again = filepath.Join(t.TempDir(), "by a link")
		symlink(t, b.folder, again)
	}
	d := good
	d.Folder = again
	if p := h.problem("/decide", d); p.Code != "same_folder" {
		t.Errorf("the same folder by another name: %+v", p)
	}
	h.decide(good)
	if _, ok, err := end(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	was, _ := os.ReadFile(filepath.Join(b.folder, "GOST512_a.p12"))
	if is, err := os.ReadFile(filepath.Join(to, "GOST512_a.p12")); err != nil || !bytes.Equal(was, is) {
		t.Errorf("the copy: %v", err)
	}
}

// TestOwnActsAreNoPages: a program of the person's own may have a window opened, a page may not.
func TestOwnActsAreNoPages(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	for _, act := range []Act{ActRenew, ActPassword, ActBackup} {
		reply := b.dial(page).ask(`{"module":"kz.senim.keys","method":"` + string(act) + `","args":{}}`)
		if !strings.Contains(reply, "undefined_method") {
			t.Errorf("%s: %s", act, reply)
		}
		b.noWindow()
	}
	done := make(chan error, 1)
	go func() {
		said, ok, err := AskRunning(t.Context(), b.agent.Addr(), ActBackup, lang.EN)
		if ok || said != "" {
			t.Errorf("closed: %q", said)
		}
		done <- err
	}()
	b.window().cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, _, err := AskRunning(t.Context(), b.agent.Addr(), ActRenew, lang.EN); !errors.Is(err, ErrNoCabinet) {
		t.Errorf("without a cabinet: %v", err)
	}
	if _, _, err := AskRunning(t.Context(), "127.0.0.1:1", ActRenew, lang.EN); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody there: %v", err)
	}
}

// TestForgetSecrets: nothing of an agent that is taken away stays in the keychain.
func TestForgetSecrets(t *testing.T) {
	c := &chain{kept: map[string]string{"of another program": "x"}}
	data := t.TempDir()
	b := bring(t, func(o *Config) { o.Keychain, o.Data = c, data })
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	s.send(signRequest)
	h := b.window()
	if status := h.post("/unlock", map[string]any{"id": h.row("").ID, "password": password, "remember": true}, nil); status != 200 || c.count() != 2 {
		t.Fatalf("%d, %d kept", status, c.count())
	}
	h.cancel()
	s.read()
	if err := c.Set(keystore.SecretName(pendingIn(data)), "secret"); err != nil {
		t.Fatal(err)
	}
	if err := forgetSecrets(data, c); err != nil {
		t.Fatal(err)
	}
	if len(c.kept) != 1 || c.kept["of another program"] == "" {
		t.Errorf("left: %d", len(c.kept))
	}
	// A list of passwords that cannot be read is said, and hides nothing else.
	for _, name := range []string{indexSecret, keystore.SecretName(pendingIn(data))} {
		if err := c.Set(name, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(data, "remembered.json"), "[")
	if err := forgetSecrets(data, c); err == nil || len(c.kept) != 1 {
		t.Errorf("%v, left: %d", err, len(c.kept))
	}
	c.closed = true
	if err := forgetSecrets(t.TempDir(), c); err != nil {
		t.Errorf("without a keychain: %v", err)
	}
	if err := forgetSecrets(t.TempDir(), nil); err != nil {
		t.Errorf("without any: %v", err)
	}
}

// TestOwnActsAreNobodys: who closes his own window often is not offered to block himself, a program that is
// sent away blocks no act of the person's own, and nothing of it stands among the sites.
func TestOwnActsAreNobodys(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	for range 4 {
		h, end := b.do(ActBackup)
		if h.view.Block != "" || h.view.Site.Known != "" {
			t.Fatalf("%+v", h.view.Site)
		}
		if status := h.post("/cancel", map[string]any{"block": true}, nil); status != 200 {
			t.Fatal(status)
		}
		if _, ok, err := end(); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	b.agent.block(siteOf("")) // a program
	h, end := b.do(ActBackup)
	to := t.TempDir()
	h.decide(Decision{Key: h.row("").ID, Password: password, Folder: to})
	if said, ok, err := end(); said == "" || !ok || err != nil {
		t.Errorf("%q %v %v", said, ok, err)
	}
	if sites := b.agent.sites(); len(sites) != 1 || sites[0] != siteOf("").key() {
		t.Errorf("%q", sites)
	}
}

// TestSilentProgramIsNoAgent: a program at the agent's address that takes calls and says nothing, or not what it is, is not waited for.
func TestSilentProgramIsNoAgent(t *testing.T) {
	for name, greets := range map[string]bool{"silent": false, "greets and is silent": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if greets {
					c, err := websocket.Accept(w, r, nil)
					if err == nil {
						err = c.Write(r.Context(), websocket.MessageText, []byte(`{"result":{"version":"1.4"}}`))
					}
					if err != nil {
						t.Error(err)
					}
				}
				<-gone
			}))
			defer server.Close()
			defer close(gone)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if _, _, err := AskRunning(ctx, server.Listener.Addr().String(), ActRenew, lang.EN); !errors.Is(err, ErrNotRunning) || ctx.Err() != nil {
				t.Errorf("%v", err)
			}
		})
	}
}
