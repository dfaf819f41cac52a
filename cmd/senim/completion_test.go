package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func script(t *testing.T, shell string) string {
	t.Helper()
	status, out, errs := run(t, "completion", shell)
	if status != statusGood || errs != "" {
		t.Fatalf("completion %s: %d, %s", shell, status, errs)
	}
	return out
}

// shell finds a shell, or skips.
func shell(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip(name + " is not installed")
	}
	return path
}

// playground is a folder with files to complete.
func playground(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"act.pdf", "act two.pdf", "keys/x.p12"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// cases are lines up to the cursor and what completes them.
var cases = []struct {
	line []string // the last word is being written
	want []string
}{
	{[]string{""}, []string{"inspect", "sign", "verify", "timestamp", "ocsp", "hash", "convert", "key", "ca", "audit", "log", "qr-phone", "completion", "version"}},
	{[]string{"veri"}, []string{"verify"}},
	{[]string{"key", ""}, []string{"new", "finish", "list", "passwd"}},
	{[]string{"key", "p"}, []string{"passwd"}},
	{[]string{"completion", ""}, []string{"bash", "zsh", "fish"}},
	{[]string{"convert", "--form", ""}, []string{"nca", "modern"}},
	{[]string{"key", "new", "--algorithm", "gost"}, []string{"gost512", "gost256"}},
	{[]string{"hash", "-a", "sha"}, []string{"sha256", "sha384", "sha512"}},
	{[]string{"sign", "--detached", "--pass"}, []string{"--password-file"}},
	{[]string{"ocsp", "--no-"}, []string{"--no-nonce"}},
	{[]string{"key", "list", "--ke"}, []string{"--keeper"}},
	{[]string{"inspect", "act"}, []string{"act.pdf", "act two.pdf"}},
	{[]string{"inspect", "key"}, []string{"keys"}}, // a file, though a command has this name
	{[]string{"verify", "--trust", ""}, []string{"keys"}},
	{[]string{"sign", "--key", "keys/"}, []string{"keys/x.p12"}},
	{[]string{"verify", "--at", ""}, nil}, // a time: nothing can be proposed
}

func TestCompleteBash(t *testing.T) {
	path := shell(t, "bash")
	dir := playground(t)
	file := filepath.Join(t.TempDir(), "senim.bash")
	if err := os.WriteFile(file, []byte(script(t, "bash")), 0o600); err != nil {
		t.Fatal(err)
	}
	// The words as readline would hand them over, "=" apart.
	const ask = `source "$1"; shift
[[ $(complete -p senim) == *"-F _senim"* ]] || exit 3
COMP_WORDS=(senim "$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_senim; printf '%s\n' "${COMPREPLY[@]}"`
	complete := func(words ...string) []string {
		cmd := exec.CommandContext(t.Context(), path, append([]string{"--norc", "-c", ask, "bash", file}, words...)...)
		cmd.Dir = dir
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil || errs.Len() > 0 {
			t.Fatalf("%q: %v\n%s", words, err, errs.String())
		}
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	}
	for _, c := range cases {
		got, want := complete(c.line...), slices.Clone(c.want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", c.line, got, want)
		}
	}
	for _, line := range [][]string{{"convert", "--to", "=", "d"}, {"convert", "--to", "="}} {
		if got := complete(line...); !slices.Contains(got, "detached") || slices.Contains(got, "--to") {
			t.Errorf("%q: %q", line, got)
		}
	}
}

// TestCompleteFish asks fish itself.
func TestCompleteFish(t *testing.T) {
	path := shell(t, "fish")
	dir := playground(t)
	file := filepath.Join(t.TempDir(), "senim.fish")
	if err := os.WriteFile(file, []byte(script(t, "fish")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		cmd := exec.CommandContext(t.Context(), path, "--no-config", "-c", `source $argv[1]; complete -C "$argv[2]"`, file, "senim "+strings.Join(c.line, " "))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", c.line, err, out)
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			word, _, _ := strings.Cut(line, "\t")
			got = append(got, strings.TrimSuffix(word, "/"))
		}
		for _, want := range c.want {
			if !slices.Contains(got, want) {
				t.Errorf("%q: no %s in %q", c.line, want, got)
			}
		}
	}
}

// TestCompleteZsh: zsh completes only at a terminal, so what is tried is that it reads the script and
// finds a function for every command.
func TestCompleteZsh(t *testing.T) {
	path := shell(t, "zsh")
	file := filepath.Join(t.TempDir(), "_senim")
	if err := os.WriteFile(file, []byte(script(t, "zsh")), 0o600); err != nil {
		t.Fatal(err)
	}
	const ask = `autoload -Uz compinit && compinit -u -d $2 && source $1 && [[ $_comps[senim] == _senim ]] && print -l ${(k)functions[(I)_senim*]}`
	cmd := exec.CommandContext(t.Context(), path, "-f", "-c", ask, "zsh", file, filepath.Join(t.TempDir(), "dump"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"_senim", "_senim_sign", "_senim_key", "_senim_key_new", "_senim_completion"} {
		if !slices.Contains(strings.Fields(string(out)), name) {
			t.Errorf("no function %s in %s", name, out)
		}
	}
}

// TestCompletionIsWhole: every command and every flag stands in every script.
func TestCompletionIsWhole(t *testing.T) {
	var c commands
	parser, err := kong.New(&c, kong.Name("senim"))
	if err != nil {
		t.Fatal(err)
	}
	all := completed(parser.Model)
	if len(all) < 14 {
		t.Fatalf("%d commands", len(all))
	}
	for shell, form := range map[string]string{"bash": "--%", "zsh": "--%", "fish": "-l % "} {
		text := script(t, shell)
		for _, v := range all {
			for _, name := range v.path {
				if !strings.Contains(text, name) {
					t.Errorf("%s: no command %s", shell, name)
				}
			}
			for _, o := range v.flags {
				if !strings.Contains(text, strings.ReplaceAll(form, "%", o.long)) {
					t.Errorf("%s: no flag --%s of %s", shell, o.long, v.name())
				}
			}
		}
		if strings.Contains(text, "%!") {
			t.Errorf("%s: a broken format", shell)
		}
	}
	if status, _, errs := run(t, "completion", "tcsh"); status != statusMisuse || !strings.Contains(errs, "bash") {
		t.Errorf("an unknown shell: %d, %s", status, errs)
	}
}

// TestEveryCommandRuns: a command that Run cannot dispatch would do nothing, and succeed.
func TestEveryCommandRuns(t *testing.T) {
	var c commands
	parser, err := kong.New(&c, kong.Name("senim"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		target := leaf.Target.Addr().Interface()
		_, judges := target.(command)
		_, acts := target.(unjudged)
		if judges == acts {
			t.Errorf("%s (%s) cannot be run", leaf.Path(), reflect.TypeOf(target))
		}
		if leaf.Detail == "" {
			t.Errorf("%s has no text in its --help", leaf.Path())
		}
	}
}
