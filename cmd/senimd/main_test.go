package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/internal/registry"
)

// try parses flags for a server on free ports and opens it; the caller closes it.
func try(t *testing.T, dir string, more ...string) (*server, error) {
	t.Helper()
	args := append([]string{"-data", dir, "-cabinet", "127.0.0.1:0", "-portal", "127.0.0.1:0", "-responder", "127.0.0.1:0",
		"-mailbox", "127.0.0.1:0", "-mailbox.smtp", "127.0.0.1:0", "-rsa-bits", "2048"}, more...)
	_, c, err := parse(args, &bytes.Buffer{})
	if err != nil {
		return nil, err
	}
	return open(t.Context(), c, time.Now, slog.New(slog.DiscardHandler))
}

func mustOpen(t *testing.T, dir string, more ...string) *server {
	t.Helper()
	s, err := try(t, dir, more...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASecondStartOpensWhatTheFirstMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := mustOpen(t, dir)
	names := map[string]string{}
	for _, a := range first.ca.Authorities() {
		names[a.Name] = a.Certificate.SerialHex()
	}
	people := first.people
	first.close()
	if len(names) != 4 || len(people) == 0 {
		t.Fatalf("%d authorities, %d people after the first start", len(names), len(people))
	}
	second := mustOpen(t, dir)
	defer second.close()
	for _, a := range second.ca.Authorities() {
		if names[a.Name] != a.Certificate.SerialHex() {
			t.Errorf("authority %s: another certificate after a second start", a.Name)
		}
	}
	if len(second.people) != len(people) || second.people[0].Keys["personal"] != people[0].Keys["personal"] {
		t.Error("other people after a second start")
	}
	if a := second.book.Head(t.Context(), binX, time.Now()); a.Verdict != registry.Good || string(a.Value.Leader.IIN) != "123456789012" {
		t.Errorf("head of X: %s %s", a.Verdict, a.Code)
	}
}

func TestSec9FilesAreForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustOpen(t, dir).close()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "trust") || strings.HasPrefix(d.Name(), "senim.db") {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", d.Name(), info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 && filepath.Base(dir) != "001" {
		t.Errorf("data folder: %v %v", info.Mode(), err)
	}
}

func TestAWrongFolderStartsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letters.txt"), []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := try(t, dir)
	if s != nil && err == nil {
		s.close()
		t.Fatal("a folder of somebody else became an authority")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("files were made: %v", left)
	}
}

func TestAnotherPassphraseOpensNoKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustOpen(t, dir).close()
	if err := os.WriteFile(filepath.Join(dir, passphraseFile), []byte("another passphrase altogether\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := try(t, dir)
	if err != nil {
		return // refused at once is right too
	}
	defer s.close()
	if _, err := s.seedKey(t.Context(), cast()[0], cast()[0].keys[0], "late-k0", filepath.Join(dir, "late"), time.Now()); err == nil {
		t.Error("a certificate was signed with keys that the passphrase does not open")
	}
}

func TestR03TestNumbersAndAProductionAuthority(t *testing.T) {
	t.Parallel()
	fixtures := pkitest.Fixtures(t)
	dir := t.TempDir()
	b, err := os.ReadFile(filepath.Join(fixtures, "ca/prod/root_gost_2022.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "trust"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "trust", "root.pem"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := try(t, dir); err == nil {
		s.close()
		t.Fatal("test numbers are admitted beside a production authority")
	} else if !strings.Contains(err.Error(), "ident.test_identities") {
		t.Errorf("the refusal does not name the setting: %v", err)
	}
	other := t.TempDir()
	if err := os.Rename(filepath.Join(dir, "trust"), filepath.Join(other, "trust")); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, other, "-cast=false").close()
}

func TestWithoutTheCastThereIsNobody(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir(), "-cast=false")
	defer s.close()
	if len(s.people) != 0 || len(s.c.identities) != 0 {
		t.Errorf("%d people, %d test identities", len(s.people), len(s.c.identities))
	}
}

// TestCommandLineRefuses: a command that is misused ends with 2 and says where to read on, not with a list of flags.
func TestCommandLineRefuses(t *testing.T) {
	for _, args := range [][]string{{"dance"}, {"serve", "extra"}, {"-data", ""}, {"-no-such-flag"}, {"serve", "--nosuch"}, {"-desk.bin", "12"}, {"demo", "dance"},
		{"help", "dance"}, {"registry"}, {"registry", "dance", "x"}, {"registry", "check"}, {"registry", "check", "-nosuch", "x"}} {
		var out, errs bytes.Buffer
		p := program{stdout: &out, stderr: &errs, now: time.Now}
		status := p.status(p.run(t.Context(), args))
		lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
		if status != statusMisuse || out.Len() != 0 || len(lines) != 2 || !strings.HasPrefix(lines[0], "senimd: ") || !strings.HasPrefix(lines[1], "hint: senimd ") {
			t.Errorf("%v ends with %d and says\n%s%s", args, status, out.String(), errs.String())
		}
	}
}

// TestHelp: who asks what the program is and can do is answered on standard output, with status 0.
func TestHelp(t *testing.T) {
	for _, c := range []struct{ args, words string }{
		{"--help", "senimd demo"}, {"-h", "senimd registry"}, {"help", "senimd version"}, {"help demo", "-with-agent"}, {"demo --help", "-with-agent"}, {"serve -h", "-cabinet"},
		{"-data x -help", "-cabinet"}, {"help registry", "registry status"}, {"registry --help", "registry check"}, {"registry load -h", "registry load"},
		{"version", "senimd "}, {"--version", "senimd "}, {"-version", "senimd "},
	} {
		var out, errs bytes.Buffer
		p := program{stdout: &out, stderr: &errs, now: time.Now}
		if status := p.status(p.run(t.Context(), strings.Fields(c.args))); status != statusGood || errs.Len() != 0 || !strings.Contains(out.String(), c.words) {
			t.Errorf("senimd %s ends with %d and says\n%s%s", c.args, status, out.String(), errs.String())
		}
	}
}

// TestPortIsTaken: the address is said once, with the flag that takes another; it is no misuse.
func TestPortIsTaken(t *testing.T) {
	t.Parallel()
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_, err = try(t, t.TempDir(), "-portal", held.Addr().String())
	if err == nil || strings.Count(err.Error(), held.Addr().String()) != 1 || !strings.Contains(err.Error(), "-portal takes another address") {
		t.Errorf("a port that another program holds: %v", err)
	}
	var errs bytes.Buffer
	if status := (program{stderr: &errs}).status(err); status != statusFailed || strings.Contains(errs.String(), "hint") {
		t.Errorf("it ends with %d and says\n%s", status, errs.String())
	}
}

// The server serves until it is told to stop, tells where it is, and stops.
func TestServe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir)
	defer s.close()
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.serve(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	var told running
	b, err := os.ReadFile(filepath.Join(dir, runningFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &told); err != nil || told.Portal == "" || len(told.OCSP) != 2 {
		t.Errorf("running.json: %+v %v", told, err)
	}
	var out bytes.Buffer
	s.announce(&out)
	s.guide(&out)
	for _, words := range []string{told.Cabinet, told.Portal, told.Mailbox, "ready", keyPassword, "Story A", "Story F"} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("the demo does not print %q", words)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
