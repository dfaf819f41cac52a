package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"senim/internal/agent"
	"senim/internal/setup"
)

// programs are the names the agent's program has.
var programs = []string{"senim-agent", "senim-agent.exe", "senim-agentw.exe"}

// isProgram tells whether a path is of the agent's program. Linux says that a file is no more when a package has put a
// newer one in its place.
func isProgram(path string) bool {
	name := strings.TrimSuffix(filepath.Base(path), " (deleted)")
	return slices.ContainsFunc(programs, func(p string) bool { return p == name || runtime.GOOS == "windows" && strings.EqualFold(p, name) })
}

// stopCommand ends the person's own agent, and no other program, and says what it did. Nothing to end is no failure: whoever replaces the
// program goes on.
func stopCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := newPlace("stop", stdout)
	m, err := p.machine(args)
	if err != nil {
		return err
	}
	if p.forgotten != nil {
		p.warn(ctx, stderr, p.forgotten)
	}
	t, state := p.language(), setup.Probe(ctx, *p.listen).State
	if err := p.stop(ctx, m, p.given("data")); err != nil {
		return err
	}
	text := t.Text("command.stop.done", "address", *p.listen)
	switch state {
	case "ours":
	case "free":
		text = t.Text("command.stop.nobody", "address", *p.listen)
	default:
		text = m.Agent(ctx, setup.Question{Address: *p.listen, Version: version})[0].Found(t) + "\n" + t.Text("command.stop.left")
	}
	_, err = fmt.Fprintln(stdout, text)
	return err
}

// stop ends the agent at the place's address; whose, with a folder that is meant, only when it works with that one.
func (p *place) stop(ctx context.Context, m *setup.Machine, whose bool) error {
	if whose && setup.Probe(ctx, *p.listen).State == "ours" && !m.Works(ctx, *p.listen) {
		return refuse("command.stop.other", "address", *p.listen, "data", m.Data)
	}
	return stop(ctx, *p.listen)
}

// stop ends the agent at the address and waits until its port is free. What only says that it is an
// agent, and runs from a program of another name or as another user, is left alone.
func stop(ctx context.Context, address string) error {
	state := setup.Probe(ctx, address).State
	if state == "free" {
		return nil
	}
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	h, err := agent.PortHolder(port)
	own := err == nil && h.PID != 0 && !h.OtherUser && isProgram(h.Path)
	switch {
	case own && state == "ours":
	case own || state == "ours": // it hangs, or only says that it is one
		return refuse("command.stop.unknown", "address", address)
	default:
		return nil // another program, or another person's
	}
	process, err := os.FindProcess(h.PID)
	if err != nil {
		return refuse("command.stop.failed", "address", address, "why", err).because(err)
	}
	// From here its number is nobody else's: it is looked whether it was all the time.
	if again, err := agent.PortHolder(port); err != nil || again.PID != h.PID {
		return refuse("command.stop.again", "address", address)
	}
	if runtime.GOOS == "windows" {
		err = process.Kill() // there is no other way between programs there; files are written in one step
	} else {
		err = process.Signal(syscall.SIGTERM)
	}
	if err != nil {
		return refuse("command.stop.failed", "address", address, "why", err).because(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if runtime.GOOS == "windows" && !ended(ctx, process) { // its port is free before its file is, which an installer replaces
		return refuse("command.stop.stays", "address", address)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for setup.Probe(ctx, address).State == "ours" {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return refuse("command.stop.stays", "address", address)
		}
	}
	return nil
}

// ended waits for a process, which on Windows may be anybody's; false when it does not end in time.
func ended(ctx context.Context, process *os.Process) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = process.Wait()
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
