// Tour walks the stories of Senim by itself: it starts the server and the agent as separate
// processes on free ports, goes through the public pages and the agent's windows as a person would,
// and prints every step, letter and verdict. It ends with status 0 when everything went as it should.
//
//	go run ./tour -bin bin
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"senim/internal/robot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tour:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errs io.Writer) (err error) {
	f := flag.NewFlagSet("tour", flag.ContinueOnError)
	f.SetOutput(errs)
	var start robot.Flags
	start.Define(f)
	lang := f.String("lang", "ru", "language of the pages: ru, kk, en")
	if err := f.Parse(args); err != nil {
		return err
	}
	t := &tour{ctx: ctx, out: out, lang: *lang, started: time.Now()}
	t.say("Starting senimd and senim-agent as separate processes, on free ports, in an empty folder")
	var stop func() error
	if t.sys, stop, err = start.Start(ctx, errs, "-clock"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	t.note("cabinet %s · portal %s · responder %s · mail box %s", t.sys.Cabinet, t.sys.Portal, t.sys.Responder, t.sys.Mailbox)
	for _, story := range []func() error{t.renewal, t.staff, t.reregistration, t.year} {
		if err := story(); err != nil {
			return fmt.Errorf("step %d: %w", t.step, err)
		}
	}
	t.say("All stories went as they should, in %s", time.Since(t.started).Round(time.Second))
	return nil
}

// The stories have the letters and names of README.md, which tells them.
const (
	storyA = "Story A, the head of a company changed"
	storyB = "Story B, a key is about to expire"
	storyC = "Story C, the people of a company"
	storyD = "Story D, a year in a minute"
)

// tour is one walk: what is printed, and who walks.
type tour struct {
	ctx     context.Context //nolint:containedctx // one walk is one call; its steps share the context
	out     io.Writer
	sys     *robot.System
	lang    string
	step    int
	started time.Time
}

func (t *tour) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, "\n"+format+"\n", args...)
}

// next numbers and prints a step.
func (t *tour) next(format string, args ...any) {
	t.step++
	_, _ = fmt.Fprintf(t.out, "%3d  %s\n", t.step, fmt.Sprintf(format, args...))
}

func (t *tour) note(format string, args ...any) {
	_, _ = fmt.Fprintf(t.out, "       %s\n", fmt.Sprintf(format, args...))
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 220 {
		return string(r[:220]) + "…"
	}
	return s
}
