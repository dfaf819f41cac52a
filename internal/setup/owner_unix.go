//go:build unix

package setup

import (
	"os"
	"syscall"
)

// trusted tells whether a file is an administrator's, or of who runs this.
func trusted(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int64(stat.Uid) == int64(os.Geteuid()))
}
