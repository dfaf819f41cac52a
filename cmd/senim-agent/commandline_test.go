package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"senim/internal/lang"
	"senim/internal/setup"
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

// TestEveryLanguage: whatever the command line complains about is said in the language of the person, by --lang as by the
// environment; what comes from elsewhere stands in brackets.
func TestEveryLanguage(t *testing.T) {
	dir := home(t)
	file := filepath.Join(dir, "README.md")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken")
	if err := errors.Join(os.Mkdir(broken, 0o700), os.WriteFile(filepath.Join(broken, "installed.json"), []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	quiet := []string{"--listen", "127.0.0.1:1", "--keychain=false", "--browser", "none"}
	for _, line := range [][]string{
		append([]string{"renew"}, quiet...), append([]string{"compare"}, quiet...), append([]string{"renew", "--cabinet", "ftp://x"}, quiet...),
		{"password", "--nonsense"}, {"backup", "--token", "foo=/x"}, {"nonsense"}, {"--nonsense"}, {"--listen", "foo"}, {"--listen", "0.0.0.0:1"},
		{"--data"}, {"--trust", filepath.Join(dir, "none")}, {"--token", "foo=/x"}, {"--token-program", filepath.Join(dir, "none")}, {"--ocsp", "x"},
		{"--tsp", "foo=bar"}, {"--crl", file}, {"--browser", filepath.Join(dir, "none")}, {"--cabinet", "x"}, {"authority"}, {"authority", "remove", "zz"}, {"authority", "add", file}, {"authority", "add", file + "x"},
		{"install", "--portal", "foo"}, {"install", "--portal", "https://a.kz"}, {"install", "--keep", "--systemd"}, {"install", "--listen", "foo"},
		{"install", "--", "--nonsense"}, {"uninstall", "--everyone"}, {"doctor", "--nonsense"}, {"status", "--listen", "foo"}, {"start", "--data", broken},
		{"stop", "--nonsense"}, {"open", "--nonsense"}, {"trust", "--nonsense"}, {"help", "nonsense"},
	} {
		said := map[string]lang.Tag{}
		for _, tag := range lang.All() {
			t.Setenv("LC_ALL", "C")
			asked := append(line[:len(line):len(line)], "--lang", string(tag))
			if line[0] == "install" { // behind -- it would be the agent's
				asked = slices.Insert(slices.Clone(line), 1, "--lang", string(tag))
			}
			err := run(t.Context(), asked, io.Discard, io.Discard)
			if line[len(line)-1] == "--data" { // it would take the next one
				t.Setenv("LC_ALL", string(tag))
				err = run(t.Context(), line, io.Discard, io.Discard)
			}
			if err == nil {
				t.Errorf("%v was accepted", line)
				continue
			}
			text := brackets.ReplaceAllString(err.Error(), "")
			cyrillic, kazakh := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }), strings.ContainsAny(text, "әғқңөұүһіӘҒҚҢӨҰҮІ")
			if cyrillic != (tag != lang.EN) || kazakh != (tag == lang.KK) || strings.Contains(text, "[command") || strings.Contains(text, "{") {
				t.Errorf("%s, %v: %v", tag, line, err)
			}
			if other, ok := said[err.Error()]; ok {
				t.Errorf("%s and %s, %v: %v", tag, other, line, err)
			}
			said[err.Error()] = tag
			t.Setenv("LC_ALL", string(tag)+"_KZ.UTF-8")
			if again := run(t.Context(), line, io.Discard, io.Discard); again == nil || again.Error() != err.Error() {
				t.Errorf("%s by the environment, %v: %v", tag, line, again)
			}
		}
	}
}

// TestStartLooksAtChoices: an agent that would end at once is not started, and why it would is said where it is read.
func TestStartLooksAtChoices(t *testing.T) {
	data, address := filepath.Join(home(t), "its data"), freePort(t)
	record := `{"arguments": ["--data", "` + filepath.ToSlash(data) + `", "--listen", "` + address + `", "--crl", "` + filepath.ToSlash(data) + `/lists"]}`
	if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, "installed.json"), []byte(record), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"start"}, {"open", "--browser", "none"}} {
		var out strings.Builder
		err := run(t.Context(), append(command, "--data", data, "--lang", "en"), &out, io.Discard)
		if !errors.Is(err, errUnsound) || !strings.Contains(out.String(), "--crl "+filepath.ToSlash(data)+"/lists: there is no such folder") {
			t.Errorf("%v: %v %s", command, err, out.String())
		}
		if got := setup.Probe(t.Context(), address); got.State != "free" {
			t.Fatalf("%v: %+v", command, got)
		}
	}
}

// brackets hold what others have said.
var brackets = regexp.MustCompile(`\([^()]*(\([^()]*\)[^()]*)*\)`)
