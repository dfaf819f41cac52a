//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"senim/internal/freeport"
	"senim/internal/lang"
	"senim/internal/setup"
)

// TestPain05Notice: who has no terminal sees which program has the port; its path is text, whatever is in it.
func TestPain05Notice(t *testing.T) {
	data := filepath.Join(t.TempDir(), "Мои данные #1")
	shown := filepath.Join(t.TempDir(), "shown")
	if err := syscall.Mkfifo(shown, 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "browser")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf %s \"$1\" >'"+shown+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	f := setup.Finding{ID: "port-taken", Level: setup.Bad, Where: "13579", Vars: []any{"program", "NCALayer", "path", "/opt/<script>x</script>", "pid", 7}}
	for _, tag := range lang.All() {
		said := make(chan string, 1)
		go func() { // until the browser has said it
			b, err := os.ReadFile(shown)
			if err != nil {
				t.Error(err)
			}
			said <- string(b)
		}()
		hide := noticeIn(t.Context(), data, script, tag)(f)
		page, err := os.ReadFile(filepath.Join(data, "notice.html"))
		if err != nil || strings.Contains(string(page), "<script>") || strings.Count(string(page), "NCALayer") < 2 || !strings.Contains(string(page), f.Do(tag)) {
			t.Errorf("%s: %s %v", tag, page, err)
		}
		at := <-said
		if u, err := url.Parse(at); err != nil || u.Scheme != "file" || u.Path != filepath.Join(data, "notice.html") {
			t.Errorf("%s %v", at, err)
		}
		hide()
		if left, _ := os.ReadDir(data); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
	noticeIn(t.Context(), data, "none", lang.RU)(f)
	if left, _ := os.ReadDir(data); len(left) != 0 {
		t.Errorf("shown against the flag: %v", left)
	}
}

// TestNoticeBySecondBrowser: the command that ends at once has shown why there is no page, also when the first browser starts and ends
// badly; the page goes when the agent starts.
func TestNoticeBySecondBrowser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("browsers of other systems are not looked for in the path")
	}
	home(t)
	stranger, err := freeport.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	tools, shown := t.TempDir(), filepath.Join(t.TempDir(), "shown")
	for name, does := range map[string]string{"chromium": "/bin/sleep 0.2; exit 1", "xdg-open": "printf %s \"$1\" >'" + shown + "'"} {
		if err := os.WriteFile(filepath.Join(tools, name), []byte("#!/bin/sh\n"+does+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", tools)
	if err := openCommand(t.Context(), []string{"--listen", stranger.Addr().String()}, io.Discard); !errors.Is(err, errUnsound) {
		t.Errorf("%v", err)
	}
	page := filepath.Join(dataFolder(), setup.NoticeFile)
	if at, err := os.ReadFile(shown); err != nil || string(at) != "file://"+page {
		t.Errorf("%s %v", at, err)
	}
	if _, err := os.Stat(page); err != nil {
		t.Error(err)
	}
	t.Setenv("PATH", path)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--listen", freePort(t), "--browser", "none", "--headless", "--keychain=false"}, in, io.Discard)
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Errorf("%q %v", line, err)
	}
	if _, err := os.Stat(page); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the page stays: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
