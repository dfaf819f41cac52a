// Program timing asks whether the time of signing and of making a public key depends on the secret, in
// the way of dudect (Reparaz, Balasch, Verbauwhede, 2017): one class of inputs is a fixed special
// secret, the other random ones, in random order; if the mean times differ more than chance allows
// (Welch's t-test), secrets show in the time.
//
//	go run ./timing                # the build of this machine, from tools/bench
//	go run -tags purego ./timing   # the portable one
//
// It can only find leaks, never prove that there are none. So that silence means something, it first
// looks for a leak that was put there on purpose, and fails when it does not find it; and it compares
// random secrets with random ones, where nothing may be found. The result is one JSON object on
// standard output; progress goes to standard error.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// report is what the program prints.
type report struct {
	Rows []row `json:"rows"`
}

// row is one experiment. Kind is "secret" for what is asked, "leak" for the leak made on purpose and
// "control" for random against random.
type row struct {
	Name    string  `json:"name"`
	Kind    string  `json:"kind"`
	Samples int     `json:"samples"`
	Nanos   float64 `json:"median_ns"`
	T       float64 `json:"max_t"`
	Kept    float64 `json:"kept"` // share of the samples, fastest first, where the largest |t| was
	Verdict string  `json:"verdict"`
}

func main() {
	samples := flag.Int("samples", 30_000, "measurements for each experiment")
	flag.Parse()
	if err := run(*samples); err != nil {
		fmt.Fprintln(os.Stderr, "timing:", err)
		os.Exit(1)
	}
}

func run(samples int) error {
	// One thread, and a collector that runs only between batches: what is left are interrupts.
	runtime.LockOSThread()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	var out report
	for _, e := range experiments() {
		begin := time.Now()
		r, err := ask(e, samples)
		if err == nil && e.kind != "leak" && r.T >= suspicious {
			// A leak shows twice as clearly in four times the samples; an accident goes away.
			fmt.Fprintf(os.Stderr, "%-62s |t| %7.2f  asked again\n", r.Name, r.T)
			r, err = ask(e, 4*samples)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		out.Rows = append(out.Rows, r)
		fmt.Fprintf(os.Stderr, "%-62s |t| %7.2f  %s (%v)\n", r.Name, r.T, r.Verdict, time.Since(begin).Round(time.Second))
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func ask(e experiment, samples int) (row, error) {
	s, err := measure(e, samples)
	if err != nil {
		return row{}, err
	}
	t, kept := s.worst()
	return row{e.name, e.kind, len(s.times), s.median(), t, kept, verdict(t)}, nil
}
