//go:build !unix

package storetest

import (
	"errors"
	"syscall"
)

// unprivileged: a cluster of the tests' own is stopped by a shell that outlives them, which is not everywhere.
func unprivileged(string) (*syscall.SysProcAttr, error) {
	return nil, errors.New("a cluster is started on Unix only")
}

func apart(as *syscall.SysProcAttr) *syscall.SysProcAttr { return as }
