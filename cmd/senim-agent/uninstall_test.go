package main

import (
	"bufio"
	"context"
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
	"senim/internal/setup"
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
	if err := installCommand(t.Context(), []string{"--yes", "--listen", freePort(t)}, strings.NewReader(""), io.Discard); err != nil {
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

// TestUninstallAnothers: an agent that works with another folder is not ended, whoever takes which folder away at its address, and
// nothing is taken away then; neither does stop, when it is told whose agent is meant.
func TestUninstallAnothers(t *testing.T) {
	dir := home(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address, its := freePort(t), filepath.Join(dir, "its data")
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--listen", address, "--data", its, "--browser", "none", "--headless", "--keychain=false"}, in, io.Discard)
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "listening "+address+"\n" {
		t.Fatalf("%q %v", line, err)
	}
	before := tree(t, dir)
	for _, args := range [][]string{
		{"uninstall"}, {"uninstall", "--data", filepath.Join(dir, "no such")}, {"stop", "--data", filepath.Join(dir, "no such")},
	} {
		err := run(t.Context(), append(args, "--listen", address, "--lang", "en"), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "other data") || !strings.Contains(err.Error(), address) {
			t.Errorf("%v: %v", args, err)
		}
		if after := tree(t, dir); !slices.Equal(before, after) {
			t.Errorf("%v: before %v\nafter %v", args, before, after)
		}
		if got := setup.Probe(t.Context(), address); got.State != "ours" {
			t.Fatalf("%v: %+v", args, got)
		}
	}
	// Its own folder is known. The program that has the port is this test, so it is left alone all the same.
	for _, args := range [][]string{{"uninstall", "--data", its}, {"stop", "--data", its}, {"stop"}} {
		if err := run(t.Context(), append(args, "--listen", address, "--lang", "en"), io.Discard, io.Discard); err == nil || strings.Contains(err.Error(), "other data") {
			t.Errorf("%v: %v", args, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
