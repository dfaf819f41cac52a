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
	"time"

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

	mu     sync.Mutex
	key    []byte    // under mu, nil until the keychain was asked
	shut   bool      // under mu: the keychain did not open when it was asked last
	asked  time.Time // under mu: then
	asking bool      // under mu: it is being asked again
}

// askAgain is how long a keychain that did not open is left alone by windows: it may ask the person each time.
const askAgain = 5 * time.Minute

// errIndexShut: what lies in the index cannot be read, and so cannot be forgotten there.
var errIndexShut = errors.New("the list of certificates is locked: the keychain does not open")

// Places of the index.
const (
	inKeychain = "keychain"
	inFile     = "plain"
	inMemory   = "memory"
	isLocked   = "locked" // in memory, until the keychain opens
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

// shown tells people where the index lies now.
func (i *index) shown() string {
	place := i.place()
	if place != inKeychain && i.unread() {
		return isLocked
	}
	return place
}

// open gets the key, and makes it the first time; called under mu.
func (i *index) open() bool {
	if i.key != nil || i.shut || i.chain == nil {
		return i.key != nil
	}
	key, err := i.secret()
	i.key, i.shut, i.asked = key, err != nil, time.Now()
	return err == nil
}

// secret asks the keychain for the key, which may ask the person.
func (i *index) secret() ([]byte, error) {
	kept, err := i.chain.Get(indexSecret)
	key, bad := base64.StdEncoding.DecodeString(kept)
	if errors.Is(err, keystore.ErrNoSecret) || err == nil && (bad != nil || len(key) != 32) {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails: crypto/rand
		err = i.chain.Set(indexSecret, base64.StdEncoding.EncodeToString(key))
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// again asks a keychain that did not open before: now, or when it was left alone for a while. The key does not hold until
// it is taken.
func (i *index) again(now bool) (key []byte, ok bool) {
	i.mu.Lock()
	if !i.shut || i.asking || !now && time.Since(i.asked) < askAgain {
		i.mu.Unlock()
		return nil, false
	}
	i.asking = true
	i.mu.Unlock()
	key, err := i.secret()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asking, i.asked = false, time.Now()
	return key, err == nil
}

// take has the index be under a key from now on.
func (i *index) take(key []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key, i.shut = key, false
}

// unread tells whether a list lies there that cannot be read until the keychain opens.
func (i *index) unread() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.shut {
		return false
	}
	_, err := os.Lstat(i.sealedPath())
	return err == nil
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

// purge removes what lies where the index is not now: what is forgotten is in no copy. What could not be read stays, unless
// all is to be forgotten: there is more in it than that.
func (i *index) purge(all bool) error {
	switch {
	case i.place() == inKeychain:
		return gone(i.plainPath())
	case i.unread() && !all:
		return nil
	}
	return gone(i.sealedPath())
}

func gone(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
