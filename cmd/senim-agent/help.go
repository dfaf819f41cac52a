package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"senim/internal/lang"
)

// helpWanted ends a command that was only asked what it does.
type helpWanted struct{ flags *flag.FlagSet }

func (*helpWanted) Error() string { return flag.ErrHelp.Error() }

// commands are the names of the commands, in the order in which people need them.
func commands() []string {
	return []string{
		"install", "uninstall", "open", "start", "stop", "status", "doctor", "renew", "password", "backup", "compare", "authority", "trust",
		"version", "help",
	}
}

// print says what a command is for, and its flags.
func (h *helpWanted) print(w io.Writer, t lang.Tag) error {
	var b strings.Builder
	_, name, _ := strings.Cut(h.flags.Name(), " ")
	if name == "" {
		fmt.Fprintf(&b, "%s\n\n%s:\n  senim-agent %s\n  senim-agent %s %s\n\n%s:\n", t.Text("command.about"), t.Text("command.help.usage"),
			t.Text("command.help.flags"), t.Text("command.help.command"), t.Text("command.help.flags"), t.Text("command.help.commands"))
		for _, c := range commands() {
			fmt.Fprintf(&b, "  %-10s %s\n", c, t.Text("command.about."+c))
		}
		fmt.Fprintf(&b, "\n%s\n\n%s:\n", t.Text("command.help.more"), t.Text("command.help.flags.agent"))
	} else {
		rest := t.Text("command.help.flags")
		switch name {
		case "install":
			rest = t.Text("command.help.install")
		case "authority":
			rest = t.Text("command.help.authority") + " " + rest
		case "help":
			rest = "[" + t.Text("command.help.command") + "] " + rest
		}
		if name == "version" {
			_, err := fmt.Fprintf(w, "senim-agent %s: %s\n", name, t.Text("command.about."+name))
			return err
		}
		fmt.Fprintf(&b, "senim-agent %s: %s\n\n%s:\n  senim-agent %s %s\n\n%s:\n", name, t.Text("command.about."+name), t.Text("command.help.usage"),
			name, rest, t.Text("command.help.flags.of"))
	}
	h.flags.VisitAll(func(f *flag.Flag) {
		shown := *f
		shown.Usage = t.Text(f.Usage)
		value, text := flag.UnquoteUsage(&shown)
		fmt.Fprintf(&b, "  %s\n        %s\n", strings.TrimSpace("--"+f.Name+" "+value), text)
	})
	_, err := io.WriteString(w, b.String())
	return err
}

// helpCommand explains the program, or one command.
func helpCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := newFlags("senim-agent help")
	flags.String("lang", "", "command.flag.lang")
	words, err := parseWords(flags, args)
	switch {
	case err != nil:
		return err
	case len(words) == 0:
		return new(choices).read("senim-agent", []string{"--help"})
	case len(words) > 1:
		return refuse("command.word", "word", words[1], "command", helpOf("senim-agent"))
	case !slices.Contains(commands(), words[0]):
		return refuse("command.unknown", "word", words[0])
	}
	return dispatch(ctx, []string{words[0], "--help"}, stdout, stderr)
}
