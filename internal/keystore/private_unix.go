//go:build unix

package keystore

import (
	"io/fs"
	"os"
)

// createNew makes a file that must not exist.
func createNew(path string, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

// makePrivate makes one folder for the person alone.
func makePrivate(dir string) error { return os.Mkdir(dir, 0o700) }

// Private tells whether nobody but the person, and the system's administrators, may read a file or folder.
func Private(path string) (bool, error) {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o077 == 0, err
}
