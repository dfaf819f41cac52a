package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// about fills what is said of the run itself.
func about(ctx context.Context, o options, r *runner) (*results, error) {
	commit, err := commit(ctx, o.root)
	if err != nil {
		return nil, err
	}
	return &results{
		Machine: machine(), Date: today(), Commit: commit, Rounds: o.rounds, Core: r.String(), Quiet: r.quiet(), Peers: map[string]string{},
	}, nil
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

// machine describes the hardware, with those of its instructions that matter here.
func machine() string {
	const info = "/proc/cpuinfo"
	model := field(info, "model name")
	if model == "" {
		model = "unknown processor"
	}
	if vendor := field(info, "vendor_id"); vendor != "" {
		model = fmt.Sprintf("%s (%s family %s model %s)", model, vendor, field(info, "cpu family"), field(info, "model"))
	}
	var has []string
	for _, f := range []string{"bmi2", "adx", "avx2", "avx512ifma", "avx512_vbmi", "gfni"} {
		if slices.Contains(strings.Fields(field(info, "flags")), f) {
			has = append(has, f)
		}
	}
	return fmt.Sprintf("%s, %d CPUs, %s; %s/%s, %s", model, runtime.NumCPU(), strings.Join(has, " "), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// field finds "name : value" in a file of /proc; "" when it is not there.
func field(path, name string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(string(line), ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// commit names what was measured, and says so when the checkout differs from it; the results
// themselves do not count.
func commit(ctx context.Context, root string) (string, error) {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // our own programs and arguments
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			return "", fmt.Errorf("git %s: %w", args[0], err)
		}
		return strings.TrimSpace(string(out)), nil
	}
	id, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return "", err
	}
	changed, err := git("status", "--porcelain", "--", ".", ":!"+benchmarksJSON, ":!"+timingJSON, ":!"+benchmarksMD)
	if err != nil {
		return "", err
	}
	if changed != "" {
		id += " with changes"
	}
	return id, nil
}
