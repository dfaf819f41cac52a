// Package keyring finds the keys of authorities where they are: sealed in files, or in a PKCS #11 token.
//
// The name of a key says where it is: [ca.TokenKey] begins those in the token, which [Ring.Make] makes;
// everything else goes to the files. [New] takes both; the token may be nil, and then its keys are away
// ([ca.ErrKeyAway]) while those in files work.
//
// It refuses: to keep a key from outside in the token, to make one that is not RSA there, and a PIN file
// that others may read.
package keyring

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"senim/algid"
	"senim/internal/ca"
	"senim/internal/token"
	"senim/internal/vault"
)

var _ ca.Maker = (*Ring)(nil)

// Ring is both places. Safe for concurrent use.
type Ring struct {
	files *vault.Vault
	token *token.Token // nil: none is named
}

// New joins files and a token, or nil.
func New(files *vault.Vault, t *token.Token) *Ring { return &Ring{files, t} }

// Close ends the token's program.
func (r *Ring) Close() error {
	if r.token == nil {
		return nil
	}
	return r.token.Close()
}

// Keep seals a key in a file.
func (r *Ring) Keep(ctx context.Context, name string, key crypto.Signer) error {
	if strings.HasPrefix(name, ca.TokenKey) {
		return fmt.Errorf("keep key %s: a token takes no keys from outside, it makes them", name)
	}
	return r.files.Keep(ctx, name, key)
}

// Key opens a key.
func (r *Ring) Key(ctx context.Context, name string) (crypto.Signer, error) {
	inside, ok := strings.CutPrefix(name, ca.TokenKey)
	if !ok {
		return r.files.Key(ctx, name)
	}
	if r.token == nil {
		return nil, fmt.Errorf("%w: none is named", ca.ErrKeyAway)
	}
	return held(r.token.Key(ctx, inside))
}

// Make makes a key in the token.
func (r *Ring) Make(ctx context.Context, name string, kind algid.Key, bits int) (crypto.Signer, error) {
	inside, ok := strings.CutPrefix(name, ca.TokenKey)
	switch {
	case !ok || kind != algid.RSA:
		return nil, fmt.Errorf("a %s key %q is not made in a token", kind, name)
	case r.token == nil:
		return nil, fmt.Errorf("%w: none is named", ca.ErrKeyAway)
	}
	return held(r.token.Generate(ctx, inside, bits))
}

// signer is a key in the token.
type signer struct{ crypto.Signer }

func held(key crypto.Signer, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, said(err)
	}
	return signer{key}, nil
}

// Sign signs a digest.
func (s signer) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	value, err := s.Signer.Sign(random, digest, opts)
	return value, said(err)
}

// said puts the token's errors in the words of package ca.
func said(err error) error {
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, token.ErrNotFound):
		return fmt.Errorf("%w: %w", ca.ErrNotFound, err)
	case errors.Is(err, token.ErrExists):
		return fmt.Errorf("%w: %w", ca.ErrExists, err)
	}
	return fmt.Errorf("%w: %w", ca.ErrKeyAway, err)
}

// Place says which token. Module, Label and PINFile are wanted.
type Place struct {
	Module, Label, PINFile string
	// Program is senim-token; empty means the one beside this program.
	Program string
}

// Config reads the PIN, from a file that is its owner's alone.
func (p Place) Config() (token.Config, error) {
	c := token.Config{Program: p.Program, Module: p.Module, Label: p.Label}
	if p.Module == "" || p.Label == "" || p.PINFile == "" {
		return c, errors.New("token: module, label and file of the PIN are wanted")
	}
	if c.Program == "" {
		self, err := os.Executable()
		if err != nil {
			return c, fmt.Errorf("find senim-token: %w", err)
		}
		c.Program = filepath.Join(filepath.Dir(self), "senim-token")
	}
	info, err := os.Stat(p.PINFile)
	switch {
	case err != nil:
		return c, fmt.Errorf("PIN of the token: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return c, fmt.Errorf("PIN of the token: %s may be read or changed by others (mode %o): chmod 600 it", p.PINFile, info.Mode().Perm())
	case info.Size() > 256:
		return c, fmt.Errorf("PIN of the token: %s has %d bytes", p.PINFile, info.Size())
	}
	pin, err := os.ReadFile(p.PINFile)
	if c.PIN = bytes.TrimRight(pin, "\r\n"); err == nil && len(c.PIN) == 0 {
		err = errors.New("the file is empty")
	}
	if err != nil {
		return c, fmt.Errorf("PIN of the token: %w", err)
	}
	return c, nil
}
