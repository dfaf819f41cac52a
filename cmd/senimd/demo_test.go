package main

import (
	"bytes"
	"os"
	"regexp"
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
