//go:build !linux && !darwin && !windows

package desktop

// Media gives nothing: where media appear here is not known.
func Media() []string { return nil }
