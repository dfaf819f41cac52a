package ceremony

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"senim/internal/ca"
	"senim/internal/keyring"
	"senim/internal/store"
	"senim/internal/token"
	"senim/internal/vault"
)

// Names in folders. Those of an installation are senimd's.
const (
	rootMarker   = "root.json"
	rootDB       = "root.db"
	onlineMarker = "installation.json"
	onlineDB     = "senim.db"
	passphrase   = "passphrase"
	keyFile      = "installation.key"
	vaultDir     = "vault"
	trustDir     = "trust"
	publishDir   = "publish"
)

// folder is an opened place of authorities.
type folder struct {
	dir, marker string
	fresh       bool   // it was made now: the marker is still to be written
	publish     string // where certificates and lists are laid
	prefix      string // of their names
	store       *store.Store
	keys        *keyring.Ring
}

func (f *folder) close() error {
	var err error
	if f != nil && f.keys != nil {
		err = f.keys.Close()
	}
	if f != nil && f.store != nil {
		err = errors.Join(err, f.store.Close())
	}
	return err
}

// empty makes a folder, and refuses one in which anything is but what is named.
func empty(dir, marker string, allowed ...string) error {
	if _, err := os.Stat(filepath.Join(dir, marker)); err == nil {
		return fmt.Errorf("%s is not empty: authorities were made there (%s), and are made once", dir, marker)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	var found []string
	for _, e := range entries {
		found = append(found, e.Name())
		for _, ok := range allowed {
			if e.Name() == ok {
				found = found[:len(found)-1]
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	for _, name := range found {
		if strings.HasPrefix(name, transcriptName) {
			return fmt.Errorf("%s holds an unfinished ceremony (%s): nothing in it is used; move it away or empty the folder, and start again", dir, name)
		}
	}
	return fmt.Errorf("%s is not empty (found %s): authorities are made in an empty folder", dir, found[0])
}

// finished refuses a folder without its marker: opening makes nothing.
func finished(dir, marker, what string) error {
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fmt.Errorf("%s is no %s: %s is not there, and opening makes nothing (new: true makes one in an empty folder)", dir, what, marker)
	}
	return nil
}

// within reports that a path lies in a folder, or is it.
func within(path, dir string) bool {
	real := func(p string) string {
		p, err := filepath.Abs(p)
		if err != nil {
			return p
		}
		for rest := ""; ; {
			if r, err := filepath.EvalSymlinks(p); err == nil {
				return filepath.Join(r, rest)
			}
			up := filepath.Dir(p)
			if up == p {
				return filepath.Join(p, rest)
			}
			rest, p = filepath.Join(filepath.Base(p), rest), up
		}
	}
	rel, err := filepath.Rel(real(dir), real(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// openRoot opens the folder of upper authorities.
func (e *Env) openRoot(ctx context.Context, r Root) (*folder, error) {
	dir := e.path(r.Keys)
	if r.New {
		if err := empty(dir, rootMarker); err != nil {
			return nil, err
		}
	} else if err := finished(dir, rootMarker, "root's folder"); err != nil {
		return nil, err
	}
	words, err := e.passphrase(e.RootShares, e.path(r.PassphraseFile), r.New, "the root's passphrase")
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir, marker: rootMarker, fresh: r.New, publish: filepath.Join(dir, publishDir)}
	return f, e.open(ctx, f, filepath.Join(dir, rootDB), nil, words, r.Token)
}

// openOnline opens an installation of senimd.
func (e *Env) openOnline(ctx context.Context, o Online) (*folder, error) {
	dir := e.path(o.Data)
	in := func(name, usual string) string {
		if name == "" {
			return filepath.Join(dir, usual)
		}
		return e.path(name)
	}
	words, key := in(o.PassphraseFile, passphrase), in(o.KeyFile, keyFile)
	if o.New {
		if err := empty(dir, onlineMarker, trustDir, passphrase, keyFile); err != nil {
			return nil, err
		}
	} else if err := finished(dir, onlineMarker, "installation"); err != nil {
		return nil, err
	}
	sealing, err := e.passphrase(e.Shares, words, o.New, "the passphrase of the keys")
	if err != nil {
		return nil, err
	}
	text, _, err := vault.Secret(key, o.New)
	if err != nil {
		return nil, fmt.Errorf("installation key: %w", err)
	}
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("installation key: %s does not hold 64 hex digits", key)
	}
	db := o.DB
	if db == "" {
		db = filepath.Join(dir, onlineDB)
	} else if !strings.Contains(db, "://") {
		db = e.path(db)
	}
	f := &folder{dir: dir, marker: onlineMarker, fresh: o.New, publish: in(o.Trust, trustDir), prefix: "senim_"}
	return f, e.open(ctx, f, db, raw, sealing, o.Token)
}

// token opens a place's token, nil when it has none.
func (e *Env) token(t *Token) (*token.Token, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // it has none
	}
	at := keyring.Place{Module: t.Module, Label: t.Label, PINFile: e.path(t.PINFile), Program: e.path(t.Program)}
	if strings.ContainsRune(at.Module, filepath.Separator) { // a bare name is looked for where libraries are
		at.Module = e.path(at.Module)
	}
	c, err := at.Config()
	if err != nil {
		return nil, err
	}
	return token.Open(c)
}

func (e *Env) open(ctx context.Context, f *folder, db string, key, words []byte, t *Token) (err error) {
	defer clear(words)
	files, err := vault.Open(filepath.Join(f.dir, vaultDir), words)
	if err != nil {
		return err
	}
	inside, err := e.token(t)
	if err != nil {
		return err
	}
	f.keys = keyring.New(files, inside)
	// senimd may be at work on the same database: a chain of our own.
	f.store, err = store.Open(ctx, store.Config{URL: db, Now: e.Now, Node: store.ConsoleNode(), Key: key, Log: slog.New(slog.DiscardHandler)})
	return err
}

// mark says that the first ceremony of a folder is complete.
func (f *folder) mark(now time.Time) error {
	if !f.fresh {
		return nil
	}
	b, err := json.MarshalIndent(map[string]string{"made": now.UTC().Format(time.RFC3339)}, "", "  ")
	if err != nil {
		return err
	}
	return create(filepath.Join(f.dir, f.marker), append(b, '\n'), 0o600)
}

// create writes a new file that is whole when it has its name.
func create(path string, data []byte, mode fs.FileMode) error { return put(path, data, mode, os.Link) }

// replace puts a file in the place of another: readers see the one or the other.
func replace(path string, data []byte, mode fs.FileMode) error {
	return put(path, data, mode, os.Rename)
}

func put(path string, data []byte, mode fs.FileMode, name func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = name(f.Name(), path)
	}
	if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// lay writes the certificates and lists of a place as files, to be carried and published. A
// certificate is never replaced, a list always.
func (f *folder) lay(ctx context.Context) error {
	if err := os.MkdirAll(f.publish, 0o755); err != nil { //nolint:gosec // certificates are public
		return fmt.Errorf("make %s: %w", f.publish, err)
	}
	return f.store.CA().View(ctx, func(tx ca.Tx) error {
		all, err := tx.Authorities(ctx)
		if err != nil {
			return err
		}
		for _, a := range all {
			if err := f.layCertificate(a.Name, a.Raw); err != nil {
				return err
			}
			if f.marker != rootMarker {
				continue // the responder publishes them
			}
			l, err := tx.Head(ctx, a.Name, "", false)
			if err == nil {
				l.Raw, err = tx.ListBytes(ctx, l)
			}
			if err != nil {
				return err
			}
			if err := replace(filepath.Join(f.publish, a.Name+".crl"), l.Raw, 0o644); err != nil {
				return fmt.Errorf("write the list of %s: %w", a.Name, err)
			}
		}
		crosses, err := tx.Crosses(ctx)
		for _, x := range crosses {
			err = errors.Join(err, f.layCertificate(x.Name, x.Raw))
		}
		return err
	})
}

func (f *folder) layCertificate(name string, raw []byte) error {
	path := filepath.Join(f.publish, f.prefix+name+".cer")
	err := create(path, raw, 0o644)
	if errors.Is(err, fs.ErrExist) {
		old, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(old, raw) {
			err = fmt.Errorf("%s holds another certificate", path)
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
