// Package vault keeps the private keys of authorities in sealed files.
//
// [Open] names a directory and a passphrase; [Vault.Keep] and [Vault.Key] are what package ca asks
// of its keys. Each key is a file of its own, NAME.key, an encrypted PKCS #8 key in PEM (PBES2,
// AES-256, PBKDF2 with 600 000 rounds), readable by its owner only.
//
// It refuses: to replace a key, to read a file that others may read, names that are no plain words,
// and short passphrases. Losing the passphrase loses the keys. Package keyring joins it with a token.
package vault

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"senim/pfx"
)

const (
	pemType       = "ENCRYPTED PRIVATE KEY"
	minPassphrase = 12
	maxFile       = 64 << 10
)

// ErrPassphrase says that the passphrase does not open the key.
var ErrPassphrase = errors.New("wrong passphrase")

// Vault is a directory of sealed keys. Safe for concurrent use.
type Vault struct {
	dir        string
	passphrase []byte

	mu sync.Mutex // one key is opened or written at a time: it costs a fifth of a second of work
}

// Open uses a directory, which is made (for its owner only) when it is not there. The passphrase has
// at least 12 bytes; whether it is right shows when a key is opened.
func Open(dir string, passphrase []byte) (*Vault, error) {
	if len(passphrase) < minPassphrase {
		return nil, fmt.Errorf("open vault: a passphrase has at least %d bytes", minPassphrase)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("open vault: others may write to %s", dir)
	}
	return &Vault{dir: dir, passphrase: append([]byte(nil), passphrase...)}, nil
}

// path is the file of a key; names are lower case letters, digits, _ and -.
func (v *Vault) path(name string) (string, error) {
	if name == "" || len(name) > 100 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return "", fmt.Errorf("key name %q: lower case letters, digits, _ and - are wanted", name)
	}
	return filepath.Join(v.dir, name+".key"), nil
}

// Keep seals a key and returns when it is on the disk. A name that is taken is an error matching
// fs.ErrExist.
func (v *Vault) Keep(_ context.Context, name string, key crypto.Signer) error {
	path, err := v.path(name)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	der, err := pfx.EncryptPrivateKey(rand.Reader, key, v.passphrase)
	if err != nil {
		return fmt.Errorf("seal key %s: %w", name, err)
	}
	if err := v.write(path, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})); err != nil {
		return fmt.Errorf("keep key %s: %w", name, err)
	}
	return nil
}

// write makes the file whole or not at all: a temporary one is linked to its name, which fails when
// the name is taken.
func (v *Vault) write(path string, data []byte) (err error) {
	f, err := os.CreateTemp(v.dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(v.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Key opens a key. The error matches fs.ErrNotExist when there is none and [ErrPassphrase] when the
// passphrase is another.
func (v *Vault) Key(_ context.Context, name string) (crypto.Signer, error) {
	path, err := v.path(name)
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	data, err := readPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != pemType || len(strings.TrimSpace(string(rest))) != 0 {
		return nil, fmt.Errorf("read key %s: not one PEM block of type %s", name, pemType)
	}
	key, err := pfx.DecryptPrivateKey(block.Bytes, v.passphrase)
	if errors.Is(err, pfx.ErrPassword) {
		return nil, fmt.Errorf("open key %s: %w", name, ErrPassphrase)
	}
	if err != nil {
		return nil, fmt.Errorf("open key %s: %w", name, err)
	}
	return key, nil
}

// readPrivate reads a small file that only its owner may read.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no plain file", filepath.Base(path))
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("others may read %s: %w", filepath.Base(path), fs.ErrPermission)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s has %d bytes", filepath.Base(path), info.Size())
	}
	return os.ReadFile(path)
}
