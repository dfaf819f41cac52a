package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/robot"
	"senim/pfx"
	"senim/pki"
)

// command runs a command of the agent beside a running installation and acts in the window it opens.
func command(t *testing.T, sys *robot.System, bin, act, folder string, c robot.Choice) (said string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "senim-agent"), act, "--listen", "127.0.0.1:1", "--browser", "none", "--keychain=false", "--old-key-files",
		"--data", t.TempDir(), "--keys", folder, "--trust", filepath.Join(sys.Dir, "trust"), "--cabinet", sys.Cabinet)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	windows, acted := make(chan string, 1), make(chan error, 1)
	go func() { acted <- robot.NewAgent("", windows).Window(ctx, c, nil) }()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "window "); ok {
			windows <- url
			if err := <-acted; err != nil {
				cancel()
				t.Errorf("%s: %v", act, err)
			}
			continue
		}
		said += lines.Text() + "\n"
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("senim-agent %s: %v\n%s", act, err, errs.String())
	}
	return said
}

// TestRenewByCommand: three processes as on a person's machine and an operator's. `senim-agent renew` renews the key
// that is due in the cabinet of a running senimd, by its code; `senim-agent compare` finds the old key and the new in
// the cabinet's list, and, where the new file is not, says so.
func TestRenewByCommand(t *testing.T) {
	t.Parallel()
	bin, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	sys, err := robot.Start(t.Context(), robot.Config{Bin: bin, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sys.Stop(); err != nil {
			t.Error(err)
		}
	}()
	who := sys.Person("person") // twenty days are left
	old := who.Keys["personal"]
	folder, before := filepath.Dir(old), files(t, filepath.Dir(old))
	code := func(ctx context.Context) (string, error) { return sys.CodeBySMS(ctx, who.Phone) }
	const next = "NewSecret7"
	said := command(t, sys, bin, "renew", folder, robot.Choice{Password: who.Password, NewPassword: next, Code: code})
	after := files(t, folder)
	if len(after) != len(before)+1 {
		t.Fatalf("%v, after %q: %v", before, said, after)
	}
	var renewed, was *pki.Certificate
	for _, name := range after {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if f, err := pfx.Decode(b, next); err == nil {
			renewed = f.Certificate
		} else if f, err := pfx.Decode(b, who.Password); err == nil {
			was = f.Certificate
		}
	}
	if renewed == nil || was == nil || renewed.Holder().IIN != who.IIN || !renewed.NotAfter.After(was.NotAfter.AddDate(0, 11, 0)) {
		t.Fatalf("%q: from %+v to %+v", said, was, renewed)
	}
	if !strings.Contains(said, "1") {
		t.Errorf("said %q", said)
	}

	alone := t.TempDir() // the old key without the new
	b, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(alone, filepath.Base(old)), b, 0o600); err != nil {
		t.Fatal(err)
	}
	said = command(t, sys, bin, "compare", alone, robot.Choice{Key: old, Password: who.Password})
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], "2") || !strings.Contains(lines[0], "1") || !strings.Contains(lines[1], renewed.Holder().CommonName) {
		t.Errorf("compared: %q", said)
	}
}

// TestClassicPair: where the setting is so, one renewal gives the pair of files that portals of old ask for.
func TestClassicPair(t *testing.T) {
	t.Parallel()
	bin, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	sys, err := robot.Start(t.Context(), robot.Config{Bin: bin, Dir: t.TempDir(), Server: []string{"-issue.key_set", "classic"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sys.Stop(); err != nil {
			t.Error(err)
		}
	}()
	who := sys.Person("person")
	folder := filepath.Dir(who.Keys["personal"])
	before := files(t, folder)
	const next = "NewSecret7"
	said := command(t, sys, bin, "renew", folder, robot.Choice{Password: who.Password, NewPassword: next,
		Code: func(ctx context.Context) (string, error) { return sys.CodeBySMS(ctx, who.Phone) }})
	found := map[string]*pki.Certificate{}
	for _, name := range files(t, folder) {
		if slices.Contains(before, name) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := pfx.Decode(b, next)
		if err != nil {
			t.Fatal(err)
		}
		use, _, _ := strings.Cut(name, "256_")
		found[use] = f.Certificate
	}
	signIn, sign := found["AUTH_RSA"], found["RSA"]
	if len(found) != 2 || signIn == nil || sign == nil {
		t.Fatalf("%v after %q", found, said)
	}
	if signIn.Key != algid.RSA || sign.Key != algid.RSA || signIn.Holder().IIN != who.IIN || sign.Holder().IIN != who.IIN {
		t.Errorf("sign-in %v of %s, signing %v of %s", signIn.Key, signIn.Holder().IIN, sign.Key, sign.Holder().IIN)
	}
}

func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
