package keystore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"senim/pfx"
)

// Bounds on keys that wait for a certificate.
const (
	MaxPendingOrigin = 16
	MaxPending       = 64
	// MaxPendingMany bounds those beyond, made because the person agreed to just that; they are counted apart.
	MaxPendingMany = 256
)

// Failure is a refusal with a stable reason, as kz.senim.keys names them.
type Failure struct {
	Reason string // folder_unavailable, too_many_pending, write_failed, request_id_used, no_pending_key, …
	Err    error
	Key    string // pending_password: of which key, its identifier
}

func (f *Failure) Error() string { return f.Reason + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

func failure(reason, format string, args ...any) *Failure {
	return &Failure{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Config says where a keeper lives.
type Config struct {
	Dir    string           // its folder, made with mode 0700; required
	Random io.Reader        // crypto/rand when nil
	Now    func() time.Time // time.Now when nil
	Form   pfx.Form         // of finished key files; the zero value is the strong one
	// Keychain keeps the secret of pending keys; nil, or where it is not available: a file of mode 0600.
	Keychain Keychain

	// fault is called at every step that changes something; tests kill the keeper there.
	fault func(step string)
}

// Keeper makes key pairs and finishes them. One keeper per folder; safe for concurrent use, its
// calls run one after another.
type Keeper struct {
	dir    string
	random io.Reader
	now    func() time.Time
	form   pfx.Form
	fault  func(string)

	keychain Keychain

	mu     sync.Mutex
	notes  []Note // under mu
	secret []byte // under mu: opens the pending files; nil until it is needed
}

// Open opens the keeper of a folder. The secret of 256 bits that protects pending keys is made with the
// first of them.
func Open(c Config) (*Keeper, error) {
	if c.Dir == "" {
		return nil, errors.New("open keeper: no folder")
	}
	k := &Keeper{dir: c.Dir, random: c.Random, now: c.Now, form: c.Form, fault: c.fault, keychain: c.Keychain}
	if k.random == nil {
		k.random = rand.Reader
	}
	if k.now == nil {
		k.now = time.Now
	}
	if k.fault == nil {
		k.fault = func(string) {}
	}
	if err := MakeFolder(c.Dir); err != nil {
		return nil, fmt.Errorf("open keeper: %w", err)
	}
	mended, err := k.load()
	if err != nil {
		return nil, fmt.Errorf("open keeper: %w", err)
	}
	if mended {
		return k, nil
	}
	return k, k.recover()
}

// recover takes back what was being made when the keeper last died: nobody was told of it. What stands on a token cannot be
// looked at without its PIN: the person can have it deleted.
func (k *Keeper) recover() error {
	kept, changed := k.notes[:0], false
	for _, n := range k.notes {
		if n.State == Making {
			changed = true
			if !n.OnToken() {
				_ = remove(filepath.Join(n.Folder, n.File))
				continue
			}
			n.State = Left
		}
		kept = append(kept, n)
	}
	if !changed {
		return nil
	}
	k.notes = kept
	return k.save()
}

// Waiting lists the pending keys of an origin.
func (k *Keeper) Waiting(origin string) []Note {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []Note
	for _, n := range k.notes {
		if n.Origin == origin && (n.State == Pending || n.State == Finishing) {
			list = append(list, n)
		}
	}
	return list
}

// Unfinished lists every key that waits for its certificate.
func (k *Keeper) Unfinished() []Note {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []Note
	for _, n := range k.notes {
		if n.State == Pending || n.State == Finishing {
			list = append(list, n)
		}
	}
	return list
}

// OnTokens lists pairs on tokens that a killed act may have left there, without a certificate.
func (k *Keeper) OnTokens() []Note {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []Note
	for _, n := range k.notes {
		if n.State == Left {
			list = append(list, n)
		}
	}
	return list
}

// Folders lists the folders in which keys were made.
func (k *Keeper) Folders() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []string
	seen := map[string]bool{}
	for _, n := range k.notes {
		if !seen[n.Folder] && !n.OnToken() {
			seen[n.Folder] = true
			list = append(list, n.Folder)
		}
	}
	return list
}
