package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is what --help adds.
func (*completion) Help() string {
	return `Put the script where the shell looks for it; for zsh that is a folder of fpath.

  cd ~/.local/share/bash-completion/completions && senim completion bash > senim
  senim completion zsh > ~/.zfunc/_senim
  senim completion fish > ~/.config/fish/completions/senim.fish

Only for the bash that runs now:

  source <(senim completion bash)`
}

func (c *completion) run(_ context.Context, p *program) error {
	model := completed(p.model)
	script := map[string]func([]verb) string{"bash": bash, "zsh": zsh, "fish": fish}[c.Shell](model)
	if _, err := fmt.Fprint(p.Stdout, script); err != nil {
		return fmt.Errorf("write the script: %w", err)
	}
	return nil
}

// verb is one command, as a completion sees it. The first of all is the program itself.
type verb struct {
	path  []string // "key", "new"
	help  string
	verbs []string // names of the commands below it
	words []string // of an argument that takes one of these; nil takes files
	flags []option
}

// option is one flag. A value is one of words, or a folder, or a file, or of no kind known.
type option struct {
	long, short string
	help        string
	value       bool
	words       []string
	folder      bool
	file        bool
}

func (v verb) name() string { return strings.Join(v.path, " ") }

// completed reads the commands out of the model that parses them, so that nothing is listed twice.
func completed(model *kong.Application) []verb {
	var all []verb
	var visit func(n *kong.Node, path []string, above []option)
	visit = func(n *kong.Node, path []string, above []option) {
		v := verb{path: path, help: n.Help, flags: above}
		for _, f := range n.Flags {
			v.flags = append(v.flags[:len(v.flags):len(v.flags)], options(f)...)
		}
		for _, a := range n.Positional {
			v.words = choices(a.Enum)
		}
		for _, child := range n.Children {
			v.verbs = append(v.verbs, child.Name)
		}
		all = append(all, v)
		for _, child := range n.Children {
			visit(child, append(path[:len(path):len(path)], child.Name), v.flags)
		}
	}
	visit(model.Node, nil, nil)
	return all
}

func options(f *kong.Flag) []option {
	o := option{long: f.Name, help: f.Help, value: !f.IsBool(), words: choices(f.Enum)}
	if f.Short != 0 {
		o.short = string(f.Short)
	}
	switch f.PlaceHolder {
	case "DIR":
		o.folder = true
	case "FILE", "P12", "P7S", "CER":
		o.file = true
	}
	if f.Tag.Negatable == "" {
		return []option{o}
	}
	o.help = "Do not: " + o.help
	o.long = "no-" + f.Name
	return []option{o} // the positive is the default, and needs no word
}

func choices(enum string) []string {
	if enum == "" {
		return nil
	}
	return strings.Split(enum, ",")
}

// below finds a command under another.
func below(all []verb, v verb, name string) verb {
	for _, other := range all {
		if len(other.path) == len(v.path)+1 && other.name() == strings.TrimSpace(v.name()+" "+name) {
			return other
		}
	}
	return verb{}
}

// brief is the first sentence of a help, without what a shell would read in it.
func brief(help string) string {
	s, _, _ := strings.Cut(help, ". ")
	s, _, _ = strings.Cut(s, ": ")
	s = strings.TrimSuffix(s, ".")
	return strings.NewReplacer("'", "’", "[", "(", "]", ")", `\`, "/", "`", "’", "$", "").Replace(s)
}
