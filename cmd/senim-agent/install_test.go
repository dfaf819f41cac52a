package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
	"senim/internal/freeport"
	"senim/internal/lang"
	"senim/internal/setup"
)

// home gives the test a person's home of its own.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, ".config"))
	t.Setenv("USERPROFILE", dir) // of Windows
	t.Setenv("APPDATA", filepath.Join(dir, ".config"))
	t.Setenv("LOCALAPPDATA", filepath.Join(dir, ".local"))
	return dir
}

func tree(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestInstall: nothing is put without a yes; what was put is all taken away, and the person's files stay.
func TestInstall(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is put on Windows lies in its registry and its store of roots: TestInstalledOnWindows")
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		t.Skip("no certutil here: Debian has it in libnss3-tools")
	}
	dir := home(t)
	key := filepath.Join(dir, "GOST512_x.p12")
	if err := os.WriteFile(key, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	ctx := t.Context()
	free := freePort(t)
	for _, answer := range []string{"", "n\n", "\n"} {
		var out strings.Builder
		if err := installCommand(ctx, []string{"--lang", "en"}, strings.NewReader(answer), &out); err == nil || !strings.Contains(out.String(), "localhost, 127.0.0.1, ::1") {
			t.Errorf("%q: %v, %s", answer, err, out.String())
		}
		if after := tree(t, dir); !slices.Equal(before, after) {
			t.Errorf("%q: %v", answer, after)
		}
	}
	for _, bad := range [][]string{{"--portal", "*", "--system"}, {"--portal", "https://a.kz"}, {"--", "--nonsense"}, {"--", "surplus"}} {
		if err := installCommand(ctx, append([]string{"--yes"}, bad...), strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	if err := installCommand(ctx, []string{"--lang", "kk", "--", "--keys", dir}, strings.NewReader("иә\n"), io.Discard); err != nil {
		t.Fatal(err)
	}
	entry, err := os.ReadFile(filepath.Join(dir, ".config/autostart/senim-agent.desktop"))
	if err != nil || !strings.Contains(string(entry), `"--wait" "--keys" "`+dir+`"`) {
		t.Errorf("%s %v", entry, err)
	}
	var found strings.Builder
	if err := doctorCommand(ctx, []string{"--lang", "en", "--listen", free}, &found, io.Discard); err == nil || !strings.Contains(found.String(), "The agent is not running") || strings.Contains(found.String(), "does not trust") {
		t.Errorf("%v %s", err, found.String())
	}
	if err := uninstallCommand(ctx, []string{"--listen", free}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("left: %v", after)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := freeport.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestPain05Port: a port that is taken is explained by the program that has it; a waiting agent takes
// it over when that one quits, and a second agent ends without harm.
func TestPain05Port(t *testing.T) {
	home(t)
	t.Setenv("LC_ALL", "en")
	other, err := freeport.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := other.Addr().String()
	args := []string{"--listen", address, "--browser", "none", "--data", t.TempDir()}
	err = run(t.Context(), args, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) || !strings.Contains(err.Error(), "--wait") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, in := io.Pipe()
	said, say := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, append([]string{"--wait"}, args...), in, say) }()
	notice, err := bufio.NewReader(said).ReadString('\n')
	if err != nil || !strings.Contains(notice, "is held by") {
		t.Fatalf("%q %v", notice, err)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	if err := other.Close(); err != nil { // it quits
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "listening "+address+"\n" {
		t.Fatalf("%q %v", line, err)
	}
	if got := setup.Probe(ctx, address); got.State != "ours" || got.Version != version {
		t.Errorf("%+v", got)
	}
	var running *already
	if err := run(ctx, args, io.Discard, io.Discard); !errors.As(err, &running) {
		t.Errorf("a second agent: %v", err)
	}
	var status strings.Builder
	if err := statusCommand(ctx, []string{"--listen", address, "--lang", "ru"}, &status, io.Discard); err != nil || !strings.Contains(status.String(), "Агент работает") {
		t.Errorf("%v %s", err, status.String())
	}
	if err := stop(ctx, address); err == nil { // the process is the test's, not an agent's program
		t.Error("a program of another name was ended")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestReplacedProgram: an agent whose file a package has replaced is still known as ours, and another program is not.
func TestReplacedProgram(t *testing.T) {
	for path, want := range map[string]bool{
		"/usr/bin/senim-agent": true, "/usr/bin/senim-agent (deleted)": true, `C:/Senim/senim-agentw.exe`: true, "/usr/bin/senim-agent2": false, "/usr/bin/other (deleted)": false, "": false,
	} {
		if isProgram(path) != want {
			t.Errorf("%q: %v", path, !want)
		}
	}
}

// TestClicked: on macOS a click shows the agent's page, and neither the start at sign-in nor a terminal does.
func TestClicked(t *testing.T) {
	const app = "/Applications/Senim.app/Contents/MacOS/senim-agent"
	if !clicked("darwin", app) || clicked("darwin", "/usr/local/bin/senim-agent") || clicked("linux", app) {
		t.Error("a click is told wrongly")
	}
}

// TestInstallKeeps: a newer program put in place of an older one keeps what was chosen.
func TestInstallKeeps(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is put on Windows lies in its registry and its store of roots: TestInstalledOnWindows")
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		t.Skip("no certutil here: Debian has it in libnss3-tools")
	}
	dir := home(t)
	free := freePort(t)
	entry := func() string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, ".config/autostart/senim-agent.desktop"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	install := func(args ...string) error {
		return installCommand(t.Context(), append([]string{"--yes"}, args...), strings.NewReader(""), io.Discard)
	}
	if err := install("--keep"); err != nil { // the first time there is nothing to keep
		t.Fatal(err)
	}
	if err := install("--", "--keys", dir); err != nil {
		t.Fatal(err)
	}
	chosen := entry()
	if err := install("--keep"); err != nil || entry() != chosen || !strings.Contains(chosen, `"--keys"`) {
		t.Errorf("%v: %s", err, entry())
	}
	if err := install("--keep", "--", "--keys", dir); err == nil {
		t.Error("--keep and another choice")
	}
	if err := uninstallCommand(t.Context(), []string{"--everyone"}, io.Discard, io.Discard); err == nil {
		t.Error("--everyone without --system")
	}
	if err := uninstallCommand(t.Context(), []string{"--whole", "--listen", free}, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
}

// TestAdministratorsCommand: what an administrator is told to run names the person's folder; the administrator's own is another.
func TestAdministratorsCommand(t *testing.T) {
	m := &setup.Machine{OS: "linux", Program: "/usr/bin/senim-agent", Data: "/home/a b/.config/senim-agent"}
	if got := asAdministrator(m, "uninstall"); got != `sudo "/usr/bin/senim-agent" uninstall --system --data "/home/a b/.config/senim-agent"` {
		t.Error(got)
	}
	m.OS = "windows"
	if got := asAdministrator(m, "uninstall"); strings.Contains(got, "sudo") {
		t.Error(got)
	}
}

// TestNotInAnothersHome: with an administrator's rights nothing is put into another person's home, nor taken away there.
func TestNotInAnothersHome(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only an administrator can try")
	}
	dir := home(t)
	if err := os.Chown(dir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	for name, err := range map[string]error{
		"install":   installCommand(t.Context(), []string{"--yes"}, strings.NewReader(""), io.Discard),
		"uninstall": uninstallCommand(t.Context(), []string{"--listen", freePort(t)}, io.Discard, io.Discard),
		"trust":     trustCommand(t.Context(), nil, io.Discard),
		"doctor":    doctorCommand(t.Context(), []string{"--repair", "--lang", "en"}, io.Discard, io.Discard),
	} {
		if err == nil || errors.Is(err, errUnsound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("%v", after)
	}
}

// TestUninstallSystem: who takes the machine's part away is told what Firefox's policy leaves with each person, and only
// when there was one.
func TestUninstallSystem(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is the machine's lies in files on Linux and macOS, on Windows in the registry")
	}
	root := t.TempDir()
	m := &setup.Machine{
		OS: "linux", Root: filepath.Join(root, "machine"), Home: filepath.Join(root, "home"), Data: filepath.Join(root, "home", "data"), Program: "/usr/bin/senim-agent",
		Run:  func(context.Context, string, ...string) ([]byte, error) { return nil, nil },
		Find: func(string) (string, error) { return "", exec.ErrNotFound },
	}
	if _, err := agent.EnsureAuthority(m.Data); err != nil {
		t.Fatal(err)
	}
	if err := setup.Put(t.Context(), m.System(), func(setup.Part, setup.State, error) {}); err != nil {
		t.Fatal(err)
	}
	const said = "each person takes it away"
	for _, want := range []bool{true, false} {
		var out strings.Builder
		if err := uninstallSystem(t.Context(), m, &out, lang.EN); err != nil || strings.Contains(out.String(), said) != want {
			t.Errorf("%s %v", out.String(), err)
		}
	}
}

// TestStopSays: who ends nothing is told so: nobody was there, or another program is, which is left alone.
func TestStopSays(t *testing.T) {
	home(t)
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for address, want := range map[string]string{freePort(t): "nothing to end", other.Listener.Addr().String(): "left alone"} {
		var out strings.Builder
		if err := run(t.Context(), []string{"stop", "--listen", address, "--lang", "en"}, &out, io.Discard); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v %s", address, err, out.String())
		}
	}
	if got := setup.Probe(t.Context(), other.Listener.Addr().String()); got.State == "free" {
		t.Error("it was ended")
	}
}
