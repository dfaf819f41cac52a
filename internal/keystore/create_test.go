package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// symlink makes a link, and tells whether the system did: Windows lets few make one.
func symlink(t *testing.T, to, link string) bool {
	t.Helper()
	err := os.Symlink(to, link)
	info, unseen := os.Lstat(link)
	made := err == nil && unseen == nil && info.Mode().Type() == os.ModeSymlink
	if !made && runtime.GOOS != "windows" {
		t.Fatal(err, unseen)
	}
	if !made {
		t.Log("no link was made here: what becomes of one was not looked at")
	}
	return made
}

// private checks that a file is the person's alone.
func private(t *testing.T, path string) {
	t.Helper()
	if is, err := Private(path); !is || err != nil {
		t.Errorf("%s may be read by others: %v", filepath.Base(path), err)
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := Create(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	private(t, path)
	if err := Create(path, []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	want := 1
	if symlink(t, filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")) {
		want++
		if err := Create(filepath.Join(dir, "link"), []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
			t.Errorf("over a link to nothing: %v", err)
		}
	}
	if err := Create(filepath.Join(dir, "no", "x"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "first" {
		t.Errorf("%q, %v", b, err)
	}
	if got := names(t, dir); len(got) != want {
		t.Errorf("left behind: %v", got)
	}
}

// TestNameless: what waits in a file of no name can be read back, by nobody else, and is gone when it is closed.
func TestNameless(t *testing.T) {
	dir := t.TempDir()
	f, err := Nameless(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, dir) { // Windows has no file without one
		if runtime.GOOS != "windows" {
			t.Errorf("it has the name %s", name)
		}
		private(t, filepath.Join(dir, name))
	}
	if _, err := f.WriteString("content"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 7)
	if _, err := f.ReadAt(b, 0); err != nil || string(b) != "content" {
		t.Errorf("%q %v", b, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
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
