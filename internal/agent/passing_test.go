//go:build unix

package agent

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"senim/internal/keystore"
)

// unread runs f while a file is there and cannot be read, as when a process has too many files open.
func unread(t *testing.T, path string, f func()) {
	t.Helper()
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.Rename(path, kept); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, path); err != nil {
		t.Fatal(err)
	}
	f()
	if target, err := os.Readlink(path); err != nil || target != path {
		t.Errorf("%s was put aside or replaced: %v", filepath.Base(path), err)
	}
	if err := os.Rename(kept, path); err != nil {
		t.Fatal(err)
	}
}

// TestPassingError: what cannot be read now is not broken. The agent does not start, and starts later as it was: sites that
// were blocked stay so, keys still wait, browsers know the authority.
func TestPassingError(t *testing.T) {
	data := t.TempDir()
	b := bring(t, func(c *Config) { c.Data, c.Keychain = data, &chain{kept: map[string]string{}} })
	b.home().act("/site", map[string]any{"origin": "https://other.example.kz", "permission": "blocked"})
	s := b.dial(page)
	s.send(keysCall("generate", generateArgs))
	b.window().decide(Decision{Folder: b.folder})
	s.read()
	cert := b.agent.authority.cert
	if err := os.WriteFile(rememberedIn(data), []byte(`["0123456789abcdef0123456789abcdef"]`), 0o600); err != nil {
		t.Fatal(err)
	}
	config := b.agent.config
	stop, _ := served.LoadAndDelete(data)
	stop.(func())()
	for _, path := range []string{settingsIn(data), rememberedIn(data), filepath.Join(pendingIn(data), keystore.NotesFile), filepath.Join(data, AuthorityKeyFile), filepath.Join(data, AuthorityFile)} {
		unread(t, path, func() {
			a, err := New(config)
			if err == nil {
				err = a.Listen()
			}
			if err == nil {
				t.Errorf("%s: the agent starts", filepath.Base(path))
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_ = a.Serve(ctx)
			}
			if filepath.Base(path) == AuthorityKeyFile {
				if _, err := EnsureAuthority(data); err == nil {
					t.Error("another authority was made")
				}
			}
		})
	}
	b = bring(t, func(c *Config) { c.Data, c.Keychain = data, config.Keychain })
	if !b.agent.authority.cert.Equal(cert) || !b.agent.settings.get().Sites["https://other.example.kz"].Blocked || len(b.agent.keeper.Waiting(page)) != 2 || !b.agent.recaller.has("0123456789abcdef0123456789abcdef") || len(b.home().view.Broken) != 0 {
		t.Errorf("%v %+v %d", b.agent.authority.cert.Equal(cert), b.agent.settings.get(), len(b.agent.keeper.Waiting(page)))
	}
}

// TestAuthorityOfOneFile: the authority is whole in one file, so that nobody reads the key of one and the certificate of
// another; the certificate for browsers is written again from it. An authority of an earlier build, in two files, holds.
func TestAuthorityOfOneFile(t *testing.T) {
	data := t.TempDir()
	path, err := EnsureAuthority(data)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"lost", "half", "zeros", "a folder"} {
		damage(t, path, how)
		if _, err := EnsureAuthority(data); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		if again, err := os.ReadFile(path); err != nil || string(again) != string(first) {
			t.Errorf("%s: %s %v", how, again, err)
		}
	}
	key, err := os.ReadFile(filepath.Join(data, AuthorityKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	rest := key[:len(key)-len(first)]
	if string(key) != string(rest)+string(first) {
		t.Fatalf("%s", key)
	}
	if err := os.WriteFile(filepath.Join(data, AuthorityKeyFile), rest, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := EnsureAuthority(data); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(first) {
		t.Errorf("of an earlier build: %s %v", again, err)
	}
}
