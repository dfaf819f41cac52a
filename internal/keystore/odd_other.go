//go:build !windows

package keystore

func odd(string) bool { return false }
