package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"senim/internal/setup"
)

// TestChosenAtInstall: the address and the folder that were chosen at install are those of every later command that is not told
// otherwise, also of the menu's.
func TestChosenAtInstall(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is put on Windows lies in its registry and its store of roots: TestInstalledOnWindows")
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		t.Skip("no certutil here: Debian has it in libnss3-tools")
	}
	program := filepath.Join(t.TempDir(), "senim-agent")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	dir := home(t)
	ask := func(status int, args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, program, args...)
		c.Env = append(os.Environ(), "LC_ALL=en_US.UTF-8", "LANGUAGE=en")
		out, err := c.CombinedOutput()
		if c.ProcessState.ExitCode() != status {
			t.Fatalf("%v: %s %v", args, out, err)
		}
		return string(out)
	}
	for name, place := range map[string][]string{"the usual folder": nil, "a folder": {"--data", filepath.Join(dir, "its data")}} {
		address := freePort(t)
		with := func(command string) []string { return append([]string{command}, place...) }
		ask(0, append(append(with("install"), "--yes", "--listen", address), "--", "--headless", "--browser", "none", "--keychain=false", "--keys", dir)...)
		menu, err := os.ReadFile(filepath.Join(dir, ".local/share/applications/senim-agent.desktop"))
		if err != nil || strings.Contains(string(menu), `"open" "--data" "`+filepath.Join(dir, "its data")+`"`) != (place != nil) {
			t.Errorf("%s: %s %v", name, menu, err)
		}
		start, err := os.ReadFile(filepath.Join(dir, ".config/autostart/senim-agent.desktop"))
		if err != nil || !strings.Contains(string(start), `"--listen" "`+address+`"`) {
			t.Errorf("%s: %s %v", name, start, err)
		}
		if got := ask(1, with("status")...); !strings.Contains(got, "not running") {
			t.Errorf("%s: %s", name, got)
		}
		ask(0, with("open")...) // starts it
		if got := setup.Probe(t.Context(), address); got.State != "ours" {
			t.Fatalf("%s: at %s: %+v", name, address, got)
		}
		ask(0, with("status")...)
		if got := ask(0, with("start")...); !strings.Contains(got, "The agent runs: "+address) {
			t.Errorf("%s: %s", name, got)
		}
		ask(1, append(with("status"), "--listen", freePort(t))...)                       // what is said now goes before
		if got := ask(2, with("renew")...); !strings.Contains(got, "knows no cabinet") { // the one that runs
			t.Errorf("%s: %s", name, got)
		}
		if got := ask(0, with("stop")...); !strings.Contains(got, "was ended") || !strings.Contains(got, address) {
			t.Errorf("%s: %s", name, got)
		}
		if got := setup.Probe(t.Context(), address); got.State != "free" {
			t.Errorf("%s: %+v", name, got)
		}
		ask(0, with("start")...)
		ask(0, with("uninstall")...)
		if got := setup.Probe(t.Context(), address); got.State != "free" {
			t.Errorf("%s: after uninstalling: %+v", name, got)
		}
		if left := tree(t, dir); len(left) != 0 {
			t.Errorf("%s: left: %v", name, left)
		}
	}
}
