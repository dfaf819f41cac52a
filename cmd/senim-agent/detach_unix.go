//go:build !windows

package main

import (
	"os/exec"
	"syscall"
)

// detach gives a program a session of its own: the end of this terminal is not its end.
func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
