//go:build !windows

package main

// uiLanguages are told by the environment here.
func uiLanguages() []string { return nil }
