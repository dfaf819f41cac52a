package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"senim/internal/agent"
	"senim/internal/keystore"
)

// TestUninstallInUse: while somebody works with the agent's folder, wherever he listens, nothing is taken away: not what opens
// the keys that are being made, and not what puts the agent on this machine.
func TestUninstallInUse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is put on Windows lies in its registry and its store of roots: TestInstalledOnWindows")
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		t.Skip("no certutil here: Debian has it in libnss3-tools")
	}
	keyring.MockInit()
	dir := home(t)
	if err := installCommand(t.Context(), []string{"--yes", "--listen", freePort(t)}, strings.NewReader(""), io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	chain, name := keystore.SystemKeychain(), keystore.SecretName(filepath.Join(dataFolder(), agent.PendingFolder))
	if err := chain.Set(name, "secret"); err != nil {
		t.Fatal(err)
	}
	unlock, err := keystore.Lock(dataFolder())
	if err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	uninstall := func(args ...string) error {
		return uninstallCommand(t.Context(), append(args, "--lang", "en"), io.Discard, io.Discard)
	}
	if err := uninstall("--with-pending"); err == nil || !strings.Contains(err.Error(), "still works") {
		t.Errorf("%v", err)
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if s, err := chain.Get(name); err != nil || s != "secret" {
		t.Errorf("what opens the keys is gone: %v", err)
	}
	unlock()
	notes := filepath.Join(dataFolder(), agent.PendingFolder, keystore.NotesFile)
	if err := errors.Join(os.MkdirAll(filepath.Dir(notes), 0o700), os.WriteFile(notes, []byte(`[{"state":"pending"}]`), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := uninstall(); err == nil || !strings.Contains(err.Error(), "--with-pending") {
		t.Errorf("%v", err)
	}
	if s, err := chain.Get(name); err != nil || s != "secret" {
		t.Errorf("what opens the keys is gone: %v", err)
	}
	if err := uninstall("--with-pending"); err != nil {
		t.Error(err)
	}
	if left := tree(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := chain.Get(name); !errors.Is(err, keystore.ErrNoSecret) {
		t.Errorf("the keychain still has it: %v", err)
	}
}
