package keystore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// moveExclusive renames a file unless the name is taken (fs.ErrExist).
func moveExclusive(from, to string) error { return move(from, to, windows.MOVEFILE_WRITE_THROUGH) }

// rename gives a file its name in one step, down to the disk; what had the name is gone. A mark "read-only", as files
// copied from a disc have, keeps nobody from replacing a file on other systems, and does not here.
func rename(from, to string) error {
	name, err := windows.UTF16PtrFromString(long(to))
	if err != nil {
		return err
	}
	if attributes, err := windows.GetFileAttributes(name); err == nil && attributes&windows.FILE_ATTRIBUTE_READONLY != 0 && attributes&windows.FILE_ATTRIBUTE_DIRECTORY == 0 {
		if err := windows.SetFileAttributes(name, attributes&^windows.FILE_ATTRIBUTE_READONLY); err != nil {
			return &os.PathError{Op: "rename", Path: to, Err: err}
		}
	}
	return move(from, to, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
}

func move(from, to string, flags uint32) error {
	old, err := windows.UTF16PtrFromString(long(from))
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(long(to))
	if err != nil {
		return err
	}
	if err := patiently(func() error { return windows.MoveFileEx(old, name, flags) }); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// remove deletes a file.
func remove(path string) error { return patiently(func() error { return os.Remove(path) }) }

// patience is how long a file that somebody has open is waited for: a virus scanner, an index or a copy of the agent
// reads it for a moment, and as long neither its name nor the file may go.
const patience = time.Second

func patiently(act func() error) error {
	for begun, pause := time.Now(), time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := act()
		held := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_LOCK_VIOLATION)
		if !held || time.Since(begun) > patience {
			return err
		}
		time.Sleep(pause)
	}
}

// long is a path as calls of the system take it at any length: they stop at 260 otherwise.
func long(path string) string {
	if len(path) < 240 || !filepath.IsAbs(path) || strings.HasPrefix(path, `\\`) {
		return path
	}
	return `\\?\` + filepath.Clean(path)
}
