// Senimd is the server of Senim: the certification authority, its personal cabinet, the portal of
// e-invoice participants, the responder, and the demo's mail box, in one process.
//
//	senimd [serve] [flags]   open the installation in -data, making it when the folder is empty
//	senimd demo [flags]      the same with the signing agent and a tour for a person to walk
//	senimd registry …        check a batch of the registry, lay it into the inbox, say what became of it
//
// The first start in an empty folder makes the authorities, a trust folder and, with -cast, a
// registry with test people and companies. A folder with anything unknown in it is refused: a wrong
// path must not start a second authority. See -help for the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := program{stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	err := p.run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "senimd:", err)
		os.Exit(1)
	}
}

// program is the server as a value: where it writes and what time it is.
type program struct {
	stdout, stderr io.Writer
	now            func() time.Time
}

func (p program) run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "registry" {
		return p.registryCommand(ctx, args[1:])
	}
	command, c, err := parse(args, p.stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	// The log's library has a logger of its own: what it warns of goes where ours goes.
	klog.SetSlogLogger(slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	s, err := open(ctx, c, p.now, log)
	if err != nil {
		return err
	}
	defer s.close()
	if command == "demo" {
		return p.demo(ctx, s)
	}
	return s.serve(ctx, func() { s.announce(p.stdout) })
}

// site is one HTTP server on its listener.
type site struct {
	name    string
	at      net.Listener
	handler http.Handler
}

// serve runs every site and the jobs until ctx ends or one of them fails; ready is called when
// all of them answer.
func (s *server) serve(ctx context.Context, ready func()) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, one := range s.sites {
		web := &http.Server{Handler: one.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
			ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
		g.Go(func() error {
			if err := web.Serve(one.at); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", one.name, err)
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			// The end of ctx is why we stop; the last answers get a little time of their own.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			return web.Shutdown(last)
		})
	}
	for _, run := range s.background {
		g.Go(func() error { return run(ctx) })
	}
	g.Go(func() error {
		switch err := s.start(ctx); {
		case err == nil:
			ready()
		case ctx.Err() == nil: // told to stop while starting is no failure
			return err
		}
		return nil
	})
	return g.Wait()
}
