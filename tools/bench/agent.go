package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// What the signing agent promises of itself.
const (
	agentStart  = 0.1 // seconds until it listens
	agentMemory = 30  // MiB
)

// agentRows starts the signing agent, in a new folder each time, until it listens.
func agentRows(ctx context.Context, o options, r *runner, dir string) ([]result, error) {
	path := filepath.Join(dir, "senim-agent")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "./cmd/senim-agent") //nolint:gosec // our own programs and arguments
	build.Dir, build.Stderr, build.Env = o.root, os.Stderr, append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build the agent: %w", err)
	}
	var starts, sizes []float64
	for round := range o.rounds {
		took, size, err := startAgent(ctx, r, path, filepath.Join(dir, "agent-"+itoa(round)))
		if err != nil {
			return nil, fmt.Errorf("the agent: %w", err)
		}
		starts, sizes = append(starts, took.Seconds()), append(sizes, size)
	}
	return []result{
		judge(wanted{name: "agent-start", text: "the signing agent started for the first time: seconds of the clock until it listens", unit: seconds, target: agentStart, must: true}, median(starts), nil, ""),
		judge(wanted{name: "agent-memory", text: "the signing agent when it listens: MiB", unit: mebibytes, target: agentMemory, must: true}, median(sizes), nil, ""),
	}, nil
}

func startAgent(ctx context.Context, r *runner, path, data string) (took time.Duration, size float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := r.command(ctx, path, "--listen", "127.0.0.1:0", "--data", data, "--browser", "none")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	took = time.Since(begin)
	if err == nil && !strings.HasPrefix(line, "listening ") {
		err = fmt.Errorf("it says %q", line)
	}
	if err == nil {
		size, err = mostMemory(cmd.Process.Pid)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	return took, size, err
}

// mostMemory is the most a process had, in MiB.
func mostMemory(pid int) (float64, error) {
	text := field("/proc/"+itoa(pid)+"/status", "VmHWM")
	kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "kB")), 64)
	if err != nil {
		return 0, fmt.Errorf("memory %q: %w", text, err)
	}
	return kib / 1024, nil
}
