//go:build unix

package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

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
		hide := noticeIn(data, script, tag)(f)
		page, err := os.ReadFile(filepath.Join(data, "notice.html"))
		if err != nil || strings.Contains(string(page), "<script>") || strings.Count(string(page), "NCALayer") < 2 || !strings.Contains(string(page), f.Do(tag)) {
			t.Errorf("%s: %s %v", tag, page, err)
		}
		said, err := os.ReadFile(shown) // until the browser has said it
		if err != nil {
			t.Fatal(err)
		}
		if u, err := url.Parse(string(said)); err != nil || u.Scheme != "file" || u.Path != filepath.Join(data, "notice.html") {
			t.Errorf("%s %v", said, err)
		}
		hide()
		if left, _ := os.ReadDir(data); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
	noticeIn(data, "none", lang.RU)(f)
	if left, _ := os.ReadDir(data); len(left) != 0 {
		t.Errorf("shown against the flag: %v", left)
	}
}
