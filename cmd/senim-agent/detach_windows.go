package main

import (
	"os/exec"
	"syscall"
)

// detach starts a program without this console.
func detach(c *exec.Cmd) {
	const detached = 0x00000008 // DETACHED_PROCESS
	c.SysProcAttr = &syscall.SysProcAttr{CreationFlags: detached | syscall.CREATE_NEW_PROCESS_GROUP}
}
