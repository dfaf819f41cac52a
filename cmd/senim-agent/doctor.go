package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"senim/internal/agent"
	"senim/internal/lang"
	"senim/internal/setup"
)

// errUnsound ends doctor and status with a status of its own: everything was said already.
var errUnsound = errors.New("something is wrong")

// doctorCommand finds what keeps pages from the agent and says what to do; with --repair it puts the
// authority where it is missing and looks again.
func doctorCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := newPlace("doctor", stdout)
	repair := p.flags.Bool("repair", false, "command.flag.doctor.repair")
	machine := p.flags.Bool("json", false, "command.flag.doctor.json")
	online := p.flags.Bool("online", false, "command.flag.doctor.online")
	m, err := p.machine(args)
	if err != nil {
		return err
	}
	if p.forgotten != nil {
		p.warn(ctx, stderr, p.forgotten) // found again below
	}
	t := p.language()
	if *repair {
		if err := ownHome(m, false, t); err != nil {
			return err
		}
		if _, err := agent.EnsureAuthority(*p.data); err != nil {
			return err
		}
		if _, err := agent.RenewAuthority(*p.data); err != nil {
			return err
		}
		if err := m.Repair(ctx, setup.Line(stderr, t)); err != nil {
			p.warn(ctx, stderr, err) // found again below
		}
	}
	p.look(m, *online)
	found := m.Doctor(ctx, setup.Question{Address: *p.listen, Version: version})
	if *machine {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		err = e.Encode(found)
	} else {
		err = setup.Report(stdout, t, found)
	}
	if err == nil && !setup.Sound(found) {
		err = errUnsound
	}
	return err
}

// look has the doctor look at what the agent has to do with, as it was chosen when it was installed.
func (p *place) look(m *setup.Machine, online bool) {
	c, err := configuration("senim-agent", m.Arguments, io.Discard, io.Discard)
	c.Data = m.Data
	if c.browser == "" {
		m.TryBrowsers = func(ctx context.Context) ([]agent.Trial, bool) { return agent.TryBrowsers(ctx, m.Data) }
	}
	m.Examine = func(ctx context.Context) ([]agent.Trouble, error) {
		if err != nil {
			return nil, inWords(ctx, p.language(), err)
		}
		var services []string
		if online {
			services = c.services
		}
		return agent.Examine(ctx, c.Config, online, services)
	}
}

// statusCommand says in one line who answers.
func statusCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := newPlace("status", stdout)
	m, err := p.machine(args)
	if err != nil {
		return err
	}
	if p.forgotten != nil {
		p.warn(ctx, stderr, p.forgotten)
	}
	f := m.Agent(ctx, setup.Question{Address: *p.listen, Version: version})[0]
	if _, err := fmt.Fprintln(stdout, f.Found(p.language())); err != nil {
		return err
	}
	if f.Level != setup.Good {
		return errUnsound
	}
	return nil
}

// openCommand shows the agent's own page, and starts the agent when it does not run.
func openCommand(ctx context.Context, args []string, stdout io.Writer) error {
	p := newPlace("open", stdout)
	browser := p.flags.String("browser", "", "command.flag.open.browser")
	m, err := p.machine(args)
	if err != nil {
		return err
	}
	if err := checkBrowser(*browser); err != nil {
		return err
	}
	f, err := p.begin(ctx, m)
	if err != nil {
		return err
	}
	if f.ID != "agent-runs" {
		noticeIn(ctx, *p.data, cmp.Or(*browser, p.chosen.browser), p.language())(f)
		return unsound(stdout, p.language(), f)
	}
	if err := setup.Show(ctx, *p.listen); err != nil {
		return refuse("command.page", "address", *p.listen, "why", err).because(err)
	}
	return nil
}

// startCommand starts the agent when it does not run, and shows no page.
func startCommand(ctx context.Context, args []string, stdout io.Writer) error {
	p := newPlace("start", stdout)
	m, err := p.machine(args)
	if err != nil {
		return err
	}
	f, err := p.begin(ctx, m)
	switch {
	case err != nil:
		return err
	case f.ID == "agent-runs":
		_, err = fmt.Fprintln(stdout, f.Found(p.language()))
		return err
	}
	return unsound(stdout, p.language(), f)
}

func unsound(stdout io.Writer, t lang.Tag, f setup.Finding) error {
	_, _ = fmt.Fprintln(stdout, f.Found(t))
	_, _ = fmt.Fprintln(stdout, f.Do(t))
	return errUnsound
}

// begin starts the agent when it does not run, as it was chosen when it was installed, and finds who answers then.
func (p *place) begin(ctx context.Context, m *setup.Machine) (setup.Finding, error) {
	if p.forgotten != nil {
		return setup.Finding{}, p.forgotten
	}
	q := setup.Question{Address: *p.listen, Version: version}
	f := m.Agent(ctx, q)[0]
	if f.ID != "agent-absent" {
		return f, nil
	}
	if err := checkArguments(m.Arguments); err != nil { // it would end with this, where nobody sees it
		why := inWords(ctx, p.language(), err).Error()
		return setup.Finding{ID: "choices-broken", Level: setup.Bad, Where: m.Data, Vars: []any{"why", why}}, nil
	}
	if err := p.start(m); err != nil {
		return setup.Finding{}, err
	}
	return appear(ctx, m, q), nil
}

// start runs the agent and leaves it: it outlives this command.
func (p *place) start(m *setup.Machine) error {
	args := append([]string{"--wait"}, m.Arguments...)
	if *p.listen != p.chosen.listen {
		args = append(args, "--listen", *p.listen)
	}
	if *p.data != p.chosen.data {
		args = append(args, "--data", m.Data)
	}
	c := exec.Command(m.Program, args...) //nolint:gosec,noctx // ourselves; it outlives this command
	detach(c)
	if err := c.Start(); err != nil {
		return refuse("command.start", "why", err).because(err)
	}
	return c.Process.Release()
}

// appear waits until the agent answers, ten seconds at most.
func appear(ctx context.Context, m *setup.Machine, q setup.Question) setup.Finding {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		f := m.Agent(ctx, q)[0]
		if f.ID != "agent-absent" {
			return f
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return f
		}
	}
}
