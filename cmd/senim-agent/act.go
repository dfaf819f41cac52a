package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"senim/internal/agent"
)

// errClosed says that the person closed the window.
var errClosed = errors.New("the window was closed: nothing was done")

// actCommand opens the window of an act: in the agent that runs, which knows the keys opened already; else
// in one of its own, for as long as the window is open.
func actCommand(ctx context.Context, act agent.Act, args []string, stdout, stderr io.Writer) error {
	c, err := configuration("senim-agent "+string(act), args, stdout, stderr)
	if err != nil {
		return err
	}
	tag := systemLanguage()
	said, ok, err := agent.AskRunning(ctx, c.Listen, act, tag)
	if errors.Is(err, agent.ErrNotRunning) {
		var a *agent.Agent
		if a, err = agent.New(c.Config); err == nil {
			said, ok, err = a.Do(ctx, act, tag)
		}
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
