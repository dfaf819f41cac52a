package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

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

	chosen    choices // at the last install; else the agent's own
	forgotten error   // why they cannot be told
}

func newPlace(name string, stdout io.Writer) *place {
	p := &place{flags: newFlags("senim-agent " + name), stdout: stdout}
	p.data = p.flags.String("data", dataFolder(), "command.flag.data")
	p.listen = p.flags.String("listen", defaultListen, "command.flag.place.listen")
	p.flags.StringVar(&p.tag, "lang", "", "command.flag.lang")
	return p
}

// given tells whether a flag stands in the command line.
func (p *place) given(name string) (is bool) {
	p.flags.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}

// machine reads the flags, and gives the machine they are about, as it was chosen when the agent was installed; what is said now
// goes before that. Choices that cannot be read are no error here, and leave the address at its default.
func (p *place) machine(args []string) (*setup.Machine, error) {
	if err := parse(p.flags, args); err != nil {
		return nil, err
	}
	if err := checkListen(*p.listen); err != nil {
		return nil, err
	}
	m, err := setup.This(*p.data)
	if err != nil {
		return nil, err
	}
	if _, p.forgotten = m.Recall(); p.forgotten == nil {
		p.forgotten = p.chosen.read("senim-agent", m.Arguments)
	}
	if p.forgotten != nil {
		p.forgotten = refuse("command.forgotten", "data", m.Data, "why", inWords(context.Background(), p.language(), p.forgotten)).because(p.forgotten)
	} else if !p.given("listen") {
		*p.listen = p.chosen.listen
	}
	return m, nil
}

// warn says what went wrong and is no reason to stop.
func (p *place) warn(ctx context.Context, stderr io.Writer, err error) {
	_, _ = fmt.Fprintln(stderr, inWords(ctx, p.language(), err))
}

// language is the one asked for, else the system's.
func (p *place) language() lang.Tag {
	return languageOr(p.tag)
}

// installCommand puts the agent on this machine: the person's own parts, or, with --system, those of
// the whole machine. It shows them first and asks.
func installCommand(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	i := &installing{place: newPlace("install", stdout)}
	i.flags.BoolVar(&i.system, "system", false, "command.flag.install.system")
	i.flags.BoolVar(&i.yes, "yes", false, "command.flag.install.yes")
	i.flags.BoolVar(&i.keep, "keep", false, "command.flag.install.keep")
	i.flags.BoolVar(&i.systemd, "systemd", false, "command.flag.install.systemd")
	i.flags.Var(&i.portals, "portal", "command.flag.install.portal")
	if err := parseFlags(i.flags, args); err != nil {
		return err
	}
	if err := i.check(); err != nil {
		return err
	}
	m, err := i.on()
	if err != nil {
		return err
	}
	parts := m.Own()
	if i.system {
		parts = m.System()
	}
	if !i.yes {
		if err := i.consent(parts, stdin); err != nil {
			return err
		}
	}
	if err := i.put(ctx, m, parts); err != nil {
		return err
	}
	return i.say(m, parts)
}

// installing is what is chosen for one install.
type installing struct {
	*place
	portals                    list
	system, yes, keep, systemd bool
}

// check refuses choices that do not go together, and flags the agent would not start with.
func (i *installing) check() error {
	for _, site := range i.portals {
		if err := setup.Portal(site); err != nil {
			return refuse("command.portal", "site", site).because(err)
		}
	}
	if len(i.portals) > 0 && !i.system {
		return refuse("command.portal.system")
	}
	if err := checkListen(*i.listen); err != nil {
		return err
	}
	if err := checkArguments(i.flags.Args()); err != nil {
		return err
	}
	if i.keep && (i.system || i.systemd || i.given("listen") || i.flags.NArg() > 0) {
		return refuse("command.keep")
	}
	return nil
}

// on is the machine with what was chosen, when something may be put there.
func (i *installing) on() (*setup.Machine, error) {
	m, err := setup.This(*i.data)
	if err != nil {
		return nil, err
	}
	m.Arguments, m.Portals, m.Systemd = i.flags.Args(), i.portals, i.systemd
	if i.given("listen") {
		m.Arguments = append([]string{"--listen", *i.listen}, m.Arguments...)
	}
	if *i.data != dataFolder() {
		m.Arguments = append([]string{"--data", m.Data}, m.Arguments...)
	}
	if i.keep {
		if _, err := m.Recall(); err != nil {
			return nil, err
		}
	}
	t := i.language()
	if m.Translocated() {
		return nil, &told{text: t.Text("setup.found.translocated", "where", m.Program) + "\n" + t.Text("setup.do.translocated")}
	}
	return m, ownHome(m, i.system, t)
}

// put puts the parts, takes away what another choice put before, and writes the choice down.
func (i *installing) put(ctx context.Context, m *setup.Machine, parts []setup.Part) error {
	if !i.system { // as administrator no authority is made: it would be the administrator's
		if _, err := agent.EnsureAuthority(m.Data); err != nil {
			return err
		}
		if _, err := agent.RenewAuthority(m.Data); err != nil {
			return err
		}
	}
	line := setup.Line(i.stdout, i.language())
	failed := errors.Join(setup.Put(ctx, parts, line), setup.Take(ctx, m.Left(i.system), line))
	if !i.system {
		failed = errors.Join(failed, m.Remember())
	}
	return failed
}

// say tells that all is there, and what is left to do.
func (i *installing) say(m *setup.Machine, parts []setup.Part) error {
	t := i.language()
	for _, part := range parts {
		if part.Kind() == "mac-profile" {
			_, err := fmt.Fprintln(i.stdout, t.Text("setup.install.profile", "path", part.Where()))
			return err
		}
	}
	_, err := fmt.Fprintln(i.stdout, t.Text("setup.install.done"))
	if err == nil && !i.system && len(m.System()) > 0 {
		_, err = fmt.Fprintln(i.stdout, t.Text("setup.install.system", "command", asAdministrator(m, "install")))
	}
	return err
}

// ownHome refuses an administrator who is about to change what is another person's own.
func ownHome(m *setup.Machine, system bool, t lang.Tag) error {
	if system {
		return nil
	}
	err := m.OwnHome()
	if errors.Is(err, setup.ErrOthersHome) {
		return &told{text: t.Text("setup.home")}
	}
	return err
}

// asAdministrator is the command for the machine's part. The data folder is in it: an administrator has another.
func asAdministrator(m *setup.Machine, command string) string {
	line := fmt.Sprintf("%q %s --system --data %q", m.Program, command, m.Data)
	if m.OS == "windows" {
		return line
	}
	return "sudo " + line
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
	return &told{text: t.Text("setup.install.refused")}
}

// uninstallCommand takes away all that install put there.
func uninstallCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := newPlace("uninstall", stdout)
	system := p.flags.Bool("system", false, "command.flag.uninstall.system")
	pending := p.flags.Bool("with-pending", false, "command.flag.uninstall.with-pending")
	everyone := p.flags.Bool("everyone", false, "command.flag.uninstall.everyone")
	whole := p.flags.Bool("whole", false, "command.flag.uninstall.whole")
	m, err := p.machine(args)
	if err != nil {
		return err
	}
	if *everyone && !*system {
		return refuse("command.everyone")
	}
	m.Everyone = *everyone
	t := p.language()
	if *system {
		return uninstallSystem(ctx, m, stdout, t)
	}
	if err := ownHome(m, *system, t); err != nil {
		return err
	}
	if *whole {
		switch left, err := m.SystemLeft(ctx); {
		case err != nil:
			return err
		case left:
			return &told{text: t.Text("setup.uninstall.system", "command", asAdministrator(m, "uninstall"))}
		}
	}
	if p.forgotten != nil {
		p.warn(ctx, stderr, p.forgotten) // taking away goes by names, not by what was chosen
	}
	return p.uninstallOwn(ctx, m, *pending)
}

// uninstallOwn takes the person's part away. Nothing is, while an agent or a window of one works with its folder, wherever that listens.
func (p *place) uninstallOwn(ctx context.Context, m *setup.Machine, pending bool) error {
	t := p.language()
	waiting := func() error {
		if pending {
			return nil
		}
		n, err := m.Pending()
		if err != nil || n == 0 {
			return err
		}
		return &told{text: t.Text("setup.uninstall.pending", "n", n)}
	}
	if err := waiting(); err != nil { // a refusal ends no agent
		return err
	}
	if err := p.stop(ctx, m, true); err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, letsGo)
	defer cancel()
	left := false
	err := m.Erase(soon, setup.Erasing{Pending: pending, Keychain: keystore.SystemKeychain(), Before: func() (err error) {
		if err := setup.Take(ctx, append(m.Own(), m.Left(false)...), setup.Line(p.stdout, t)); err != nil {
			return err // the data stay: they say what there is to take away
		}
		left, err = m.SystemLeft(ctx)
		return err
	}})
	switch {
	case errors.Is(err, setup.ErrPending):
		return cmp.Or(waiting(), err)
	case errors.Is(err, keystore.ErrInUse):
		return &told{text: t.Text("setup.uninstall.busy")}
	case err != nil:
		return err
	case left:
		_, err = fmt.Fprintln(p.stdout, t.Text("setup.uninstall.system", "command", asAdministrator(m, "uninstall")))
	default:
		_, err = fmt.Fprintln(p.stdout, t.Text("setup.uninstall.done"))
	}
	return err
}

// letsGo is how long an agent that was stopped may take to let its folder go.
const letsGo = 5 * time.Second

// uninstallSystem takes away the whole machine's part. What Firefox imported by its policy is each person's.
func uninstallSystem(ctx context.Context, m *setup.Machine, stdout io.Writer, t lang.Tag) error {
	line, policy := setup.Line(stdout, t), false
	err := setup.Take(ctx, append(m.System(), m.Left(true)...), func(p setup.Part, s setup.State, err error) {
		policy = policy || p.Kind() == "firefox-policy" && err == nil // it was there
		line(p, s, err)
	})
	if policy {
		_, _ = fmt.Fprintln(stdout, t.Text("setup.uninstall.firefox"))
	}
	return err
}
