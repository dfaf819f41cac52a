package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"senim/internal/robot"
)

// A few people for a moment: the program itself works, and fails when a page is too slow or is none.
func TestLoad(t *testing.T) {
	t.Parallel()
	bin, err := robot.Programs()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	few := []string{"-bin", bin, "-users", "8", "-think", "10ms", "-for", "3s", "-p99", "20s"}
	if err := run(t.Context(), few, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "/applications") || !strings.Contains(out.String(), "8 people") {
		t.Errorf("it printed %q", out.String())
	}
	for _, wrong := range [][]string{{"-p99", "1ns"}, {"-pages", "/keys /no-such-page"}, {"-users", "0"}} {
		if err := run(t.Context(), append(few[:len(few):len(few)], wrong...), &out, t.Output()); err == nil {
			t.Errorf("%v passed", wrong)
		}
	}
}

func TestReport(t *testing.T) {
	p := plan{users: 1, most: 50 * time.Millisecond, pages: []string{"/a", "/b"}}
	var all []answer
	for i := range 100 {
		all = append(all, answer{"/a", time.Duration(i) * time.Millisecond}, answer{"/b", time.Millisecond})
	}
	var out bytes.Buffer
	if err := p.report(&out, all, time.Second); err == nil || !strings.Contains(err.Error(), "99ms") {
		t.Errorf("a slow page hidden by a fast one passed: %v", err)
	}
	if err := p.report(&out, all[:1], time.Second); err == nil {
		t.Error("a page nobody opened passed")
	}
}
