package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"
)

// TestEveryFlagIsDocumented: an operator finds each flag of the server in his handbook.
func TestEveryFlagIsDocumented(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	if _, _, err := parse([]string{"-help"}, &help); err == nil {
		t.Fatal("-help goes on")
	}
	handbook, err := os.ReadFile("../../doc/operator.md")
	if err != nil {
		t.Fatal(err)
	}
	flags := regexp.MustCompile(`(?m)^  (-[a-z0-9._-]+)`).FindAllStringSubmatch(help.String(), -1)
	if len(flags) < 40 {
		t.Fatalf("%d flags are too few:\n%s", len(flags), help.String())
	}
	for _, f := range flags {
		if !regexp.MustCompile(`(^|[^\w-])` + regexp.QuoteMeta(f[1]) + `([^\w.-]|\.\W|$)`).Match(handbook) {
			t.Errorf("doc/operator.md does not name %s", f[1])
		}
	}
}
