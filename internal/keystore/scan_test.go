package keystore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func lay(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestScanOfHugeFolders: a folder with more in it than is looked through is looked through in part, nearest first, and
// that is said; so is one with more keys than are listed.
func TestScanOfHugeFolders(t *testing.T) {
	huge, keys, usual := t.TempDir(), t.TempDir(), t.TempDir()
	lay(t, filepath.Join(huge, "top.p12"), "top")
	for i := range 10 {
		dir := filepath.Join(huge, fmt.Sprint(i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for k := range 60 {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(k)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range maxFiles + 5 {
		lay(t, filepath.Join(keys, fmt.Sprintf("%04d.p12", i)), fmt.Sprint("key ", i))
	}
	lay(t, filepath.Join(usual, "own.p12"), "own")
	s := Scanner{most: 500}
	out := s.Scan([]string{huge, usual})
	if len(out.Files) != 2 || !slices.Equal(out.Cut, []string{huge}) || len(out.Away) != 0 {
		t.Errorf("%d files, cut %v, away %v", len(out.Files), out.Cut, out.Away)
	}
	s.most = 0
	out = s.Scan([]string{usual, keys})
	if len(out.Files) != maxFiles || !slices.Equal(out.Cut, []string{keys}) {
		t.Errorf("%d files, cut %v", len(out.Files), out.Cut)
	}
	if !slices.ContainsFunc(out.Files, func(f File) bool { return f.Name == "own.p12" }) {
		t.Error("a folder with too many keys pushes out those of another")
	}
}

// TestScanOfSilentFolder: a disk that does not answer holds nobody up for long, and the next time not at all; once it
// answers, its keys are there.
func TestScanOfSilentFolder(t *testing.T) {
	silent, usual := t.TempDir(), t.TempDir()
	lay(t, filepath.Join(silent, "late.p12"), "late")
	lay(t, filepath.Join(usual, "own.p12"), "own")
	answers := make(chan struct{})
	s := &Scanner{Open: func(folder string) (*os.File, error) {
		if folder == silent {
			<-answers
		}
		return os.Open(folder)
	}}
	folders := []string{silent, usual}
	for i, most := range []time.Duration{scanTime + time.Second, time.Second} {
		begin := time.Now()
		out := s.Scan(folders)
		if len(out.Files) != 1 || out.Files[0].Name != "own.p12" || !slices.Equal(out.Away, []string{silent}) {
			t.Errorf("%d files, away %v", len(out.Files), out.Away)
		}
		if took := time.Since(begin); took > most {
			t.Errorf("scan %d took %v", i, took)
		}
	}
	before := s.Stamp(folders)
	if before != s.Stamp(folders) {
		t.Error("the stamp changes though nothing did")
	}
	close(answers)
	deadline := time.Now().Add(10 * time.Second)
	for s.Stamp(folders) == before {
		if time.Now().After(deadline) {
			t.Fatal("nobody learns that it answers")
		}
		time.Sleep(10 * time.Millisecond) //nolint:forbidigo // there is no signal, it is looked at again
	}
	if out := s.Scan(folders); len(out.Files) != 2 || len(out.Away) != 0 {
		t.Errorf("%d files, away %v", len(out.Files), out.Away)
	}
	lay(t, filepath.Join(silent, "new.p12"), "new")
	if out := s.Scan(folders); len(out.Files) != 3 {
		t.Errorf("%d files", len(out.Files))
	}
}
