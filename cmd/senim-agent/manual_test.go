package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestManualIsTrue: the manual page names each command, and of each the flags it has, no more and no fewer.
func TestManualIsTrue(t *testing.T) {
	page, err := os.ReadFile("../../tools/dist/senim-agent.1")
	if err != nil {
		t.Fatal(err)
	}
	flag, section := regexp.MustCompile(`(?m)^\.It Fl -([a-z-]+)`), map[string][]string{}
	for _, part := range strings.Split(string(page), "\n.Ss ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		text, _, _ = strings.Cut(text, "\n.Sh ")
		section[name] = []string{}
		for _, match := range flag.FindAllStringSubmatch(text, -1) {
			section[name] = append(section[name], match[1])
		}
	}
	has := func(args ...string) []string {
		var usage bytes.Buffer
		_ = run(context.Background(), append(args, "-h"), &usage, &usage)
		var list []string
		for _, match := range regexp.MustCompile(`(?m)^  --([a-z-]+)`).FindAllStringSubmatch(usage.String(), -1) {
			list = append(list, match[1])
		}
		return list
	}
	names := commandNames(t)
	if len(names) < 15 || len(section) != len(names)+1 { // and the common flags
		t.Errorf("%d commands, %d sections: %v", len(names), len(section), section)
	}
	agent := has()
	if len(agent) < 15 {
		t.Errorf("flags of the agent: %v", agent)
	}
	for _, c := range names {
		name := strings.TrimSpace("senim-agent " + c)
		said, ok := section[name]
		if !ok {
			t.Errorf("%s is not in the page", name)
			continue
		}
		var want []string
		switch c {
		case "version":
		case "":
			want = agent
		case "renew", "password", "backup", "compare":
			if want = has(c); !slices.Equal(want, agent) || len(said) > 0 {
				t.Errorf("%s: %v", name, want)
			}
			continue
		case "authority", "help":
			want = has(c)
		default:
			said = append(slices.Clone(said), section["common flags"]...)
			want = has(c)
		}
		slices.Sort(said)
		if !slices.Equal(said, want) {
			t.Errorf("%s: the page has %v, the program %v", name, said, want)
		}
	}
}

// commandNames lists the commands by the package's own comment; the first, without a name, runs the agent.
func commandNames(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{""}
	for _, match := range regexp.MustCompile(`(?m)^//\tsenim-agent ([a-z]+)`).FindAllStringSubmatch(string(source), -1) {
		names = append(names, match[1])
	}
	return names
}
