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
	if _, err := os.Stat(names[0]); err == nil {
		if path, err := Path(); path != names[0] || err != nil {
			t.Errorf("%q %v, want the program itself", path, err)
		}
	}
	all := names
	names = names[1:]
	t.Cleanup(func() { names = all })
	if path, err := Path(); !errors.Is(err, ErrNone) {
		t.Errorf("%q %v where there is none", path, err)
	}
	for _, name := range []string{"chromium", "chromium-headless-shell"} { // the better one comes later
		want := filepath.Join(dir, name)
		if err := os.WriteFile(want, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if path, err := Path(); path != want || err != nil {
			t.Errorf("%q %v, want %q", path, err, want)
		}
	}
}
