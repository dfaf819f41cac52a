package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"senim/internal/agent"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/setup"
)

// place is what install, uninstall and doctor have in common.
type place struct {
	flags  *flag.FlagSet
	data   *string
	listen *string
	tag    string
	stdout io.Writer
}

func newPlace(name string, stdout, stderr io.Writer) *place {
	p := &place{flags: flag.NewFlagSet("senim-agent "+name, flag.ContinueOnError), stdout: stdout}
	p.flags.SetOutput(stderr)
	p.data = p.flags.String("data", dataFolder(), "`folder` of the agent's own files")
	p.listen = p.flags.String("listen", defaultListen, "`address` of the agent")
	p.flags.StringVar(&p.tag, "lang", "", "kk, ru or en; default: the system's")
	return p
}

// machine reads the flags, and gives the machine they are about.
func (p *place) machine(args []string) (*setup.Machine, error) {
	if err := p.flags.Parse(args); err != nil {
		return nil, err
	}
	return setup.This(*p.data)
}

// language is the one asked for, else the system's.
func (p *place) language() lang.Tag {
	if t, ok := lang.Parse(p.tag); ok {
		return t
	}
	return systemLanguage()
}

func systemLanguage() lang.Tag {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if t, ok := lang.Parse(strings.ToLower(v[:min(2, len(v))])); ok {
				return t
			}
			break
		}
	}
	return lang.RU
}

// installCommand puts the agent on this machine: the person's own parts, or, with --system, those of
// the whole machine. It shows them first and asks.
func installCommand(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	p := newPlace("install", stdout, stderr)
	var portals list
	system := p.flags.Bool("system", false, "the whole machine's parts, as administrator: the system's list of certificates, every Firefox, browsers' policies")
	yes := p.flags.Bool("yes", false, "do not ask")
	systemd := p.flags.Bool("systemd", false, "start by the person's systemd and not by the desktop")
	p.flags.Var(&portals, "portal", "`site` that browsers let reach the agent unasked, by their policy (https://host or [*.]domain); may be repeated, goes with --system")
	if err := p.flags.Parse(args); err != nil {
		return err
	}
	for _, site := range portals {
		if err := setup.Portal(site); err != nil {
			return err
		}
	}
	if len(portals) > 0 && !*system {
		return errors.New("--portal goes with --system: browsers' policies are the administrator's")
	}
	if err := checkArguments(p.flags.Args()); err != nil {
		return fmt.Errorf("the agent's own flags: %w", err)
	}
	m, err := setup.This(*p.data)
	if err != nil {
		return err
	}
	m.Arguments, m.Portals, m.Systemd = p.flags.Args(), portals, *systemd
	if *p.data != dataFolder() {
		m.Arguments = append([]string{"--data", m.Data}, m.Arguments...)
	}
	t := p.language()
	parts := m.Own()
	if *system {
		parts = m.System()
	}
	if !*yes {
		if err := p.consent(parts, stdin); err != nil {
			return err
		}
	}
	if !*system {
		if _, err := agent.EnsureAuthority(*p.data); err != nil { // as administrator nothing is made: it would be the administrator's
			return err
		}
	}
	line := setup.Line(stdout, t)
	failed := errors.Join(setup.Put(ctx, parts, line), setup.Take(ctx, m.Left(*system), line))
	if !*system {
		failed = errors.Join(failed, m.Remember())
	}
	if failed != nil {
		return failed
	}
	_, err = fmt.Fprintln(stdout, t.Text("setup.install.done"))
	if err == nil && !*system && len(m.System()) > 0 {
		_, err = fmt.Fprintln(stdout, t.Text("setup.install.system", "command", fmt.Sprintf("sudo %q install --system --data %q", m.Program, m.Data)))
	}
	return err
}

// consent shows what is going to be put and asks; without an answer nothing is.
func (p *place) consent(parts []setup.Part, stdin io.Reader) error {
	t := p.language()
	if _, err := fmt.Fprintln(p.stdout, t.Text("setup.install.plan")); err != nil {
		return err
	}
	for _, part := range parts {
		_, _ = fmt.Fprintf(p.stdout, "  %s: %s\n", t.Text("setup.part."+part.Kind()), part.Where())
	}
	_, _ = fmt.Fprint(p.stdout, t.Text("setup.install.ask"))
	if agreed(stdin, p.stdout) {
		return nil
	}
	return errors.New(t.Text("setup.install.refused"))
}

// uninstallCommand takes away all that install put there.
func uninstallCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := newPlace("uninstall", stdout, stderr)
	system := p.flags.Bool("system", false, "the whole machine's parts, as administrator")
	pending := p.flags.Bool("with-pending", false, "also when keys wait for their certificates: they are lost")
	m, err := p.machine(args)
	if err != nil {
		return err
	}
	t := p.language()
	line := setup.Line(stdout, t)
	if *system {
		return setup.Take(ctx, append(m.System(), m.Left(true)...), line)
	}
	if _, err := m.Recall(); err != nil {
		_, _ = fmt.Fprintln(stderr, err) // taking away goes by names, not by what was chosen
	}
	if n, err := m.Pending(); !*pending && (err != nil || n > 0) {
		if err != nil {
			return err
		}
		return errors.New(t.Text("setup.uninstall.pending", "n", n))
	}
	if err := stop(ctx, *p.listen); err != nil {
		return err
	}
	if err := setup.Take(ctx, append(m.Own(), m.Left(false)...), line); err != nil {
		return err // the data stay: they say what there is to take away
	}
	left, err := m.SystemLeft(ctx)
	if err != nil {
		return err
	}
	if err := agent.ForgetSecrets(*p.data, keystore.SystemKeychain()); err != nil {
		return err // the data stay: they say what the keychain still has
	}
	if err := m.Erase(*pending); err != nil {
		return err
	}
	if left {
		_, err := fmt.Fprintln(stdout, t.Text("setup.uninstall.system", "command", fmt.Sprintf("sudo %q uninstall --system", m.Program)))
		return err
	}
	_, err = fmt.Fprintln(stdout, t.Text("setup.uninstall.done"))
	return err
}
