package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"senim/internal/store"
)

// home is the data of an authority of this machine.
type home struct {
	Data    string `required:"" help:"Data folder of senimd." placeholder:"DIR"`
	DB      string `name:"db" help:"Its database when that is elsewhere, as for senimd -db." placeholder:"URL"`
	KeyFile string `help:"Its installation key when that is elsewhere, as for senimd -key-file." placeholder:"FILE"`
}

// open opens the database of an installation that exists: a wrong path makes nothing.
func (c *home) open(ctx context.Context, p *program) (*store.Store, error) {
	dir := p.path(c.Data)
	if _, err := os.Stat(filepath.Join(dir, "installation.json")); err != nil {
		return nil, &hinted{fmt.Errorf("open %s: no installation of senimd is there", c.Data), "--data names its data folder; senimd makes it at its first start"}
	}
	key, err := c.key(p)
	if err != nil {
		return nil, err
	}
	db := c.DB
	if db == "" {
		db = filepath.Join(dir, "senim.db")
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name this machine: %w", err)
	}
	// A chain of records of its own: senimd may be at work under the host's name.
	return store.Open(ctx, store.Config{URL: db, Now: p.Now, Node: host + ".console", Key: key})
}

// key is the installation key.
func (c *home) key(p *program) ([]byte, error) {
	name := c.KeyFile
	if name == "" {
		name = filepath.Join(c.Data, "installation.key")
	}
	b, err := p.private(name, 1<<10)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(b)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("read %s: not an installation key of 64 hex digits", name)
	}
	return key, nil
}

// private reads a secret from a file that nobody else of the machine may read.
func (p *program) private(name string, limit int64) ([]byte, error) {
	if name != "-" {
		if info, err := os.Stat(p.path(name)); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			return nil, &hinted{fmt.Errorf("read %s: others may read it (mode %o)", name, info.Mode().Perm()), "chmod 600 " + name}
		}
	}
	return p.readUpTo(name, limit)
}
