// Package keystore keeps keys in files, and on tokens by their drivers: it finds PKCS #12 and Java key files in the folders a person named, opens
// them with a password, makes new key pairs whose certificate comes days later, and puts key and
// certificate together into a finished file.
//
// On a token ([ScanTokens], [PluggedToken.Open]) the pair is made inside and stays there; its certificate is put
// beside it ([Keeper.Certify]), and nothing there is ever replaced or removed but what a failed call made itself.
//
// The calls most want are [Scanner.Scan] and [Unlock] for existing keys, [Open] for the [Keeper] of pending
// ones. A keeper writes down before it acts: a kill at any moment leaves either the pending keys or
// the finished files, and the same call can be repeated. It never overwrites a file, never gives a
// private key away, and never keeps a password.
//
// Refused: links, devices, files above 1 MiB, folders deeper than three levels, more than 64
// pending keys. Nothing here asks a person anything; consent is the agent's business.
package keystore

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"senim/pfx"
	"senim/pki"
)

// maxFile bounds a key file.
const maxFile = 1 << 20

// Errors that callers branch on.
var (
	// ErrPassword: the password does not open the file.
	ErrPassword = errors.New("wrong password")
	// ErrChanged: the file is not the one that was listed.
	ErrChanged = errors.New("file changed since it was listed")
)

// Kind is what the name of a key file tells before it is opened.
type Kind string

// The kinds of a key file.
const (
	Combined Kind = "combined" // GOST512, GOST256: signs and signs in
	Signing  Kind = "signing"  // RSA signing key
	SignIn   Kind = "sign-in"  // RSA sign-in key
	OldGOST  Kind = "old-gost" // GOST of 2004 or 2015
	Unknown  Kind = "unknown"
)

// KindOf reads a file name.
func KindOf(name string) Kind {
	upper := strings.ToUpper(name)
	for _, p := range []struct {
		prefix string
		kind   Kind
	}{
		{"GOST512_", Combined}, {"GOST256_", Combined}, {"AUTH_RSA", SignIn}, {"RSA", Signing}, {"GOSTKNCA_", OldGOST}, {"GOSTGT_", OldGOST},
	} {
		if strings.HasPrefix(upper, p.prefix) {
			return p.kind
		}
	}
	return Unknown
}

// File is one key file as the folder shows it.
type File struct {
	ID       string // of the content, so a moved or copied file is recognised
	Path     string
	Name     string
	Kind     Kind
	Modified time.Time
	Copies   []string // other paths with the same content
	Storage  string   // PKCS12, JKS, or the name of a token's driver
	Flaw     Flaw     // of a file that no password opens
	Entry    string   // which of several keys of a Java key store, by its alias; the ID is of this key then, and the name has it

	token *onToken // of a key on a token
	keys  []string // of a Java key store with several, while it is listed
}

// Folder is the directory the file is in; empty for a key on a token.
func (f File) Folder() string {
	if f.token != nil {
		return ""
	}
	return filepath.Dir(f.Path)
}

func contentID(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// read gives a regular file of at most 1 MiB.
func read(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s is not a key file", filepath.Base(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s is not a key file", filepath.Base(path))
	}
	return content, err
}

// Key is an opened key. Whoever holds it can sign: drop it after the act it was opened for.
type Key struct {
	Signer      crypto.Signer
	Certificate *pki.Certificate
	Storage     string
	Alias       string  // of one of several keys in a Java key store
	Beside      []Entry // all of that store, this one among them

	place *Place // the token it is on; nil for a file
}

// Place is the open token a key is on; nil for a key of a file. It closes with the key.
func (k *Key) Place() *Place { return k.place }

// Close lets a token go; a key of a file needs none.
func (k *Key) Close() error {
	if k.place == nil {
		return nil
	}
	return k.place.Close()
}

// Unlock opens a key that [Scan] or [ScanTokens] listed. A wrong password or PIN is [ErrPassword],
// [ErrLastTry] or [ErrLocked]. Whoever opened it closes it.
func Unlock(f File, password string) (*Key, error) {
	if f.token != nil {
		return unlockToken(f, password)
	}
	content, err := read(f.Path)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if entryID(contentID(content), f.Entry) != f.ID {
		return nil, fmt.Errorf("open key file: %w", ErrChanged)
	}
	key := &Key{Storage: f.Storage, Alias: f.Entry}
	var file *pfx.File
	if f.Entry != "" {
		file, err = decodeJKS(content, password, f.Entry)
		key.Beside = besideJKS(content, password)
	} else {
		file, err = decode(content, password)
	}
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", wrongPassword(err))
	}
	key.Signer, key.Certificate = file.Key, file.Certificate
	return key, nil
}

// wrongPassword gives the error of a wrong password our name.
func wrongPassword(err error) error {
	if errors.Is(err, pfx.ErrPassword) {
		return ErrPassword
	}
	return err
}
