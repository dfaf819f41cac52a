package agent

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"senim/internal/keystore"
)

// indexSecret names the key of the index in the keychain.
const indexSecret = "key of the list of certificates"

// index is where the catalogue lies: encrypted under a key from the keychain; where there is none in a
// plain file of mode 0600, if the person accepts that, else nowhere.
type index struct {
	dir   string
	chain keystore.Keychain // nil: none
	plain func() bool

	mu  sync.Mutex
	key []byte // under mu, nil until the keychain was asked
	no  bool   // under mu: the keychain does not work
}

// Places of the index.
const (
	inKeychain = "keychain"
	inFile     = "plain"
	inMemory   = "memory"
)

func (i *index) sealedPath() string { return filepath.Join(i.dir, "catalogue") }
func (i *index) plainPath() string  { return filepath.Join(i.dir, "catalogue.json") }

// place tells where the index lies now.
func (i *index) place() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.open():
		return inKeychain
	case i.plain():
		return inFile
	}
	return inMemory
}

// open gets the key, and makes it the first time; called under mu.
func (i *index) open() bool {
	if i.key != nil || i.no || i.chain == nil {
		return i.key != nil
	}
	kept, err := i.chain.Get(indexSecret)
	key, bad := base64.StdEncoding.DecodeString(kept)
	if errors.Is(err, keystore.ErrNoSecret) || err == nil && (bad != nil || len(key) != 32) {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails: crypto/rand
		err = i.chain.Set(indexSecret, base64.StdEncoding.EncodeToString(key))
	}
	if err != nil {
		i.no = true
		return false
	}
	i.key = key
	return true
}

func (i *index) sealer() (cipher.AEAD, error) {
	block, err := aes.NewCipher(i.key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// load gives what was saved last; nil when nothing was.
func (i *index) load() ([]byte, error) {
	place := i.place()
	i.mu.Lock()
	defer i.mu.Unlock()
	path := i.sealedPath()
	switch place {
	case inMemory:
		return nil, nil
	case inFile:
		path = i.plainPath()
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || place == inFile {
		return b, err
	}
	sealer, err := i.sealer()
	if err == nil {
		b, err = sealer.Open(nil, nil, b, []byte(indexSecret))
	}
	if err != nil {
		return nil, fmt.Errorf("open the list of certificates: %w", err)
	}
	return b, nil
}

// save replaces it. Nothing readable stays in a plain file that is not wished any more.
func (i *index) save(b []byte) error {
	place := i.place()
	i.mu.Lock()
	defer i.mu.Unlock()
	switch place {
	case inFile:
		return keystore.Replace(i.plainPath(), b)
	case inKeychain:
		sealer, err := i.sealer()
		if err != nil {
			return err
		}
		if err := keystore.Replace(i.sealedPath(), sealer.Seal(nil, nil, b, []byte(indexSecret))); err != nil {
			return err
		}
	}
	return gone(i.plainPath())
}

// purge removes what lies where the index is not now: what is forgotten is in no copy.
func (i *index) purge() error {
	if i.place() == inKeychain {
		return gone(i.plainPath())
	}
	return gone(i.sealedPath())
}

func gone(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
