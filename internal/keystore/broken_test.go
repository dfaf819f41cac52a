package keystore

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"senim/internal/pkitest"
)

// TestBrokenNotes: notes that cannot be read keep no keeper from opening; they stay beside, and the keys that wait are
// known from the copy, or found by their files when the certificates come, without a password of the person's.
func TestBrokenNotes(t *testing.T) {
	for name, c := range map[string]struct {
		broken string
		copies bool
	}{"with a copy": {"\x00\x00\x00\x00", true}, "without": {`[{"keyId":"1`, false}} {
		t.Run(name, func(t *testing.T) {
			authority := pkitest.New(t)
			dir, folder := t.TempDir(), t.TempDir()
			notes, err := open(t, dir, authority.Now, nil).Generate(order(folder))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, NotesFile)
			if err := os.WriteFile(path, []byte(c.broken), 0o600); err != nil {
				t.Fatal(err)
			}
			if !c.copies {
				if err := os.Remove(filepath.Join(dir, notesCopy)); err != nil {
					t.Fatal(err)
				}
			}
			k := open(t, dir, authority.Now, nil)
			if kept, err := os.ReadFile(path + Aside); err != nil || !bytes.Equal(kept, []byte(c.broken)) {
				t.Errorf("the broken notes were not kept: %q %v", kept, err)
			}
			if waiting := len(k.Unfinished()); c.copies && waiting != len(notes) || !c.copies && waiting != 0 {
				t.Errorf("%d keys wait", waiting)
			}
			certs := certify(t, authority, notes)
			if err := k.Adopt(certs, []string{folder}, "https://portal.example.kz"); err != nil {
				t.Fatal(err)
			}
			files, err := k.Install(certs, "Qwerty12")
			if err != nil || len(files) != len(notes) || slices.ContainsFunc(files, func(f Installed) bool { return !f.Created }) {
				t.Errorf("%+v %v", files, err)
			}
		})
	}
}

// TestBrokenTwice: an earlier broken file is never replaced by a later one.
func TestBrokenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	for _, content := range []string{"one", "two"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := SetAside(path); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{path + Aside: "one", path + Aside + "-2": "two"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%q %v", got, err)
		}
	}
}
