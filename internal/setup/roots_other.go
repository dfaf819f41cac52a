//go:build !windows

package setup

func thisRegistry() Registry { return elsewhere{} }
func thisRoots() Roots       { return elsewhere{} }
