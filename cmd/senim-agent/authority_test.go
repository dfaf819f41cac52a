package main

import (
	"context"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/internal/freeport"
	"senim/internal/pkitest"
)

// TestAuthorityCommand: an authority is added only after its fingerprint was shown and agreed to; it is listed, and taken
// away by its fingerprint.
func TestAuthorityCommand(t *testing.T) {
	t.Setenv("LC_ALL", "en")
	root := pkitest.New(t).Root
	sum := root.Fingerprint()
	print := hex.EncodeToString(sum[:])
	file := filepath.Join(t.TempDir(), "root.cer")
	leaf := filepath.Join(t.TempDir(), "leaf.cer")
	if err := os.WriteFile(file, root.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(leaf, pkitest.New(t).Individual().Certificate.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	say := func(answer string, args ...string) (string, error) {
		var out strings.Builder
		err := authorityCommand(t.Context(), append(args, "--data", data), strings.NewReader(answer), &out)
		return out.String(), err
	}
	for _, answer := range []string{"", "n\n", "yes"} { // the last was not sent off
		if out, err := say(answer, "add", file); err == nil || !strings.Contains(out, print) {
			t.Errorf("%q: %v %s", answer, err, out)
		}
	}
	if out, err := say("", "list"); err != nil || strings.Contains(out, print) || !strings.Contains(out, "senim-agent authority add") {
		t.Errorf("%s %v", out, err)
	}
	if _, err := say("yes\n", "add", leaf); err == nil {
		t.Error("a person's certificate was added")
	}
	for range 2 { // twice is once
		if _, err := say("yes\n", "add", file); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := say("", "list"); err != nil || strings.Count(out, print) != 1 || strings.Contains(out, "senim-agent authority add") {
		t.Errorf("%s %v", out, err)
	}
	for _, bad := range [][]string{{}, {"add"}, {"nonsense"}, {"remove", strings.Repeat("0", 64)}, {"remove", "../settings"}} {
		if _, err := say("", bad...); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := say("", "remove", strings.ToUpper(print)); err != nil {
		t.Error(err)
	}
	if out, err := say("", "list"); err != nil || strings.Contains(out, print) {
		t.Errorf("%s %v", out, err)
	}
}

// TestPackedAuthorities: what whoever built the package put beside the program is found, in each kind of package.
func TestPackedAuthorities(t *testing.T) {
	for program, folder := range map[string]string{
		"senim-agent":                          "authorities",
		"usr/bin/senim-agent":                  "usr/share/senim-agent/authorities",
		"Senim.app/Contents/MacOS/senim-agent": "Senim.app/Contents/Resources/authorities",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(program))
		if got := packedBeside(path); len(got) != 0 {
			t.Errorf("%s: %q", program, got)
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(folder)), 0o700); err != nil {
			t.Fatal(err)
		}
		root := pkitest.New(t).Root
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(folder), "root.cer"), root.Raw, 0o600); err != nil {
			t.Fatal(err)
		}
		pool, err := authoritiesIn(packedBeside(path))
		if err != nil || !pool.Has(root) {
			t.Errorf("%s: %v", program, err)
		}
	}
}

// TestLargePortHeld: with another program on the port of large documents the agent serves all the same, and says who
// has that port; it never takes itself for the one in its way.
func TestLargePortHeld(t *testing.T) {
	home(t)
	t.Setenv("LC_ALL", "en")
	other, err := freeport.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := configuration("senim-agent", []string{"--listen", "127.0.0.1:0", "--data", t.TempDir(), "--browser", "none", "--keychain=false", "--headless", "--large-documents"}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.LargeDocuments != "127.0.0.1:24680" || c.LargeSwitch != c.LargeDocuments {
		t.Errorf("%q, %q", c.LargeDocuments, c.LargeSwitch)
	}
	c.LargeDocuments = other.Addr().String()
	var said strings.Builder
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- serveWith(ctx, c, in, &said) }()
	line := make([]byte, 64)
	if n, err := out.Read(line); err != nil || !strings.HasPrefix(string(line[:n]), "listening ") {
		t.Fatalf("%q %v", line, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(said.String(), "is held by") || !strings.Contains(said.String(), "works without it") {
		t.Errorf("%q", said.String())
	}
}
