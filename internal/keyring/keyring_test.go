package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/pkitest"
	"senim/internal/token"
	"senim/internal/vault"
)

// The name says where a key is, and nothing crosses over.
func TestNamesSayWhere(t *testing.T) {
	t.Parallel()
	files, err := vault.Open(t.TempDir(), []byte("correct horse battery"))
	if runtime.GOOS == "windows" { // a mode tells nothing of who may write there
		if err == nil || !strings.Contains(err.Error(), "others may write") {
			t.Fatalf("a vault is open in a folder that may be anybody's: %v", err)
		}
		t.Skip("no vault opens on Windows, so there are no files to keep keys in")
	}
	if err != nil {
		t.Fatal(err)
	}
	gone, err := token.Later(token.Config{Program: filepath.Join(t.TempDir(), "none"), Module: "m", Label: "l"})
	if err != nil {
		t.Fatal(err)
	}
	key := pkitest.NewKey(t, algid.RSA)
	for what, r := range map[string]*Ring{"none named": New(files, nil), "pulled out": New(files, gone)} {
		if err := r.Keep(t.Context(), "token:rsa", key); err == nil {
			t.Errorf("%s: a key from outside is kept", what)
		}
		if _, err := r.Key(t.Context(), "token:rsa"); !errors.Is(err, ca.ErrKeyAway) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := r.Make(t.Context(), "token:rsa", algid.RSA, 2048); !errors.Is(err, ca.ErrKeyAway) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := r.Make(t.Context(), "rsa", algid.RSA, 2048); err == nil {
			t.Errorf("%s: made in the token under a file's name", what)
		}
		if _, err := r.Make(t.Context(), "token:gost", algid.GOST512, 0); err == nil || errors.Is(err, ca.ErrKeyAway) {
			t.Errorf("%s: a GOST key in the token: %v", what, err)
		}
		name := strings.ReplaceAll(what, " ", "_")
		if err := r.Keep(t.Context(), name, key); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Key(t.Context(), name); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPINFile: on Windows a mode tells nothing of who may read a file, so there every one is refused.
func TestPINFile(t *testing.T) {
	t.Parallel()
	pin := filepath.Join(t.TempDir(), "pin")
	at := Place{Module: "m", Label: "l", PINFile: pin}
	for _, c := range []struct {
		text string
		mode os.FileMode
		want string
	}{{"1234\n", 0o600, ""}, {"1234", 0o640, "chmod 600"}, {"\n", 0o600, "empty"}, {strings.Repeat("1", 300), 0o600, "300 bytes"}} {
		if err := os.WriteFile(pin, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(pin, c.mode); err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS == "windows" {
			c.want = "chmod 600"
		}
		got, err := at.Config()
		if c.want == "" && (err != nil || string(got.PIN) != "1234") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %q, %v", c.text, got.PIN, err)
		}
	}
}
