package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

type version struct{}

// Help is what --help adds.
func (*version) Help() string {
	return `Name it in a report of a fault. senim --version prints the same; senimd and senim-agent have versions of their own.

  senim version`
}

func (*version) run(_ context.Context, p *program) error {
	if _, err := fmt.Fprintln(p.Stdout, built()); err != nil {
		return fmt.Errorf("write the version: %w", err)
	}
	return nil
}

// built is the version of the program, with the revision it was built from.
func built() string {
	v := "unknown"
	if b, ok := debug.ReadBuildInfo(); ok {
		v = b.Main.Version
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
				v += " " + s.Key[len("vcs."):] + " " + s.Value
			}
		}
	}
	return fmt.Sprintf("senim %s, %s, %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
