package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestGuideTellsTheStoriesOfTheReadme: who reads README.md and then the terminal finds the same stories there, under
// the same letters and in the same order.
func TestGuideTellsTheStoriesOfTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^\*\*(Story [A-Z], [^*]+)\.\*\*`).FindAllSubmatch(readme, -1) {
		want = append(want, string(m[1]))
	}
	if len(want) < 4 {
		t.Fatalf("README.md tells of %q", want)
	}
	s := &server{now: time.Now}
	s.c.mail.origin = "http://localhost:8025"
	var out bytes.Buffer
	s.guide(&out)
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^(Story [A-Z], [^:\n]+)`).FindAllStringSubmatch(out.String(), -1) {
		got = append(got, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("the demo tells\n%q\nREADME.md\n%q", got, want)
	}
	const advice = "start the demo with -clock"
	if !strings.Contains(out.String(), advice) {
		t.Errorf("nothing says how to get a clock:\n%s", out.String())
	}
	s.walking = &walker{}
	out.Reset()
	s.guide(&out)
	if strings.Contains(out.String(), advice) || !strings.Contains(out.String(), "open http://localhost:8025/clock ") {
		t.Errorf("who has a clock is told to start one:\n%s", out.String())
	}
}

// TestDemoKeepsItsAgent: an agent that somebody ended is started again; one that cannot run is given up.
func TestDemoKeepsItsAgent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the agent of this test is a shell script")
	}
	agent := func(text string) (path, starts string) {
		dir := t.TempDir()
		path, starts = filepath.Join(dir, "agent"), filepath.Join(dir, "starts")
		if err := os.WriteFile(path, []byte("#!/bin/sh\nstarts='"+starts+"'\necho start >> \"$starts\"\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path, starts
	}
	count := func(starts string) int {
		b, err := os.ReadFile(starts)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return bytes.Count(b, []byte("start"))
	}
	var said bytes.Buffer
	p := program{stdout: io.Discard, stderr: &said}

	path, starts := agent("exit 3\n")
	if err := p.keepAgent(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), "3") || count(starts) != 2 {
		t.Errorf("an agent that cannot run: %v, started %d times", err, count(starts))
	}
	if strings.Count(said.String(), "started again") != 1 {
		t.Errorf("the person reads %q", said.String())
	}
	if err := p.keepAgent(t.Context(), filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an agent that is not there: %v", err)
	}

	path, _ = agent("echo it runs\n[ $(wc -l < \"$starts\") -lt 2 ] || exec sleep 600\n")
	said.Reset()
	running, out := io.Pipe()
	p.stdout = out
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() {
		err := p.keepAgent(ctx, path, nil)
		_ = out.Close() // whoever waits for a line learns that none comes
		done <- err
	}()
	lines := bufio.NewScanner(running)
	for n := range 2 {
		if !lines.Scan() {
			t.Fatalf("start %d of an agent that somebody ended: %v", n+1, lines.Err())
		}
	}
	select {
	case err := <-done:
		t.Fatalf("the agent that came back is left alone: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	stop()
	<-done
}

// TestDemoSpeaksToAPerson: the terminal has what a person needs, and the log is in a file; errors are in both. Nothing
// is made where nothing is said.
func TestDemoSpeaksToAPerson(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	p := program{stdout: &out, stderr: &errs}
	file := &lateFile{path: filepath.Join(dir, demoLog)}
	p.welcome(config{data: dir})
	if !strings.HasPrefix(out.String(), "First start: ") {
		t.Errorf("the first start says %q", out.String())
	}
	log := slog.New(p.demoLogTo(file)(slog.LevelInfo))
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("an empty log is a file: %v %v", left, err)
	}
	log.Info("a page was refused")
	log.Error("the disk is full")
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(dir, demoLog))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(kept, []byte("a page was refused")) || !bytes.Contains(kept, []byte("the disk is full")) {
		t.Errorf("the log is\n%s", kept)
	}
	if strings.Contains(errs.String(), "refused") || !strings.Contains(errs.String(), "the disk is full") {
		t.Errorf("the terminal shows\n%s", errs.String())
	}
	// A start that was interrupted left nothing but its log: it is no foreign folder.
	if err := (&server{c: config{data: dir}}).fresh(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, installationFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if p.welcome(config{data: dir}); out.Len() != 0 {
		t.Errorf("a second start says %q", out.String())
	}
}
