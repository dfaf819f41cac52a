package headless

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestPath(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if path, err := Path(); !errors.Is(err, ErrNone) {
		t.Errorf("%q %v where there is none", path, err)
	}
	for _, name := range []string{"chromium", "chromium-headless-shell"} { // the better one comes later
		want := filepath.Join(dir, name)
		if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
		if path, err := Path(); path != want || err != nil {
			t.Errorf("%q %v, want %q", path, err, want)
		}
	}
}
