package keystore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"senim/pki"
)

// TestDiscard: a key that is given up is gone with its file, whatever became of that; after a kill in between it
// can be given up again.
func TestDiscard(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	k, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	made := func(id string) Note {
		notes, err := k.Generate(Order{Origin: "https://a.kz", RequestID: id, Folder: folder, Profiles: []Profile{{"GOST512", "SIGNATURE"}},
			Subject: pki.Holder{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011", Country: "KZ", Email: "t@example.kz"}})
		if err != nil {
			t.Fatal(err)
		}
		return notes[0]
	}
	waiting := func() int {
		again, err := Open(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return len(again.Unfinished())
	}
	one, two, three := made("1"), made("2"), made("3")
	if err := k.Discard(one.KeyID); err != nil || waiting() != 2 {
		t.Errorf("%v, %d wait", err, waiting())
	}
	if _, err := os.Stat(filepath.Join(folder, one.File)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its file: %v", err)
	}
	if err := os.Remove(filepath.Join(folder, two.File)); err != nil {
		t.Fatal(err)
	}
	if err := k.Discard(two.KeyID); err != nil || waiting() != 1 {
		t.Errorf("without its file: %v, %d wait", err, waiting())
	}
	var f *Failure
	if err := k.Discard(two.KeyID); !errors.As(err, &f) || f.Reason != "no_pending_key" {
		t.Errorf("twice: %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		k.fault = func(string) { panic("killed") }
		_ = k.Discard(three.KeyID)
	}()
	again, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Unfinished()) != 1 || again.Discard(three.KeyID) != nil || waiting() != 0 {
		t.Errorf("after a kill %d wait", waiting())
	}
}

// TestLinkedFolder: a folder the person named may be a link, as to another disk; links inside are not followed.
func TestLinkedFolder(t *testing.T) {
	outside, keys := t.TempDir(), t.TempDir()
	for _, dir := range []string{outside, keys} {
		if err := os.WriteFile(filepath.Join(dir, "GOST512_"+filepath.Base(filepath.Dir(dir))+filepath.Base(dir)+".p12"), []byte(dir), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "Keys")
	if !symlink(t, keys, link) || !symlink(t, outside, filepath.Join(keys, "away")) {
		t.Skip("links are not made here")
	}
	found := Scan([]string{link})
	if len(found) != 1 || filepath.Dir(found[0].Path) != link {
		t.Fatalf("%+v", found)
	}
	if _, err := read(found[0].Path); err != nil {
		t.Error(err)
	}
}
