package gost_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedFilesAreCurrent runs the generator and compares.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generator")
	}
	if out, err := exec.Command("go", "run", "generate.go", "-check").CombinedOutput(); err != nil {
		t.Errorf("go run generate.go -check: %v\n%s", err, out)
	}
}

// TestAssemblyIsCurrent runs the generators of the assembly and compares all but the first line, which says how.
func TestAssemblyIsCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the generators")
	}
	const module = "../tools/asm"
	if out, err := exec.Command("go", "-C", module, "mod", "download").CombinedOutput(); err != nil {
		t.Skipf("the generator's modules cannot be had here: %s", out)
	}
	for name, kept := range map[string]string{
		"field": "internal/field/field_amd64.s", "group": "internal/group/group_amd64.s", "eight": "internal/group/eight_amd64.s",
	} {
		made := filepath.Join(t.TempDir(), "made.s")
		if out, err := exec.Command("go", "run", "-C", module, "./"+name, "-out", made).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		if !bytes.Equal(body(t, made), body(t, kept)) {
			t.Errorf("%s is not what tools/asm/%s makes: run go generate ./gost", kept, name)
		}
	}
}

// body is a file without its first line.
func body(t *testing.T, file string) []byte {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "\n")
	if !found {
		t.Fatalf("%s has one line", file)
	}
	return []byte(rest)
}
