package keystore

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// The two ways to give a file its name without ever replacing another. Sticks often have no links, and some
// systems no such move: tests take them away.
var linkFile, moveFile = os.Link, moveExclusive

// settling lets one file at a time come to its name, so that nobody mends what is still being copied.
var settling sync.Mutex

// partOf is where the whole content of a file lies while it is copied to its name. Its being there says that
// a file under that name which is a beginning of it is ours, and was not finished.
func partOf(path string) string {
	return filepath.Join(filepath.Dir(path), ".senim-part-"+filepath.Base(path))
}

// settle gives a temporary file its final name in one step and never replaces another (fs.ErrExist). Where the
// file system can do that neither by a link nor by a move the content is copied: a kill there leaves a short
// file, which [mend] knows again. The temporary file may stay.
func settle(temporary, final string, content []byte, mode fs.FileMode, fault func(string)) error {
	settling.Lock()
	defer settling.Unlock()
	for _, way := range []func(from, to string) error{linkFile, moveFile} {
		if err := way(temporary, final); err == nil || errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if _, err := os.Lstat(final); err == nil {
		return fs.ErrExist
	}
	part := partOf(final)
	if err := rename(temporary, part); err != nil {
		return err
	}
	fault("part kept")
	err := copyExclusive(final, content, mode, fault)
	if removed := remove(part); err == nil {
		err = removed
	}
	return err
}

// copyExclusive writes a file that must not exist, and goes back when that fails half-way.
func copyExclusive(path string, content []byte, mode fs.FileMode, fault func(string)) error {
	f, err := createNew(path, mode)
	if err != nil {
		return err
	}
	fault("name taken")
	half := len(content) / 2
	if _, err = f.Write(content[:half]); err == nil {
		fault("half copied")
		err = fill(f, content[half:])
	} else {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return errors.Join(err, remove(path))
	}
	fault("copied")
	return nil
}

// mend takes away what a kill left of a copy: the file under the name, when it is only the beginning of the
// part that lies beside, and the part. Nothing else is touched.
func mend(path string) error {
	settling.Lock()
	defer settling.Unlock()
	part, err := read(partOf(path))
	if err != nil {
		return nil //nolint:nilerr // nothing of ours lies there
	}
	begun, err := read(path)
	if err == nil && len(begun) < len(part) && bytes.HasPrefix(part, begun) {
		if err := remove(path); err != nil {
			return err
		}
	}
	if err := remove(partOf(path)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
