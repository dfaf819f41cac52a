// Package published keeps copies of revocation lists outside the database, where readers and the next
// start find them.
//
// [Folder.Put] writes a list as NAME.crl or NAME_d.crl, whole or not at all; [Read] reads lists again
// from folders and addresses. A database that knows less than what was published is an older copy: an
// authority that finds that at its start does nothing until it is reconciled.
//
// A folder that cannot be read, or holds something that is no list, is an error and no evidence: what
// could not be checked is not good.
package published

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"senim/pki"
)

const (
	maxList    = 64 << 20
	maxFiles   = 10_000
	maxFetched = 2 * time.Minute
)

// Folder is where lists are laid.
type Folder struct{ Dir string }

// Put writes a list under its name in addresses, as "gost" or "gost_d": readers see the old or the new
// file, never half of it. It returns when the file is on the disk.
func (f Folder) Put(name string, der []byte) (err error) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return fmt.Errorf("publish list: name %q", name)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("publish list %s: %w", name, err)
		}
	}()
	tmp, err := os.CreateTemp(f.Dir, ".list-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(der)
	if err == nil {
		err = tmp.Chmod(0o644) // lists are public
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(f.Dir, name+".crl"))
}

// Read reads the lists at a place: every *.crl of a folder, one file, or what an http address gives.
// [os.ErrNotExist] when there is no such folder or file; an empty folder has no lists and is no error.
func Read(ctx context.Context, place string) ([]*pki.RevocationList, error) {
	if strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://") {
		l, err := fetch(ctx, place)
		if err != nil {
			return nil, fmt.Errorf("published list %s: %w", place, err)
		}
		return []*pki.RevocationList{l}, nil
	}
	info, err := os.Stat(place)
	if err != nil {
		return nil, fmt.Errorf("published lists: %w", err)
	}
	files := []string{place}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(place, "*.crl")); err != nil {
			return nil, fmt.Errorf("published lists: %w", err)
		}
		if len(files) > maxFiles {
			return nil, fmt.Errorf("published lists: %d files in %s", len(files), place)
		}
	}
	var all []*pki.RevocationList
	for _, name := range files {
		l, err := readFile(name)
		if err != nil {
			return nil, fmt.Errorf("published list %s: %w", name, err)
		}
		all = append(all, l)
	}
	return all, nil
}

func readFile(name string) (l *pki.RevocationList, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return read(f)
}

// read reads a list through its bound.
func read(r io.Reader) (*pki.RevocationList, error) {
	der, err := io.ReadAll(io.LimitReader(r, maxList+1))
	if err != nil {
		return nil, err
	}
	if len(der) > maxList {
		return nil, fmt.Errorf("more than %d bytes", maxList)
	}
	return pki.ParseRevocationList(der)
}

func fetch(ctx context.Context, address string) (*pki.RevocationList, error) {
	ctx, cancel := context.WithTimeout(ctx, maxFetched)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Body.Close() }() // read to its end or given up
	if a.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", a.Status)
	}
	return read(a.Body)
}
