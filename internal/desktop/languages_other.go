//go:build !windows && !darwin

package desktop

// Languages are those the person reads the system in: here the environment tells them.
func Languages() []string { return nil }
