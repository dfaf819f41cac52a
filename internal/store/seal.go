package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// useKey settles the installation key: the given one, or the one kept in the database. A check
// value kept beside finds a wrong key before anything is sealed with it.
func (s *Store) useKey(ctx context.Context, key []byte) error {
	if key != nil && len(key) != 32 {
		return fmt.Errorf("open store: the installation key has %d bytes, not 32", len(key))
	}
	return s.update(ctx, func(t *tx) error {
		get := func(name string) ([]byte, error) {
			return one(ctx, t, nil, value[[]byte], `select value from setting where name = $1`, name)
		}
		put := func(name string, v []byte) error {
			_, err := t.exec(ctx, `insert into setting (name, value) values ($1, $2)`, name, v)
			return err
		}
		kept, err := get("installation-key")
		if err != nil {
			return err
		}
		check, err := get("installation-key-check")
		if err != nil {
			return err
		}
		if key != nil {
			kept = key
		} else if kept == nil {
			if check != nil {
				return errors.New("open store: this database was made with an installation key: give it")
			}
			kept = make([]byte, 32)
			rand.Read(kept)
			if err := put("installation-key", kept); err != nil {
				return err
			}
		}
		s.key = kept
		sum := s.mac("check", "")
		if check == nil {
			return put("installation-key-check", sum)
		}
		if !hmac.Equal(check, sum) {
			return errors.New("open store: the installation key is not the one this database was made with")
		}
		return nil
	})
}

func (s *Store) mac(purpose, value string) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte("senim/" + purpose + "\x00" + value))
	return m.Sum(nil)
}

// Hash is a keyed hash of a personal number, address or phone, for audit records and logs, as
// "h:1f2e3d4c5b6a7988": the same value gives the same text in one installation, and without its key
// it cannot be guessed back.
func (s *Store) Hash(value string) string { return "h:" + hex.EncodeToString(s.mac("hash", value)[:8]) }

// Hash is [Store.Hash], for domain Tx interfaces.
func (t *tx) Hash(value string) string { return t.s.Hash(value) }

func (s *Store) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.mac("seal", ""))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts bytes for the place named by where, so that they cannot be moved to another row.
func (s *Store) seal(where string, b []byte) ([]byte, error) {
	a, err := s.aead()
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return a.Seal(nil, nil, b, []byte(where)), nil
}

// open is the reverse of seal.
func (s *Store) open(where string, b []byte) ([]byte, error) {
	a, err := s.aead()
	if err != nil {
		return nil, fmt.Errorf("open sealed: %w", err)
	}
	plain, err := a.Open(nil, nil, b, []byte(where))
	if err != nil {
		return nil, errors.New("open sealed: not sealed with this key for this place")
	}
	return plain, nil
}

// Seal encrypts bytes for a place outside the database, as a file; Open is its reverse.
func (s *Store) Seal(place string, plain []byte) ([]byte, error) {
	return s.seal("outside/"+place, plain)
}

// Open gives back what [Store.Seal] sealed for the same place.
func (s *Store) Open(place string, sealed []byte) ([]byte, error) {
	return s.open("outside/"+place, sealed)
}
