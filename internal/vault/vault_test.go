package vault

import (
	"crypto"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/pkitest"
)

var _ ca.Keys = (*Vault)(nil)

const passphrase = "correct horse battery"

func TestKeepAndKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	v, err := Open(dir, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]algid.Key{"gost": algid.GOST512, "rsa": algid.RSA} {
		key := pkitest.NewKey(t, kind)
		if err := v.Keep(t.Context(), name, key); err != nil {
			t.Fatal(err)
		}
		got, err := v.Key(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
			t.Errorf("%s: another key", name)
		}
		if err := v.Keep(t.Context(), name, key); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: replaced: %v", name, err)
		}
		info, err := os.Stat(filepath.Join(dir, name+".key"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	if openssl, err := exec.LookPath("openssl"); err == nil {
		cmd := exec.Command(openssl, "pkey", "-in", filepath.Join(dir, "rsa.key"), "-passin", "pass:"+passphrase, "-noout", "-check")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("openssl: %v: %s", err, out)
		}
	}
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	v, err := Open(dir, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Keep(t.Context(), "gost", pkitest.NewKey(t, algid.GOST512)); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Key(t.Context(), "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such key: %v", err)
	}
	other, err := Open(dir, []byte("another passphrase"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Key(t.Context(), "gost"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("another passphrase: %v", err)
	}
	if _, err := v.Key(t.Context(), "../gost"); err == nil {
		t.Error("a name with a path in it")
	}
	if err := os.Chmod(filepath.Join(dir, "gost.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Key(t.Context(), "gost"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("readable by others: %v", err)
	}
	if _, err := Open(dir, []byte("short")); err == nil {
		t.Error("a short passphrase")
	}
}
