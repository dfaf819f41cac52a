//go:build !windows

package keystore

import "os"

// rename gives a file its name in one step; what had the name is gone.
func rename(from, to string) error { return os.Rename(from, to) }

// remove deletes a file.
func remove(path string) error { return os.Remove(path) }
