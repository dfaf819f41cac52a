package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := Create(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := Create(path, []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := Create(filepath.Join(dir, "link"), []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a link to nothing: %v", err)
	}
	if err := Create(filepath.Join(dir, "no", "x"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "first" {
		t.Errorf("%q, %v", b, err)
	}
	if got := names(t, dir); len(got) != 2 {
		t.Errorf("left behind: %v", got)
	}
}

// TestCreateRace: of many at once, one makes the file, whole.
func TestCreateRace(t *testing.T) {
	for range 20 {
		path := filepath.Join(t.TempDir(), "x")
		var made []string
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, content := range []string{"aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"} {
			wg.Go(func() {
				err := Create(path, []byte(content), 0o644)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					made = append(made, content)
				} else if !errors.Is(err, fs.ErrExist) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b, err := os.ReadFile(path)
		if err != nil || len(made) != 1 || string(b) != made[0] {
			t.Fatalf("made by %v, is %q: %v", made, b, err)
		}
	}
}
