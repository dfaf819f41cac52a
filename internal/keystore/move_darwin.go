package keystore

import (
	"os"

	"golang.org/x/sys/unix"
)

// moveExclusive renames a file unless the name is taken (fs.ErrExist); file systems may not know how.
func moveExclusive(from, to string) error {
	if err := unix.RenamexNp(from, to, unix.RENAME_EXCL); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
