package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// fault is called between the steps of writing a file; tests kill the program there.
var fault = func(string) {}

// Replace is [ReplaceAs] with mode 0600.
func Replace(path string, content []byte) error { return ReplaceAs(path, content, 0o600) }

// ReplaceAs puts a file in its place in one step, down to the disk: whoever reads sees the old content
// or the new, never a part.
func ReplaceAs(path string, content []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	if err = errors.Join(f.Chmod(mode), fill(f, content)); err == nil {
		fault("replace: written")
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// fill writes a file down to the disk and closes it.
func fill(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the names in a folder durable. Systems where a folder cannot be synced say so by an
// error that changes nothing for us.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
