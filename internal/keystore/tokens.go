package keystore

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"senim/internal/token"
	"senim/pki"
)

// Storages of files; tokens have the names of their drivers.
const (
	PKCS12 = "PKCS12"
	JKS    = "JKS"
)

// TokenDriver is a PKCS #11 driver, run in a process of its own.
type TokenDriver struct {
	Storage string // as pages name it, AKKaztokenStore
	Program string // the path of senim-token
	Module  string // the path of the driver
}

// lookTime bounds how long a window waits to know what is plugged in.
const lookTime = 5 * time.Second

// onToken says where a key on a token is.
type onToken struct {
	driver TokenDriver
	label  string
	id     []byte
	cert   *pki.Certificate
}

// Errors of a PIN, beside [ErrPassword]: tokens lock.
var (
	// ErrLastTry: the PIN was wrong, and one more wrong one locks the token.
	ErrLastTry = errors.New("wrong PIN, one try is left")
	// ErrLocked: the token is locked.
	ErrLocked = errors.New("the token is locked")
)

// ScanTokens lists the keys of the tokens that are plugged in, by what they show without a PIN, and the
// storages that are there. A driver that fails is left out, with its error: a broken one must not hide
// what is in files.
func ScanTokens(drivers []TokenDriver) (files []File, plugged []string, err error) {
	found := make([]struct {
		tokens []token.Plugged
		err    error
	}, len(drivers))
	var all sync.WaitGroup
	for i, d := range drivers {
		all.Go(func() {
			found[i].tokens, found[i].err = token.Look(token.Config{Program: d.Program, Module: d.Module, Timeout: lookTime})
		})
	}
	all.Wait()
	for i, d := range drivers {
		err = errors.Join(err, found[i].err)
		if len(found[i].tokens) > 0 {
			plugged = append(plugged, d.Storage)
		}
		for _, t := range found[i].tokens {
			for _, c := range t.Certificates {
				cert, bad := pki.ParseCertificate(c.DER)
				if bad != nil {
					continue // somebody else's kind
				}
				sum := sha256.Sum256(append([]byte(d.Storage+"\x00"+t.Label+"\x00"+t.Serial+"\x00"), c.DER...))
				files = append(files, File{ID: "token-" + hex.EncodeToString(sum[:16]), Name: t.Label, Kind: Unknown, Storage: d.Storage,
					Modified: cert.NotBefore, token: &onToken{driver: d, label: t.Label, id: c.ID, cert: cert}})
			}
		}
	}
	return files, plugged, err
}

// Certificate is what a key shows before it is opened: of a token, its certificate; of a file, nothing.
func (f File) Certificate() *pki.Certificate {
	if f.token == nil {
		return nil
	}
	return f.token.cert
}

// unlockToken opens a key on a token with its PIN, once.
func unlockToken(f File, pin string) (*Key, error) {
	at := f.token
	t, err := token.Open(token.Config{Program: at.driver.Program, Module: at.driver.Module, Label: at.label, PIN: []byte(pin)})
	switch {
	case errors.Is(err, token.ErrPIN):
		return nil, wrongPIN(at)
	case err != nil:
		return nil, fmt.Errorf("open token: %w", err)
	}
	signer, err := t.Key(context.Background(), token.NameOf(at.id))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open token: %w", err), t.Close())
	}
	if public, ok := signer.Public().(interface{ Equal(x crypto.PublicKey) bool }); !ok || !public.Equal(at.cert.PublicKey) {
		return nil, errors.Join(errors.New("open token: the key is not that of the certificate"), t.Close())
	}
	return &Key{Signer: signer, Certificate: at.cert, Storage: f.Storage, close: t.Close}, nil
}

// wrongPIN says how near a token is to be locked, as far as it tells.
func wrongPIN(at *onToken) error {
	tokens, err := token.Look(token.Config{Program: at.driver.Program, Module: at.driver.Module, Timeout: lookTime})
	if err != nil {
		return ErrPassword
	}
	for _, t := range tokens {
		switch {
		case t.Label != at.label:
		case t.Locked:
			return ErrLocked
		case t.Final:
			return ErrLastTry
		}
	}
	return ErrPassword
}
