package pkitest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/pkitest"
)

// Every file of the public test data is opened or verified by some test: its name stands in one. The
// lists of NIST PKITS are named by the suite itself (pki/pkits_test.go).
func TestEveryFixtureIsUsed(t *testing.T) {
	dir := pkitest.Fixtures(t)
	sources := testSources(t)
	used := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "pkits":
			return filepath.SkipDir
		case d.IsDir() || d.Name() == "README.md":
			return nil
		}
		if !strings.Contains(sources, d.Name()) {
			t.Errorf("no test names %s", path)
		}
		used++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if used != 68 { // the 67 of its README's tables, and limbo-core.json
		t.Errorf("%d files", used)
	}
}

// testSources is the text of every test of the repository but this one.
func testSources(t *testing.T) string {
	t.Helper()
	root := filepath.Join("..", "..")
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") || d.Name() == "fixtures_test.go" && filepath.Base(filepath.Dir(path)) == "pkitest" {
			return nil
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
