//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// lock keeps other calls out while one changes the notes, by a file that one makes and removes.
func lock(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, &hinted{errors.New("another senim is working on the notes of these keys"), "wait until it is done; if none runs, remove " + path}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, plain(err))
	}
	return func() { _, _ = f.Close(), os.Remove(path) }, nil
}
