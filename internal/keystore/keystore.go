// Package keystore keeps keys in files, and on tokens by their drivers: it finds PKCS #12 and Java key files in the folders a person named, opens
// them with a password, makes new key pairs whose certificate comes days later, and puts key and
// certificate together into a finished file.
//
// On a token ([ScanTokens], [PluggedToken.Open]) the pair is made inside and stays there; its certificate is put
// beside it ([Keeper.Certify]), and nothing there is ever replaced or removed but what a failed call made itself.
//
// The calls most want are [Scan] and [Unlock] for existing keys, [Open] for the [Keeper] of pending
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
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"senim/pfx"
	"senim/pki"
)

// Bounds of a scan.
const (
	maxFile  = 1 << 20
	maxFiles = 1000
	maxDepth = 3
)

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

// Scan lists the key files (.p12, .pfx, .jks) in the folders, three levels deep, newest first. What cannot
// be read is left out: a folder on a stick that is not plugged in is no error. Links inside them are not followed.
func Scan(folders []string) []File {
	found := map[string]*File{}
	for _, folder := range folders {
		named := filepath.Clean(folder)
		root := named // a folder the person named may be a link, as one on another disk; what is in it may not
		if real, err := filepath.EvalSymlinks(named); err == nil {
			root = real
		}
		_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return skip(entry)
			}
			if entry.IsDir() {
				if depth(root, path) > maxDepth {
					return fs.SkipDir
				}
				return nil
			}
			if len(found) >= maxFiles {
				return fs.SkipAll
			}
			switch strings.ToLower(filepath.Ext(path)) {
			case ".p12", ".pfx", ".jks":
				if rel, err := filepath.Rel(root, path); err == nil {
					path = filepath.Join(named, rel) // as the person knows it
				}
				note(found, path, entry)
			}
			return nil
		})
	}
	list := make([]File, 0, len(found))
	for _, f := range found {
		list = append(list, inStore(f)...)
	}
	sort.Slice(list, func(i, j int) bool {
		if !list[i].Modified.Equal(list[j].Modified) {
			return list[i].Modified.After(list[j].Modified)
		}
		if list[i].Path != list[j].Path {
			return list[i].Path < list[j].Path
		}
		return list[i].Entry < list[j].Entry
	})
	return list
}

func skip(entry fs.DirEntry) error {
	if entry != nil && entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func depth(root, path string) int {
	rel, err := filepath.Rel(root, path)
	if err != nil || rel == "." {
		return 0
	}
	return strings.Count(rel, string(filepath.Separator)) + 1
}

func note(found map[string]*File, path string, entry fs.DirEntry) {
	info, err := entry.Info()
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	content, err := read(path)
	if err != nil {
		return
	}
	id := contentID(content)
	if f := found[id]; f != nil {
		if f.Path != path {
			f.Copies = append(f.Copies, path)
		}
		return
	}
	storage, keys := PKCS12, []string(nil)
	if isJKS(content) {
		storage, keys = JKS, aliasesOf(content)
	}
	found[id] = &File{Storage: storage, keys: keys, ID: id, Path: path, Name: filepath.Base(path), Kind: KindOf(filepath.Base(path)), Modified: info.ModTime()}
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
