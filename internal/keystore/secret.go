package keystore

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// inKeychain is what the file of the secret says when the secret is in the system's keychain.
const inKeychain = "keychain"

// secretFile is the name of the file of the secret.
const secretFile = "pending.key"

// unlock finds the secret of 256 bits that protects pending keys, or makes it: in the system's keychain,
// or, where there is none, in a file of mode 0600. It is looked for when it is first needed, since a
// keychain may ask the person to open it. Called under mu.
func (k *Keeper) unlock() error {
	if k.secret != nil {
		return nil
	}
	path := filepath.Join(k.dir, secretFile)
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if b = k.keptSecret(); b == nil {
			b, err = k.makeSecret(path)
			break
		}
		err = Create(path, []byte(inKeychain), 0o600)
	case err == nil && string(b) == inKeychain:
		if k.keychain == nil {
			return ErrNoKeychain
		}
		var text string
		text, err = k.keychain.Get(k.secretName())
		b = []byte(text)
	case err == nil && k.keychain != nil && len(b) == 64 && k.toKeychain(b) == nil:
		err = Replace(path, []byte(inKeychain)) // it moves; where it cannot, it stays
	}
	if err != nil {
		return err
	}
	if len(b) != 64 {
		return errors.New("the secret of pending keys has not 64 characters")
	}
	k.secret = b
	return nil
}

// Keychained tells whether the system's keychain works now, so that the secret of pending keys need lie in no file.
func (k *Keeper) Keychained() bool {
	if k.keychain == nil {
		return false
	}
	_, err := k.keychain.Get(k.secretName())
	return err == nil || errors.Is(err, ErrNoSecret)
}

func (k *Keeper) secretName() string { return SecretName(k.dir) }

// SecretName names, in the keychain, the secret of the pending keys in a folder.
func SecretName(dir string) string {
	if full, err := filepath.Abs(dir); err == nil {
		dir = full
	}
	return "pending keys of " + dir
}

// keptSecret is the secret the keychain has though the file that says so is gone; nil when it has none.
// Another one in its place would close the keys that wait for good.
func (k *Keeper) keptSecret() []byte {
	if k.keychain == nil {
		return nil
	}
	text, err := k.keychain.Get(k.secretName())
	if err != nil || len(text) != 64 {
		return nil
	}
	return []byte(text)
}

func (k *Keeper) makeSecret(path string) ([]byte, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(k.random, raw); err != nil {
		return nil, err
	}
	b := []byte(hex.EncodeToString(raw))
	stands := b
	if k.keychain != nil && k.toKeychain(b) == nil {
		stands = []byte(inKeychain)
	}
	k.fault("secret kept")
	return b, Create(path, stands, 0o600)
}

// toKeychain puts the secret there and reads it back.
func (k *Keeper) toKeychain(secret []byte) error {
	if err := k.keychain.Set(k.secretName(), string(secret)); err != nil {
		return err
	}
	back, err := k.keychain.Get(k.secretName())
	if err == nil && subtle.ConstantTimeCompare([]byte(back), secret) != 1 {
		err = errors.New("the keychain gives another secret back")
	}
	return err
}
