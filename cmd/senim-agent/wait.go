package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"senim/internal/agent"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/setup"
)

// bind takes the port, and the agent's folder. One that another program has is explained: by an error, or, with wait,
// by a notice that show puts before the person, and then it is tried every second until the other program has quit.
// Nothing is ever ended.
func bind(ctx context.Context, a *agent.Agent, address string, wait bool, t lang.Tag, stderr io.Writer, show func(setup.Finding) (hide func())) error {
	err := a.Listen()
	switch {
	case errors.Is(err, keystore.ErrInUse): // an act has a window open: nothing a person need be shown
		if !wait {
			return err
		}
		if _, err := fmt.Fprintln(stderr, t.Text("setup.busy")); err != nil {
			return err
		}
		return again(ctx, a)
	case !agent.Taken(err):
		return err
	}
	if answer := setup.Probe(ctx, address); answer.State == "ours" {
		return &already{t.Text("setup.already", "address", address, "version", answer.Version)}
	}
	f := setup.PortTaken(portOf(address))
	if !wait {
		return &told{f.Found(t) + "\n" + f.Do(t), err}
	}
	if _, err := fmt.Fprintln(stderr, f.Found(t)+"\n"+t.Text("setup.wait")); err != nil {
		return err
	}
	hide := show(f)
	defer hide()
	return again(ctx, a)
}

// portOf is the port of an address; 0 when it has none.
func portOf(address string) int {
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return port
}

// again tries every second until port and folder are free.
func again(ctx context.Context, a *agent.Agent) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := a.Listen(); err == nil || !agent.Taken(err) && !errors.Is(err, keystore.ErrInUse) {
			return err
		}
	}
}

// already ends a second agent: the first one serves.
type already struct{ text string }

func (a *already) Error() string { return a.text }
