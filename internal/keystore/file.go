package keystore

import (
	"errors"
	"os"
	"path/filepath"
)

// fault is called between the steps of writing a file; tests kill the program there.
var fault = func(string) {}

// Replace puts a file of mode 0600 in its place in one step, down to the disk: whoever reads sees the
// old content or the new, never a part.
func Replace(path string, content []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	if err = fill(f, content); err == nil {
		fault("replace: written")
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// writeNew writes a file of mode 0600 that must not exist (again: or is replaced), down to the disk.
func writeNew(path string, content []byte, again bool) error {
	if again {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return fill(f, content)
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
