package keystore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// LockFile is the name of the file in a folder by which a process holds it.
const LockFile = "lock"

// ErrInUse says that another process holds the folder.
var ErrInUse = errors.New("another agent works with this folder")

// Lock takes a folder for this process until unlock, which the system also does when the process ends in any
// way. What lies there is written whole each time, so two who write would lose each other's keys. [ErrInUse] when it
// is held, by another process or by this one.
func Lock(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, LockFile)
	if made, err := createNew(path, 0o600); err == nil { // others could hold one that they can open
		_ = made.Close()
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the folder: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the folder: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil // closing lets go
}
