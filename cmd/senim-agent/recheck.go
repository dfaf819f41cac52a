package main

import (
	"context"
	"log/slog"

	"senim/internal/setup"
)

// recheck puts the authority into browser profiles that were made since the agent was installed, while
// the agent serves already. done waits for it.
func recheck(ctx context.Context, data string, log *slog.Logger) (done func()) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		m, err := setup.This(data)
		if err == nil {
			err = m.Recheck(ctx, func(setup.Part, setup.State, error) {})
		}
		if err != nil {
			log.Warn("not every browser trusts the agent; senim-agent doctor says more") // the error names paths
		}
	}()
	return func() { cancel(); <-over }
}
