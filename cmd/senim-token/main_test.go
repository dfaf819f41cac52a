package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestWords: a person reads what the program is, with status 2 unless that was the question; programs go on.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		args     string
		terminal bool
		asked    bool
		status   int
	}{
		{"", false, false, 0}, {"", true, true, 2}, {"--help", false, true, 0}, {"-h", true, true, 0}, {"help", false, true, 0}, {"foo", false, true, 2}, {"--help foo", false, true, 2},
	} {
		var out, errs bytes.Buffer
		asked, status := words(strings.Fields(c.args), c.terminal, &out, &errs)
		told, silent := &out, &errs
		if c.status != 0 {
			told, silent = &errs, &out
		}
		if asked != c.asked || status != c.status || silent.Len() != 0 || strings.Contains(told.String(), "nothing to call by hand") != c.asked {
			t.Errorf("%q at a terminal %t: %t %d, out %q, errors %q", c.args, c.terminal, asked, status, out.String(), errs.String())
		}
	}
}
