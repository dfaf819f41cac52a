package vault

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestSec9SecretModes: a secret that others of the machine may read is refused, and said so.
func TestSec9SecretModes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(path, []byte("a secret of an operator\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, _, err := Secret(path, false); err != nil || string(b) != "a secret of an operator" {
		t.Fatalf("%q, %v", b, err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Secret(path, true); err == nil {
			t.Errorf("mode %o is read", mode)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Secret(path, false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a secret that is not there: %v", err)
	}
	first, made, err := Secret(path, true)
	if err != nil || !made || len(first) != 64 {
		t.Fatalf("%d bytes made %v, %v", len(first), made, err)
	}
	again, made, err := Secret(path, true)
	if err != nil || made || string(again) != string(first) {
		t.Errorf("read again: made %v, %v", made, err)
	}
	if err := os.WriteFile(path, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Secret(path, true); err == nil {
		t.Error("a long file is read")
	}
}
