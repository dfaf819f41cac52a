package keystore

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"senim/internal/pkitest"
	"senim/pfx"
)

// then is when the tests live.
func then() time.Time { return time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC) }

// memory is a keychain for tests.
type memory map[string]string

func (m memory) Get(name string) (string, error) {
	if s, ok := m[name]; ok {
		return s, nil
	}
	return "", ErrNoSecret
}
func (m memory) Set(name, secret string) error { m[name] = secret; return nil }
func (m memory) Delete(name string) error      { delete(m, name); return nil }

// closed is a keychain that does not open.
type closed struct{}

func (closed) Get(string) (string, error) { return "", ErrNoKeychain }
func (closed) Set(string, string) error   { return ErrNoKeychain }
func (closed) Delete(string) error        { return ErrNoKeychain }

// TestSecretInKeychain: the secret of pending keys is in the keychain and nowhere on the disk; one made
// before there was a keychain moves; without the keychain the keys do not open, and nothing is made anew.
func TestSecretInKeychain(t *testing.T) {
	authority := pkitest.New(t)
	for name, before := range map[string]Keychain{"at once": nil, "made in a file first": closed{}} {
		t.Run(name, func(t *testing.T) {
			data, folder, chain := t.TempDir(), t.TempDir(), memory{}
			use := func(c Keychain) *Keeper {
				k, err := Open(Config{Dir: data, Form: pfx.NCA, Keychain: c, Now: then})
				if err != nil {
					t.Fatal(err)
				}
				return k
			}
			first := before
			if first == nil {
				first = chain
			}
			o := order(folder)
			o.Profiles = o.Profiles[:1]
			notes, err := use(first).Generate(o)
			if err != nil {
				t.Fatal(err)
			}
			o.RequestID = "R-2"
			if _, err := use(chain).Generate(o); err != nil { // the second time it moves
				t.Fatal(err)
			}
			file, err := os.ReadFile(filepath.Join(data, "pending.key"))
			if err != nil || string(file) != "keychain" || len(chain) != 1 {
				t.Fatalf("%q %v, %d secrets", file, err, len(chain))
			}
			for _, secret := range chain {
				if raw, err := hex.DecodeString(secret); err != nil || len(raw) != 32 {
					t.Errorf("a secret of %d bytes", len(raw))
				}
				for _, f := range names(t, data) {
					if b, err := os.ReadFile(filepath.Join(data, f)); err != nil || bytes.Contains(b, []byte(secret)) {
						t.Errorf("the secret is in %s: %v", f, err)
					}
				}
			}
			certs := certify(t, authority, notes)
			for _, without := range []Keychain{nil, closed{}, memory{}} {
				if _, err := use(without).Install(certs, password); reason(err) != "pending_key_unreadable" {
					t.Errorf("without its keychain: %v", err)
				}
			}
			// The file that says where the secret is, lost: the secret is not made anew.
			if err := os.Remove(filepath.Join(data, "pending.key")); err != nil {
				t.Fatal(err)
			}
			o.RequestID = "R-3"
			if _, err := use(chain).Generate(o); err != nil {
				t.Error(err)
			}
			if _, err := use(chain).Install(certs, password); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBackup(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	path := place(t, dir, "GOST512_x.p12", pkitest.New(t).Individual())
	if _, err := Backup(path, to, "wrong"); !errors.Is(err, ErrPassword) || len(names(t, to)) != 0 {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := Backup(path, filepath.Join(to, "absent"), password); reason(err) != "folder_unavailable" {
		t.Errorf("no folder: %v", err)
	}
	copied, err := Backup(path, to, password)
	if err != nil || copied != filepath.Join(to, "GOST512_x.p12") {
		t.Fatalf("%s %v", copied, err)
	}
	if _, err := Backup(path, to, password); err != nil {
		t.Errorf("the same again: %v", err)
	}
	a, _ := os.ReadFile(path)
	if b, err := os.ReadFile(copied); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the copy differs: %v", err)
	}
	if err := os.WriteFile(copied, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(path, to, password); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	if b, err := os.ReadFile(copied); err != nil || string(b) != "mine" {
		t.Errorf("the other file: %q %v", b, err)
	}
}
