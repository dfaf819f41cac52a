package keystore

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Create puts a new file in its place in one step, down to the disk: whoever reads sees nothing or
// the whole, and a file that stands there is never touched (fs.ErrExist). Where the file system has
// no links the name is taken first, and a kill can leave a short file.
func Create(path string, content []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	dir := filepath.Dir(path)
	temporary := filepath.Join(dir, ".new-"+rand.Text())
	if err := createPlain(temporary, content, mode); err != nil {
		return err
	}
	fault("create: written")
	err := os.Link(temporary, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = createPlain(path, content, mode)
	}
	fault("create: linked")
	if removed := os.Remove(temporary); err == nil {
		err = removed
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// createPlain writes a file that must not exist; when that fails half-way it goes again.
func createPlain(path string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if err := fill(f, content); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
