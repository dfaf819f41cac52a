package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/keystore"
	"senim/internal/robot"
)

// windows collects the addresses the program prints.
type windows chan string

func (w windows) Write(p []byte) (int, error) {
	if url, ok := strings.CutPrefix(strings.TrimSpace(string(p)), "window "); ok {
		w <- url
	}
	return len(p), nil
}

// TestActs: without an agent that runs, the program opens the window itself, and says how it ended.
func TestActs(t *testing.T) {
	flags := func(more ...string) []string {
		return append(more, "--listen", "127.0.0.1:1", "--data", t.TempDir(), "--keys", t.TempDir(), "--browser", "none", "--keychain=false")
	}
	for _, act := range []string{"password", "backup"} {
		opened := make(windows, 1)
		acted := make(chan error, 1)
		go func() {
			acted <- robot.NewAgent("", opened).Window(t.Context(), robot.Choice{Cancel: true}, func(v robot.View) {
				if v.Kind != act {
					t.Errorf("a window of the kind %s", v.Kind)
				}
			})
		}()
		if err := run(t.Context(), flags(act), opened, io.Discard); !errors.Is(err, errClosed) {
			t.Errorf("%s, closed: %v", act, err)
		}
		if err := <-acted; err != nil {
			t.Error(err)
		}
	}
	if err := run(t.Context(), flags("renew"), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "--cabinet") {
		t.Errorf("no cabinet: %v", err)
	}
	if err := run(t.Context(), flags("renew", "--cabinet", "http://cabinet.example.kz"), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("a cabinet without TLS: %v", err)
	}
}

// TestActWaits: while another agent holds the folder an act waits for it, and acts when it is free; an agent told to
// wait does the same.
func TestActWaits(t *testing.T) {
	home(t)
	t.Setenv("LC_ALL", "en")
	data := t.TempDir()
	flags := func(more ...string) []string {
		return append(more, "--listen", "127.0.0.1:0", "--data", data, "--keys", t.TempDir(), "--browser", "none", "--keychain=false", "--headless")
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	waits := func(opened io.Writer, args ...string) (unlock func(), done chan error, stop func()) {
		unlock, err := keystore.Lock(data)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		said, say := io.Pipe()
		done = make(chan error, 1)
		go func() { done <- run(ctx, flags(args...), opened, say) }()
		line, err := bufio.NewReader(said).ReadString('\n')
		if err != nil || !strings.Contains(line, "works with this folder") {
			t.Fatalf("%q %v", line, err)
		}
		go func() { _, _ = io.Copy(io.Discard, said) }()
		return unlock, done, cancel
	}
	opened := make(windows, 1)
	unlock, done, stop := waits(opened, "backup")
	unlock()
	if err := robot.NewAgent("", opened).Window(t.Context(), robot.Choice{Cancel: true}, func(robot.View) {}); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, errClosed) {
		t.Error(err)
	}
	stop()
	out, in := io.Pipe()
	unlock, done, stop = waits(in, "--wait")
	if err := run(t.Context(), flags(), io.Discard, io.Discard); !errors.Is(err, keystore.ErrInUse) {
		t.Errorf("an agent that does not wait: %v", err)
	}
	unlock()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "listening ") {
		t.Errorf("%q %v", line, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestTokenFlags(t *testing.T) {
	program := filepath.Join(t.TempDir(), "senim-token")
	if err := os.WriteFile(program, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	driver := filepath.Join(t.TempDir(), "x.so") // a full path of this system
	if got, err := tokenDrivers([]string{"AKKaztokenStore=" + driver}, program); err != nil || len(got) != 1 || got[0].Module != driver || got[0].Program != program {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{"x.so", "PKCS12=x.so", "Other=x.so", "AKKaztokenStore="} {
		if _, err := tokenDrivers([]string{bad}, program); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	if _, err := tokenDrivers([]string{"AKKaztokenStore=x.so"}, program+"x"); err == nil {
		t.Error("without senim-token")
	}
	if err := run(context.Background(), []string{"--token", "nonsense", "--data", t.TempDir()}, io.Discard, io.Discard); err == nil {
		t.Error("nonsense was accepted")
	}
}

// TestActBesideAgent: who asks beside an agent that runs is told whose window it is, and where it is when there is none; what that
// agent lacks is said of it, and not of the command, which has it. An interrupted act says just that.
func TestActBesideAgent(t *testing.T) {
	home(t)
	serving, end := context.WithCancel(t.Context())
	address, data := freePort(t), t.TempDir()
	own := []string{"--listen", address, "--data", data, "--browser", "none", "--keychain=false", "--lang", "en"}
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(serving, append([]string{"--headless"}, own...), in, io.Discard) }()
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "listening "+address {
		t.Fatal(lines.Text())
	}
	for _, c := range []struct{ cabinet, want string }{
		{"https://cabinet.example.kz", "knows no cabinet"}, {"http://cabinet.example.kz", "over https"},
	} {
		if err := run(t.Context(), append([]string{"renew", "--cabinet", c.cabinet}, own...), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.cabinet, err)
		}
	}
	asking, interrupt := context.WithCancel(t.Context())
	said, say := io.Pipe()
	acted := make(chan error, 1)
	go func() { acted <- run(asking, append([]string{"password"}, own...), io.Discard, say) }()
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || !strings.Contains(line, address) || !strings.Contains(line, "senim-agent stop") {
		t.Errorf("%q %v", line, err)
	}
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "window ") {
		t.Error(lines.Text())
	}
	interrupt()
	if err := <-acted; err == nil || !strings.HasPrefix(err.Error(), "Interrupted") {
		t.Errorf("%v", err)
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
