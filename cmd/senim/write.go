package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"senim/internal/keystore"
)

// Modes of files that are written: a signature is made to be given to others, a key is not.
const (
	modePublic fs.FileMode = 0o644
	modeSecret fs.FileMode = 0o600
)

// free refuses the name of a file that is there, before any work is done for it.
func (p *program) free(name string) error {
	if _, err := os.Lstat(p.path(name)); err == nil {
		return exists(name)
	}
	return nil
}

// write makes a new file, whole or not at all, and never touches one that is there.
func (p *program) write(name string, data []byte) error {
	return p.writeMode(name, data, modePublic)
}

func (p *program) writeMode(name string, data []byte, mode fs.FileMode) error {
	err := keystore.Create(p.path(name), data, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return exists(name)
	case err != nil:
		return fmt.Errorf("write %s: %w", name, plain(err))
	}
	return nil
}

func exists(name string) error {
	return &hinted{fmt.Errorf("write %s: the file exists", name), "nothing is overwritten: choose another --out, or move the file away"}
}

// said puts what was being done before an error; a file that cannot be read has said it already.
func said(what string, err error) error {
	if u, ok := errors.AsType[*unread](err); ok {
		return u
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
