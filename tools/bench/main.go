// Program bench measures Senim beside its peers and keeps the results in doc/.
//
//	go run .           # speed: doc/benchmarks.json, doc/benchmarks.md
//	go run . servers   # the rows about servers only, printed and not kept
//	go run . timing    # does the time depend on secrets: doc/timing.json, doc/benchmarks.md
//	go run . render    # write doc/benchmarks.md again from both JSON files
//
// Project and peers run in turn on one core, several rounds, and medians count: the machine may be
// shared and noisy, so a ratio of one run means something and an absolute figure little. What is
// measured and what is wanted stands in rows.go. The peers are small C programs in peer/; one whose
// library is not installed gives rows without a ratio, with the reason, and never a target that is met.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.root, "root", "../..", "the checkout")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds of project and peers in turn")
	flag.DurationVar(&o.each, "each", 300*time.Millisecond, "time for one operation in one round")
	flag.IntVar(&o.serials, "serials", 1_000_000, "certificates asked for to see the responder's memory; the target is for a million")
	flag.IntVar(&o.samples, "samples", 30_000, "measurements of each timing experiment")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

type options struct {
	root            string
	rounds, samples int
	serials         int
	each            time.Duration
}

func run(ctx context.Context, o options, command string) error {
	if o.rounds < 1 || o.each <= 0 || o.samples < 1 {
		return errors.New("rounds, time and samples are at least 1")
	}
	switch command {
	case "":
		return speed(ctx, o)
	case "servers":
		return serversOnly(ctx, o)
	case "timing":
		return timing(ctx, o)
	case "render":
		return render(o.root)
	}
	return fmt.Errorf("%s: no such command (servers, timing, render)", command)
}
