//go:build !unix || darwin

package desktop

func session() bool { return true }
