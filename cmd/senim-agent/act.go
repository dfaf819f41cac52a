package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"senim/internal/agent"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/setup"
)

// errClosed says that the person closed the window.
var errClosed = errors.New("the window was closed: nothing was done")

// actCommand opens the window of an act: in the agent that runs, which knows the keys opened already; else
// in one of its own, for as long as the window is open. While another process holds the folder it waits.
func actCommand(ctx context.Context, act agent.Act, args []string, stdout, stderr io.Writer) error {
	c, err := configuration("senim-agent "+string(act), asInstalled(ctx, args, stderr), stdout, stderr)
	if err != nil {
		return err
	}
	tag := c.language()
	if setup.Probe(ctx, c.Listen).State == "ours" { // where its window is, that agent's own output says, if it has no browser
		_, _ = fmt.Fprintln(stderr, tag.Text("command.act.running", "address", c.Listen))
	}
	said, ok, err := do(ctx, c, act, tag)
	for told := false; errors.Is(err, keystore.ErrInUse); told = true { // it is just starting, or an act has a window open
		if !told {
			_, _ = fmt.Fprintln(stderr, tag.Text("setup.busy"))
		}
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		said, ok, err = do(ctx, c, act, tag)
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return errClosed
	}
	_, err = fmt.Fprintln(stdout, said)
	return err
}

// asInstalled puts what was chosen at install, in the folder that is meant, before what is said now.
func asInstalled(ctx context.Context, args []string, stderr io.Writer) []string {
	var said choices
	if said.read("senim-agent", args) != nil {
		return args // the mistake is told where they are read
	}
	m, err := setup.This(said.data)
	if err == nil {
		_, err = m.Recall()
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, inWords(ctx, said.language(), err))
		return args
	}
	return append(m.Arguments[:len(m.Arguments):len(m.Arguments)], args...)
}

// do has the agent that runs open the window, or opens it here.
func do(ctx context.Context, c settings, act agent.Act, tag lang.Tag) (said string, ok bool, err error) {
	said, ok, err = agent.AskRunning(ctx, c.Listen, act, tag)
	switch {
	case errors.Is(err, agent.ErrNoCabinet):
		return "", false, refuse("command.no-cabinet.running", "address", c.Listen).because(err)
	case !errors.Is(err, agent.ErrNotRunning):
		return said, ok, err
	}
	a, err := agent.New(c.Config)
	if err != nil {
		return "", false, err
	}
	return a.Do(ctx, act, tag)
}
