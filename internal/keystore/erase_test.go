package keystore

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"senim/internal/pkitest"
)

// TestEraseKeeper: what a keeper wrote into its folder goes, in a folder of any name, and nothing else; the key files stay.
func TestEraseKeeper(t *testing.T) {
	dir, keys := filepath.Join(t.TempDir(), "[a]"), t.TempDir()
	if n, err := Waiting(dir); n != 0 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if err := Erase(dir); err != nil {
		t.Error(err)
	}
	k, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	o := Order{RequestID: "1", Folder: keys, Subject: pkitest.Person(), Profiles: []Profile{{"GOST512", "SIGNATURE"}}}
	if _, err := k.Generate(o); err != nil {
		t.Fatal(err)
	}
	if n, err := Waiting(dir); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	for _, name := range []string{Unfinished + "ABC", NotesFile + Aside, NotesFile + Aside + "-2", "theirs"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{NotesFile + Aside + "-3", NotesFile + Aside + "-4/theirs"} { // what stood in the place of the notes
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := Erase(dir); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, NotesFile+Aside+"-4")); err != nil { // and was not empty
		t.Fatal(err)
	}
	if left := names(t, dir); !slices.Equal(left, []string{"theirs"}) {
		t.Errorf("left: %v", left)
	}
	if err := os.Remove(filepath.Join(dir, "theirs")); err != nil {
		t.Fatal(err)
	}
	if err := Erase(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder stays: %v", err)
	}
	if files := names(t, keys); len(files) != 1 {
		t.Errorf("%v", files)
	}
}
