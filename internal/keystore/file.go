package keystore

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// fault is called between the steps of writing a file; tests kill the program there.
var fault = func(string) {}

// Unfinished begins the names of files that are being written, beside the one they become.
const Unfinished = ".new-"

// Replace is [ReplaceAs] with mode 0600.
func Replace(path string, content []byte) error { return ReplaceAs(path, content, 0o600) }

// ReplaceAs puts a file in its place in one step, down to the disk: whoever reads sees the old content
// or the new, never a part.
func ReplaceAs(path string, content []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	temporary := filepath.Join(dir, Unfinished+rand.Text())
	f, err := createNew(temporary, mode)
	if err != nil {
		return err
	}
	if err = errors.Join(f.Chmod(mode), fill(f, content)); err == nil { // whatever the process's mask
		fault("replace: written")
		err = rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, remove(temporary))
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

// MakeFolder makes a folder that only the person may look into, and those above it. One that is there is left as it is.
func MakeFolder(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	if err := makePrivate(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.MkdirAll(dir, 0o700) // what is there is a folder, also when two made it
}
