package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A measurement that had less than this share of its core was disturbed by another program and is made
// again, so many times at most; then the least disturbed one counts. What is left of the disturbance is
// worked out: figures are per second of the core's time, not of the clock.
const (
	undisturbed = 0.95
	attempts    = 2
)

// runner runs programs on one core and watches how much of it they got.
type runner struct {
	core                 string // for taskset; empty: cannot be pinned
	runs, again, crowded int    // measurements; made again; disturbed to the end
	begin                ticks
}

// newRunner takes the last core this process may use: the first ones get the machine's interrupts.
func newRunner() *runner {
	r := &runner{begin: readTicks("")}
	if _, err := exec.LookPath("taskset"); err == nil {
		allowed := field("/proc/self/status", "Cpus_allowed_list")
		r.core = allowed[strings.LastIndexAny(allowed, ",-")+1:]
		r.begin = readTicks(r.core)
	}
	return r
}

func (r *runner) String() string {
	if r.core == "" {
		return "not pinned to a core (there is no taskset)"
	}
	return "pinned to core " + r.core
}

// quiet says how far other programs disturbed the run.
func (r *runner) quiet() string {
	busy, stolen := readTicks(r.core).since(r.begin)
	return fmt.Sprintf("%d measurements, %d of them made again because another program took part of the core, %d disturbed to the end; other cores %.0f %% busy, %.0f %% stolen by the host",
		r.runs, r.again, r.crowded, 100*busy, 100*stolen)
}

// command is the program on the runner's core.
func (r *runner) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	if r.core == "" {
		return exec.CommandContext(ctx, path, args...) //nolint:gosec // our own programs and arguments
	}
	return exec.CommandContext(ctx, "taskset", append([]string{"-c", r.core, path}, args...)...) //nolint:gosec // our own programs and arguments
}

// output runs a measurement in a folder, again while it is disturbed, so many times at most, and returns
// what the least disturbed attempt printed, with the share of the core it had.
func (r *runner) output(ctx context.Context, dir string, most int, path string, args ...string) (best []byte, share float64, err error) {
	share = -1
	for attempt := 0; attempt < most && share < undisturbed; attempt++ {
		if attempt == 1 {
			r.again++
		}
		cmd := r.command(ctx, path, args...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		begin := time.Now()
		out, err := cmd.Output()
		if err != nil {
			return nil, 0, fmt.Errorf("%w: %s", err, out)
		}
		used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if got := float64(used) / float64(time.Since(begin)); got > share {
			best, share = out, got
		}
	}
	r.runs++
	if share < undisturbed {
		r.crowded++
	}
	return best, share, nil
}

// ticks are the scheduler's counts over all cores but one.
type ticks struct{ all, idle, stolen float64 }

// readTicks reads /proc/stat; zero where there is none.
func readTicks(but string) ticks {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks{}
	}
	return parseTicks(string(data), but)
}

// parseTicks reads lines "cpuN user nice system idle iowait irq softirq steal …".
func parseTicks(stat, but string) ticks {
	var t ticks
	for line := range strings.Lines(stat) {
		f := strings.Fields(line)
		if len(f) < 9 || !strings.HasPrefix(f[0], "cpu") || f[0] == "cpu" || f[0] == "cpu"+but {
			continue
		}
		for i, s := range f[1:9] {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				return ticks{}
			}
			t.all += v
			switch i {
			case 3, 4:
				t.idle += v
			case 7:
				t.stolen += v
			}
		}
	}
	return t
}

// since returns the busy and the stolen share since then.
func (t ticks) since(begin ticks) (busy, stolen float64) {
	all := t.all - begin.all
	if all <= 0 {
		return 0, 0
	}
	return 1 - (t.idle-begin.idle)/all, (t.stolen - begin.stolen) / all
}
