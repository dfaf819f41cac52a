//go:build unix

package keystore

import (
	"errors"
	"io/fs"
	"os"
)

// createNew makes a file that must not exist.
func createNew(path string, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// Nameless makes a file in a folder that has no name there and is gone when it is closed, also by a kill.
func Nameless(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".large-*") // mode 0600
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// makePrivate makes one folder for the person alone.
func makePrivate(dir string) error { return os.Mkdir(dir, 0o700) }

// Private tells whether nobody but the person, and the system's administrators, may read a file or folder.
func Private(path string) (bool, error) {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o077 == 0, err
}
