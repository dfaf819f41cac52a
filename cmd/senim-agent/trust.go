package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"senim/internal/agent"
	"senim/internal/setup"
)

// trustCommand does the part of install that lets browsers accept the local TLS certificate.
func trustCommand(ctx context.Context, args []string, stdout io.Writer) error {
	p := newPlace("trust", stdout)
	show := p.flags.Bool("print", false, "command.flag.trust.print")
	if err := parse(p.flags, args); err != nil {
		return err
	}
	m, err := setup.This(*p.data)
	if err != nil {
		return err
	}
	if *show { // a folder that is misspelt has none, and gets none
		b, err := os.ReadFile(filepath.Join(m.Data, agent.AuthorityFile))
		if errors.Is(err, fs.ErrNotExist) {
			err = refuse("command.trust.none", "data", m.Data).because(err)
		}
		if err == nil {
			_, err = stdout.Write(b)
		}
		return err
	}
	if err := ownHome(m, false, p.language()); err != nil {
		return err
	}
	if _, err := agent.EnsureAuthority(*p.data); err != nil {
		return err
	}
	return m.Repair(ctx, setup.Line(stdout, p.language()))
}
