//go:build !windows

package setup

func windowsRoots() ([][]byte, error) { return nil, errNoRoots }
