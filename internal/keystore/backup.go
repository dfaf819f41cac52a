package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Backup copies a key file into a folder, under its own name, and reads the copy back: it is the same, and
// the password opens it. A copy that stands there already is read back too. Errors beside those of files:
// [ErrPassword]; fs.ErrExist when another file has the name.
func Backup(path, folder, password string) (copied string, err error) {
	content, err := read(path)
	if err != nil {
		return "", err
	}
	if _, err := decode(content, password); err != nil {
		return "", wrongPassword(err)
	}
	if err := CheckFolder(folder); err != nil {
		return "", err
	}
	copied = filepath.Join(folder, filepath.Base(path))
	if err := Create(copied, content, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("write the copy: %w", err)
	}
	back, err := read(copied)
	switch {
	case err != nil:
		return "", fmt.Errorf("read the copy back: %w", err)
	case !bytes.Equal(back, content):
		return "", fs.ErrExist
	}
	if _, err := decode(back, password); err != nil {
		return "", fmt.Errorf("open the copy: %w", err)
	}
	return copied, nil
}
