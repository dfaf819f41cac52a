package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"strings"

	"senim/internal/agent"
	"senim/internal/keystore"
	"senim/internal/lang"
)

// refusal is why a command is not done, by the key of its text: whoever prints it knows the language.
type refusal struct {
	key  string
	vars []any
	err  error // what it goes back to; nil: it stands by itself
}

// refuse makes a refusal; vars are what its text asks for.
func refuse(key string, vars ...any) *refusal { return &refusal{key: key, vars: vars} }

// because says what a refusal goes back to.
func (r *refusal) because(err error) *refusal { r.err = err; return r }

func (r *refusal) in(t lang.Tag) string { return t.Text(r.key, r.vars...) }
func (r *refusal) Error() string        { return r.in(lang.EN) }
func (r *refusal) Unwrap() error        { return r.err }

// told is an error in the words of the person who reads it.
type told struct {
	text string
	err  error // what is told; nil: it stands by itself
}

func (e *told) Error() string { return e.text }
func (e *told) Unwrap() error { return e.err }

// inWords tells an error in a language. What the program has no words for stands in brackets, as it was said.
func inWords(ctx context.Context, t lang.Tag, err error) error {
	if err == nil || errors.Is(err, errUnsound) {
		return err
	}
	if own, ok := errors.AsType[*told](err); ok {
		return own
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return &told{r.in(t), err}
	}
	if own, ok := errors.AsType[*already](err); ok {
		return own
	}
	text := t.Text("command.failed", "why", err)
	path, ok := errors.AsType[*fs.PathError](err)
	switch {
	case ctx.Err() != nil:
		text = t.Text("command.interrupted")
	case errors.Is(err, agent.ErrNoCabinet):
		text = t.Text("command.no-cabinet")
	case errors.Is(err, errClosed):
		text = t.Text("command.closed")
	case errors.Is(err, keystore.ErrInUse):
		text = t.Text("command.busy")
	case ok && errors.Is(err, fs.ErrNotExist):
		text = t.Text("command.absent", "path", path.Path)
	case ok && errors.Is(err, fs.ErrPermission):
		text = t.Text("command.forbidden", "path", path.Path)
	}
	return &told{text, err}
}

// languageFor is the language a command line asks for, else the system's. It is looked for before the line is read: what is wrong
// with the line is said in it, too.
func languageFor(args []string) lang.Tag {
	tag := systemLanguage()
	for i, a := range args {
		if a == "--" {
			break
		}
		name, value, ok := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if name != "lang" || !strings.HasPrefix(a, "-") {
			continue
		}
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		if t, ok := lang.Parse(value); ok {
			tag = t
		}
	}
	return tag
}

// newFlags is a set of flags of a command, which stands in its name. The usage of each flag is the key of a text. It says nothing
// itself: [parse] gives what is wrong.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse reads flags, and refuses whatever else is in the line: a word there may be a flag's, and all flags behind it would be lost.
func parse(flags *flag.FlagSet, args []string) error {
	if err := parseFlags(flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return refuse("command.word", "word", flags.Arg(0), "command", helpOf(flags.Name()))
	}
	return nil
}

// parseWords reads words with flags on either side of each.
func parseWords(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := parseFlags(flags, args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

// parseFlags reads flags up to the first word.
func parseFlags(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return &helpWanted{flags}
	case err != nil:
		return refuse("command.line", "why", err, "command", helpOf(flags.Name())).because(err)
	}
	if f := flags.Lookup("lang"); f != nil {
		if _, ok := lang.Parse(f.Value.String()); !ok && f.Value.String() != "" {
			return refuse("command.lang", "lang", f.Value.String())
		}
	}
	return nil
}

// helpOf is the command that explains a command.
func helpOf(name string) string {
	program, command, _ := strings.Cut(name, " ")
	return strings.TrimSpace(program + " help " + command)
}
