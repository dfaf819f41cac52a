package keystore

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Create puts a new file in its place in one step, down to the disk: whoever reads sees nothing or
// the whole, and a file that stands there is never touched (fs.ErrExist). Where the file system can neither
// link nor move so, a kill can leave a short file, which the next Create of that name takes away.
func Create(path string, content []byte, mode fs.FileMode) error {
	if err := mend(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	dir := filepath.Dir(path)
	temporary := filepath.Join(dir, Unfinished+rand.Text())
	if err := createPlain(temporary, content, mode); err != nil {
		return err
	}
	fault("create: written")
	err := settle(temporary, path, content, mode, fault)
	fault("create: settled")
	if removed := remove(temporary); err == nil && !errors.Is(removed, fs.ErrNotExist) {
		err = removed
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// createPlain writes a file that must not exist; when that fails half-way it goes again.
func createPlain(path string, content []byte, mode fs.FileMode) error {
	f, err := createNew(path, mode)
	if err != nil {
		return err
	}
	if err := fill(f, content); err != nil {
		return errors.Join(err, remove(path))
	}
	return nil
}
