package keystore

import (
	"errors"
	"fmt"

	"github.com/zalando/go-keyring"
)

// Keychain keeps short secrets for one person, as the system he has signed in to does.
type Keychain interface {
	// Get reads a secret; [ErrNoSecret], [ErrNoKeychain].
	Get(name string) (string, error)
	// Set keeps one, in place of an older one.
	Set(name, secret string) error
	// Delete forgets one; [ErrNoSecret] when there is none.
	Delete(name string) error
}

// Errors of a [Keychain].
var (
	// ErrNoSecret: nothing is kept under this name.
	ErrNoSecret = errors.New("no such secret in the keychain")
	// ErrNoKeychain: the system has none, or it did not open.
	ErrNoKeychain = errors.New("the system's keychain is not available")
)

// service names us in the system's keychain.
const service = "senim-agent"

// SystemKeychain is the keychain of the system: Windows' Credential Manager, macOS' Keychain, the Secret
// Service of Linux desktops.
func SystemKeychain() Keychain { return system{} }

type system struct{}

func (system) Get(name string) (string, error) {
	s, err := keyring.Get(service, name)
	return s, keychainError(err)
}

func (system) Set(name, secret string) error {
	return keychainError(keyring.Set(service, name, secret))
}
func (system) Delete(name string) error { return keychainError(keyring.Delete(service, name)) }

func keychainError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNoSecret
	}
	return fmt.Errorf("%w: %w", ErrNoKeychain, err)
}
