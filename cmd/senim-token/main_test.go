package main

import (
	"strings"
	"testing"

	"senim/internal/lang"
)

// TestByHand: a person who starts the program is told what it is, on the standard output only when he asked; a line it does not know
// is 2, as of the other programs. What is no request stays 1: another program speaks.
func TestByHand(t *testing.T) {
	for _, c := range []struct {
		line, in string
		status   int
		told     bool
	}{
		{line: "--help", told: true}, {line: "-h", told: true}, {line: "help", told: true},
		{line: "foo", status: 2, told: true}, {line: "--version", status: 2, told: true}, {status: 2, told: true}, // nothing is asked
		{in: "\x00\x00\x00\x02{}", status: 1}, {in: "\x00\x00", status: 1}, {in: "\xff\xff\xff\xff", status: 1},
	} {
		var out, complaints strings.Builder
		status := run(strings.Fields(c.line), strings.NewReader(c.in), &out, &complaints)
		if status != c.status || (status == 0) != (out.Len() > 0) || (status == 0) == (complaints.Len() > 0) {
			t.Errorf("%q, %q: %d, %q, %q", c.line, c.in, status, out.String(), complaints.String())
		}
		if said := out.String() + complaints.String(); strings.Contains(said, "senim-agent") != c.told || c.told && strings.Count(said, "\n") != len(lang.All()) {
			t.Errorf("%q, %q: %s", c.line, c.in, said)
		}
	}
}
