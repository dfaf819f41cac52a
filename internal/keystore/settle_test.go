package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

// TestSettle: each way to come to a name leaves what stands there alone.
func TestSettle(t *testing.T) {
	unsupported := func(string, string) error { return errors.ErrUnsupported }
	link, move := linkFile, moveFile
	t.Cleanup(func() { linkFile, moveFile = link, move })
	for name, ways := range map[string][2]func(string, string) error{"link": {link, unsupported}, "move": {unsupported, move}, "copy": {unsupported, unsupported}} {
		linkFile, moveFile = ways[0], ways[1]
		dir := t.TempDir()
		path := filepath.Join(dir, "x")
		if err := Create(path, []byte("first"), 0o600); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		temporary := filepath.Join(dir, "t")
		if err := os.WriteFile(temporary, []byte("second"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := settle(temporary, path, []byte("second"), 0o600, func(string) {}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: over a file: %v", name, err)
		}
		want := 2
		if symlink(t, filepath.Join(dir, "nowhere"), filepath.Join(dir, "link")) {
			want++
			if err := settle(temporary, filepath.Join(dir, "link"), []byte("second"), 0o600, func(string) {}); !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s: over a link to nothing: %v", name, err)
			}
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "first" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		private(t, path)
		if got := names(t, dir); len(got) != want {
			t.Errorf("%s: left behind: %v", name, got)
		}
		// Of many at once, one makes the file.
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for _, content := range []string{"aaaa", "bbbb", "cccc"} {
			wg.Go(func() {
				if Create(filepath.Join(dir, "race"), []byte(content), 0o600) == nil {
					mu.Lock()
					made++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if made != 1 {
			t.Errorf("%s: made by %d", name, made)
		}
	}
}

// TestMend: only what is surely the beginning of our own file goes.
func TestMend(t *testing.T) {
	for name, c := range map[string]struct{ begun, part, want string }{
		"ours, empty":     {"", "whole", "gone"},
		"ours, half":      {"who", "whole", "gone"},
		"ours, complete":  {"whole", "whole", "whole"},
		"somebody else's": {"what", "whole", "what"},
		"longer":          {"whole one", "whole", "whole one"},
		"no part of ours": {"", "none", ""},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x")
		place := map[string]string{path: c.begun, partOf(path): c.part}
		if c.part == "none" {
			delete(place, partOf(path))
		}
		for p, content := range place {
			if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := mend(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := os.ReadFile(path)
		if gone := errors.Is(err, fs.ErrNotExist); gone != (c.want == "gone") || !gone && string(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if _, err := os.Lstat(partOf(path)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the part is left", name)
		}
	}
}

// TestInstallOtherPassword: of an installing that was killed between two files, the rest is made under the
// password of the first only; where all stand, it is said which password they have.
func TestInstallOtherPassword(t *testing.T) {
	a := pkitest.New(t)
	dir, keys := t.TempDir(), t.TempDir()
	open := func(fault func(string)) *Keeper {
		t.Helper()
		k, err := Open(Config{Dir: dir, Form: pfx.NCA, Now: then, fault: fault})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	notes, err := open(nil).Generate(order(keys))
	if err != nil {
		t.Fatal(err)
	}
	certs := certify(t, a, notes)
	type killed struct{}
	func() {
		defer func() {
			if r := recover(); r != (killed{}) {
				t.Fatal(r)
			}
		}()
		_, _ = open(func(step string) {
			if step == "install linked" {
				panic(killed{})
			}
		}).Install(certs, password)
		t.Error("it was not killed")
	}()
	before := names(t, keys)
	k := open(nil)
	for _, act := range []func([]*pki.Certificate, string) error{
		k.Agrees, func(c []*pki.Certificate, p string) error { _, err := k.Install(c, p); return err },
	} {
		f, ok := errors.AsType[*Failure](act(certs, "Another1"))
		if !ok || f.Reason != "other_password" {
			t.Errorf("%v", f)
		}
	}
	if after := names(t, keys); len(after) != len(before) {
		t.Errorf("a refusal changed %v to %v", before, after)
	}
	if err := k.Agrees(certs, password); err != nil {
		t.Error(err)
	}
	files, err := k.Install(certs, password)
	if err != nil || files[0].Created || !files[1].Created || files[0].OtherPassword {
		t.Fatalf("%+v, %v", files, err)
	}
	again, err := k.Install(certs, "Another1")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range again {
		if f.Created || !f.OtherPassword {
			t.Errorf("%+v", f)
		}
		content, err := os.ReadFile(f.Path)
		if err == nil {
			_, err = decode(content, password)
		}
		if err != nil {
			t.Errorf("%s: %v", f.FileName, err)
		}
	}
}

// TestChangePasswordAgain: a change that was killed can be repeated at each of its steps, and nothing else is taken
// for one.
func TestChangePasswordAgain(t *testing.T) {
	a := pkitest.New(t)
	dir := t.TempDir()
	place(t, dir, "a.p12", a.Individual())
	place(t, dir, "b.p12", a.Individual())
	path, other := filepath.Join(dir, "a.p12"), filepath.Join(dir, "b.p12")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(OldName(path), before, 0o600); err != nil { // killed when the old one was kept
		t.Fatal(err)
	}
	for range 2 { // the second time: killed when the new one was in its place
		if err := ChangePassword(path, password, "Another1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := ChangePassword(path, password, "Third333"); !errors.Is(err, ErrPassword) {
		t.Errorf("the old password, and a third: %v", err)
	}
	// The old file of another key is no proof.
	content, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(OldName(other), before, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := ChangePassword(other, password, "Another1"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another key's old file: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(content) {
		t.Errorf("the file was changed again: %v", err)
	}
}
