// Senimd is the server of Senim: the certification authority, its personal cabinet, the portal of
// e-invoice participants, the responder, and the demo's mail box, in one process.
//
//	senimd [serve] [flags]   open the installation in -data, making it when the folder is empty
//	senimd demo [flags]      the same with the signing agent and a tour for a person to walk
//	senimd registry …        check a batch of the registry, lay it into the inbox, say what became of it
//
// The first start in an empty folder makes the authorities, a trust folder and, with -cast, a
// registry with test people and companies. A folder with anything unknown in it is refused: a wrong
// path must not start a second authority. See --help for the commands and their flags. It exits with 0 when it
// was told to stop, 1 when it could not go on, 2 when the command is misused.
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
	"path/filepath"
	"runtime"
	"slices"
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
	os.Exit(p.status(err))
}

// Exit statuses.
const (
	statusGood   = 0
	statusFailed = 1
	statusMisuse = 2
)

// misuse is an error in the command line; see says where to read how it goes.
type misuse struct {
	error
	see string
}

func (m *misuse) Unwrap() error { return m.error }

// status tells the person at the terminal of an error, and says what the program exits with.
func (p program) status(err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return statusGood
	}
	_, _ = fmt.Fprintln(p.stderr, "senimd:", err)
	if m, ok := errors.AsType[*misuse](err); ok {
		_, _ = fmt.Fprintln(p.stderr, "hint:", m.see)
		return statusMisuse
	}
	return statusFailed
}

const about = `Senimd is the server of Senim: authority, personal cabinet, portal, responder.

  senimd [serve] [FLAGS]     open the installation in -data and serve it; in an empty folder the first start makes it
  senimd demo [FLAGS]        the same with test people, the signing agent and a tour to walk
  senimd registry COMMAND    check a batch of the registry, lay it into the inbox, say what became of it
  senimd version             the version, with the revision it was built from
  senimd help [COMMAND]      this text, or the flags of a command, as senimd COMMAND --help gives them

Without a command it serves. doc/operator.md explains every flag. Exit status: 0 told to stop, 1 could not go on,
2 the command is misused.
`

const aboutRegistry = `  senimd registry check [FLAGS] PATH    read a batch, a folder or a zip, and list the rows that would be refused; no server is needed
  senimd registry load [FLAGS] PATH     lay a batch into the inbox of the installation
  senimd registry status [FLAGS]        list the newest batches and what became of them

The flags are those of senimd serve (-data says which installation).
`

// help answers what only asks about the program, and says whether it was that.
func (p program) help(args []string) (asked bool, err error) {
	if len(args) == 0 {
		return false, nil
	}
	say := func(text string) (bool, error) {
		_, err := io.WriteString(p.stdout, text)
		return true, err
	}
	first, rest := args[0], args[1:]
	switch first {
	case "version", "-version", "--version":
		return say(fmt.Sprintf("senimd %s, %s, %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH))
	case "help", "-h", "-help", "--help":
		if len(rest) == 0 {
			return say(about)
		}
		if rest[0] == "registry" {
			return say(aboutRegistry)
		}
		_, _, err := parse([]string{rest[0], "-help"}, p.stdout)
		return true, err
	case "registry":
		if len(rest) > 0 && slices.Contains([]string{"help", "-h", "-help", "--help"}, rest[len(rest)-1]) {
			return say(aboutRegistry)
		}
	}
	return false, nil
}

// program is the server as a value: where it writes and what time it is.
type program struct {
	stdout, stderr io.Writer
	now            func() time.Time
}

func (p program) run(ctx context.Context, args []string) error {
	if asked, err := p.help(args); asked {
		return err
	}
	if len(args) > 0 && args[0] == "registry" {
		return p.registryCommand(ctx, args[1:])
	}
	command, c, err := parse(args, p.stdout)
	if err != nil {
		return err
	}
	logs := p.logTo
	if command == "demo" {
		file := &lateFile{path: filepath.Join(c.data, demoLog)}
		defer func() { _ = file.Close() }() // of the last lines of a log
		logs = p.demoLogTo(file)
	}
	// The log's library has a logger of its own: what it warns of goes where ours goes.
	klog.SetSlogLogger(slog.New(logs(slog.LevelWarn)))
	if command == "demo" {
		p.welcome(c)
	}
	s, err := open(ctx, c, p.now, slog.New(logs(slog.LevelInfo)))
	if err != nil {
		return err
	}
	defer s.close()
	if command == "demo" {
		return p.demo(ctx, s)
	}
	return s.serve(ctx, func() { s.announce(p.stdout) })
}

// logTo is the log of a server, from a level on.
func (p program) logTo(from slog.Level) slog.Handler {
	return slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: from})
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
