package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// timings is doc/timing.json.
type timings struct {
	Machine string        `json:"machine"`
	Date    string        `json:"date"`
	Commit  string        `json:"commit"`
	Core    string        `json:"core"`
	Builds  []timingBuild `json:"builds"`
}

type timingBuild struct {
	Build string      `json:"build"` // default or purego
	Rows  []timingRow `json:"rows"`
}

// timingRow is what program timing prints.
type timingRow struct {
	Name    string  `json:"name"`
	Kind    string  `json:"kind"`
	Samples int     `json:"samples"`
	Nanos   float64 `json:"median_ns"`
	T       float64 `json:"max_t"`
	Kept    float64 `json:"kept"`
	Verdict string  `json:"verdict"`
}

// timing runs program timing in both builds, keeps what it says, and fails on a leak or when the check
// itself did not work.
func timing(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "senim-timing-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	r := newRunner()
	id, err := commit(ctx, o.root)
	if err != nil {
		return err
	}
	out := timings{Machine: machine(), Date: today(), Commit: id, Core: r.String()}
	for _, tags := range []string{normal, purego} {
		b := timingBuild{Build: tags}
		if tags == normal {
			b.Build = "default"
		}
		fmt.Fprintf(os.Stderr, "%s build, %s\n", b.Build, r)
		path := filepath.Join(dir, b.Build)
		build := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-o", path, "./timing") //nolint:gosec // our own programs and arguments
		build.Dir, build.Stderr = filepath.Join(o.root, "tools", "bench"), os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build timing: %w", err)
		}
		cmd := r.command(ctx, path, "-samples", itoa(o.samples))
		cmd.Stderr = os.Stderr
		said, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("timing: %w", err)
		}
		if err := json.Unmarshal(said, &b); err != nil {
			return fmt.Errorf("timing: %w", err)
		}
		out.Builds = append(out.Builds, b)
	}
	if err := writeJSON(o.root, timingJSON, out); err != nil {
		return err
	}
	return errors.Join(render(o.root), out.judge())
}

// Verdicts of program timing.
const (
	noEvidence = "no evidence of a leak"
	leak       = "leak"
)

// judge is nil when nothing was found and the check could have found something.
func (t *timings) judge() error {
	var why error
	for _, b := range t.Builds {
		for _, r := range b.Rows {
			switch {
			case r.Kind == "leak" && r.Verdict != leak:
				why = errors.Join(why, fmt.Errorf("%s build: the leak made on purpose was not found (|t| %.1f): the run says nothing", b.Build, r.T))
			case r.Kind == "control" && r.Verdict != noEvidence:
				why = errors.Join(why, fmt.Errorf("%s build: random keys differ from random keys (|t| %.1f): the run says nothing", b.Build, r.T))
			case r.Kind == "secret" && r.Verdict != noEvidence:
				why = errors.Join(why, fmt.Errorf("%s build: %s: %s (|t| %.1f)", b.Build, r.Name, r.Verdict, r.T))
			}
		}
	}
	return why
}
