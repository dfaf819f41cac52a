package robot

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
)

// Flags are how a program that walks the pages is told what to start.
type Flags struct {
	bin, db string
	verbose bool
}

// Define adds them to the program's own.
func (c *Flags) Define(f *flag.FlagSet) {
	f.StringVar(&c.bin, "bin", "bin", "folder of the built programs")
	f.StringVar(&c.db, "db", "", "postgres://… instead of an SQLite file")
	f.BoolVar(&c.verbose, "v", false, "show what the programs write for operators")
}

// Start starts server and agent in a temporary folder, with further flags of the server; what they write for
// operators goes to errs when it is asked for. Stop ends both and removes the folder.
func (c *Flags) Start(ctx context.Context, errs io.Writer, server ...string) (s *System, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "senim-walk-")
	if err != nil {
		return nil, nil, err
	}
	bin, err := filepath.Abs(c.bin)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	config := Config{Bin: bin, Dir: dir, Server: server}
	if c.verbose {
		config.Log = errs
	}
	if c.db != "" {
		config.Server = append(config.Server, "-db", c.db)
	}
	if s, err = Start(ctx, config); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, func() error { return errors.Join(s.Stop(), os.RemoveAll(dir)) }, nil
}
