package main

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExtraWords: a word that does not belong in the line is refused in every command, before anything is done: what stands behind
// it, as the folder that is meant, would not be heard.
func TestExtraWords(t *testing.T) {
	dir := home(t)
	data := filepath.Join(dir, "other")
	for _, name := range commandNames(t) {
		args := []string{name, "stray", "--data", data}
		if name == "" {
			args = args[1:]
		}
		var out strings.Builder
		err := run(t.Context(), append(args, "--lang", "en"), &out, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "stray") && name != "authority" && name != "help" || out.Len() > 0 {
			t.Errorf("%v: %v %s", args, err, out.String())
		}
	}
	for _, args := range [][]string{{"authority", "list", "stray"}, {"authority", "national", "stray"}, {"version", "stray"}, {"install", "--yes", "help"}, {"uninstall", "--with-pending", "help"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
	if after := tree(t, dir); !slices.Equal(after, nil) {
		t.Errorf("made: %v", after)
	}
}
