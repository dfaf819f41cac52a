package main

import (
	"context"
	"io"
	"os"

	"senim/internal/agent"
	"senim/internal/setup"
)

// trustCommand does the part of install that lets browsers accept the local TLS certificate.
func trustCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := newPlace("trust", stdout)
	show := p.flags.Bool("print", false, "command.flag.trust.print")
	if err := parse(p.flags, args); err != nil {
		return err
	}
	m, err := setup.This(*p.data)
	if err != nil {
		return err
	}
	if err := ownHome(m, false, p.language()); err != nil {
		return err
	}
	path, err := agent.EnsureAuthority(*p.data)
	if err != nil {
		return err
	}
	if *show {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, err = stdout.Write(b)
		return err
	}
	return m.Repair(ctx, setup.Line(stdout, p.language()))
}
