package agent

import "os/exec"

// tied leaves a program as it is: here browsers themselves end with their first process what they started.
func tied(*exec.Cmd) (end func()) { return func() {} }
