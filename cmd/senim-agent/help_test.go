package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"senim/internal/lang"
)

// TestHelp: whoever asks for help gets it on the standard output, in his language, and it names each command; asked of one, it is that
// command's. Nothing else is done.
func TestHelp(t *testing.T) {
	dir := home(t)
	names := commandNames(t)[1:]
	listed := slices.Sorted(slices.Values(commands()))
	if slices.Sort(names); !slices.Equal(names, listed) {
		t.Errorf("the program has %v, its help %v", names, listed)
	}
	seen := map[string]string{}
	for _, tag := range lang.All() {
		said := func(args ...string) string {
			t.Helper()
			var out, complaints strings.Builder
			if err := run(t.Context(), append(args, "--lang", string(tag)), &out, &complaints); err != nil || complaints.Len() > 0 {
				t.Errorf("%v: %v %s", args, err, complaints.String())
			}
			got := out.String()
			if strings.Contains(got, "[command.") || strings.Contains(got, "{") {
				t.Errorf("%s, %v: %s", tag, args, got)
			}
			for line := range strings.Lines(got) { // sentences; the lines of flags and examples are the same in all
				if text := strings.TrimSpace(line); strings.HasPrefix(line, "        ") && (tag == lang.EN) == strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
					t.Errorf("%s, %v: %s", tag, args, text)
				}
			}
			return got
		}
		whole := said("help")
		for _, name := range commands() {
			if !strings.Contains(whole, "\n  "+name+" ") || !strings.Contains(whole, tag.Text("command.about."+name)) {
				t.Errorf("%s: %s is not named: %s", tag, name, whole)
			}
			got := said("help", name)
			var out strings.Builder
			if err := run(t.Context(), []string{name, "--help", "--lang", string(tag)}, &out, t.Output()); err != nil || got != out.String() {
				t.Errorf("%s: %v %s", name, err, out.String())
			}
			if seen[got] != "" || !strings.Contains(got, "senim-agent "+name) {
				t.Errorf("%s, %s, as of %s: %s", tag, name, seen[got], got)
			}
			seen[got] = name
		}
	}
	for _, args := range [][]string{{"help", "nonsense"}, {"help", "install", "nonsense"}, {"nonsense"}} {
		if err := run(t.Context(), append(args, "--lang", "ru"), t.Output(), t.Output()); err == nil || !strings.Contains(err.Error(), "nonsense") || !strings.Contains(err.Error(), "senim-agent help") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if after := tree(t, dir); len(after) > 0 {
		t.Errorf("made: %v", after)
	}
}

// TestStatuses: what the program ends with, and where it speaks: help is no failure, a line that is not understood is 2 and nothing
// on the standard output.
func TestStatuses(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no Go on this machine: the program is not built")
	}
	program := filepath.Join(t.TempDir(), "senim-agent")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil { // with the cache of the real home
		t.Fatalf("%s %v", out, err)
	}
	home(t)
	for line, want := range map[string]int{
		"--help": 0, "-h": 0, "help": 0, "help doctor": 0, "doctor --help": 0, "version": 0, "--version": 0,
		"nonsense": 2, "--nonsense": 2, "doctor --nonsense": 2, "uninstall help": 2, "help nonsense": 2,
	} {
		var out, complaints strings.Builder
		c := exec.CommandContext(t.Context(), program, strings.Fields(line)...)
		c.Stdout, c.Stderr, c.Env = &out, &complaints, append(os.Environ(), "LC_ALL=kk_KZ.UTF-8")
		_ = c.Run()
		if got := c.ProcessState.ExitCode(); got != want || (want == 0) != (out.Len() > 0) || (want == 0) == (complaints.Len() > 0) {
			t.Errorf("%s: %d, %q, %q", line, got, out.String(), complaints.String())
		}
		if want != 0 && (!strings.Contains(complaints.String(), "нықтама") && !strings.Contains(complaints.String(), "Мұндай") || strings.Count(complaints.String(), "\n") > 2) {
			t.Errorf("%s: %s", line, complaints.String())
		}
	}
}
