// Load opens the pages of the cabinet as many people do at once, and says how long they waited. It starts
// the server as a process of its own on a free port, signs everybody in, and lets each open one page after
// another, with a pause between them. It ends with status 1 when a page was slower than it may be.
//
//	go run ./load -bin bin -users 200 -think 1s -for 30s
//
// The people are sessions of the demo's cast. Server and visitors share the machine's processors: what the
// visitors use counts against the server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"senim/internal/robot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// plan is what is to be done.
type plan struct {
	users  int
	think  time.Duration
	during time.Duration
	most   time.Duration
	pages  []string
}

const pages = "/keys /applications /profile /keys/reissue /confirm /company /delegation /calendar /reports /many /check /"

func run(ctx context.Context, args []string, out, errs io.Writer) (err error) {
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.SetOutput(errs)
	var p plan
	var start robot.Flags
	start.Define(f)
	f.IntVar(&p.users, "users", 200, "people at once")
	f.DurationVar(&p.think, "think", time.Second, "pause of each between an answer and the next page; 0: none")
	f.DurationVar(&p.during, "for", 30*time.Second, "how long")
	f.DurationVar(&p.most, "p99", 50*time.Millisecond, "what 99 of 100 answers may take")
	list := f.String("pages", pages, "the pages, by their paths")
	if err := f.Parse(args); err != nil {
		return err
	}
	if p.pages = strings.Fields(*list); len(p.pages) == 0 || p.users < 1 || p.during <= 0 || p.think < 0 {
		return errors.New("there are pages, people and time, and no pause is negative")
	}
	sys, stop, err := start.Start(ctx, errs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := sys.StopAgent(); err != nil { // visitors sign by themselves; it would only take memory
		return err
	}
	return p.visit(ctx, sys, out)
}
