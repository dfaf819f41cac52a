//go:build unix

package keystore

import (
	"os"
	"syscall"
)

// unchanged tells whether only an administrator, or with own who runs this, can change a file or put another one into a folder.
func unchanged(path string, _, own bool) (bool, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return false, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid != 0 && (!own || int64(stat.Uid) != int64(os.Geteuid())) {
		return false, nil
	}
	// In a sticky folder, as /tmp, nobody replaces what is another's.
	return info.Mode().Perm()&0o022 == 0 || info.IsDir() && info.Mode()&os.ModeSticky != 0, nil
}
