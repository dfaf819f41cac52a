//go:build !windows

package agent

import (
	"os/exec"
	"syscall"
)

// tied has what a program starts for itself end with it: end is for when it ended by itself; when its context ends it is called.
func tied(c *exec.Cmd) (end func()) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	end = func() { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // nobody is left when it fails
	c.Cancel = func() error { end(); return nil }
	return end
}
