package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"senim/internal/profile"
	"senim/internal/weakkey"
)

// Bounds of files read whole; the parsers have the same or smaller ones.
const (
	maxProfileFile = 256<<10 + 1
	maxKeyList     = 128<<20 + 1
)

// profiles are the national ones, as the file of -profiles changes them.
func (s *server) profiles() (profile.Set, error) {
	if s.c.profiles == "" {
		return profile.NCA(), nil
	}
	b, err := readAtMost(s.c.profiles, maxProfileFile)
	if err != nil {
		return nil, err
	}
	set, err := profile.Read(b, profile.NCA())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.c.profiles, err)
	}
	return set, nil
}

// compromised reads the list of -compromised-keys each time it is asked.
func (s *server) compromised() func(context.Context) (weakkey.List, error) {
	if s.c.compromised == "" {
		return nil
	}
	return func(context.Context) (weakkey.List, error) {
		b, err := readAtMost(s.c.compromised, maxKeyList)
		if err != nil {
			return nil, err
		}
		l, err := weakkey.ParseList(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.c.compromised, err)
		}
		return l, nil
	}
}

// readAtMost reads a file; what is longer comes cut off, which the parsers refuse.
func readAtMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, most))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}
