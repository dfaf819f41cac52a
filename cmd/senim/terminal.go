package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// columns is how wide a terminal is; 0 for anything else.
func columns(f *os.File) int {
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return max(width, 60)
}

// asker asks a person on the terminal for a secret, without echo; nil where nobody sits. Questions go
// to out, so that an answer on stdout stays clean.
func asker(in *os.File, out io.Writer) func(context.Context, string) (string, error) {
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		return nil
	}
	return func(ctx context.Context, question string) (string, error) {
		state, err := term.MakeRaw(fd) // before the question: who types fast must not be shown
		if err != nil {
			return "", fmt.Errorf("ask for a password: %w", err)
		}
		defer func() { _ = term.Restore(fd, state) }() // nothing else could be done about an error
		type answer struct {
			text string
			err  error
		}
		read := make(chan answer, 1)
		go func() { // ends with the line or with the program: a read of a terminal cannot be called off
			line := term.NewTerminal(struct {
				io.Reader
				io.Writer
			}{in, out}, "")
			text, err := line.ReadPassword(printable(question) + ": ")
			read <- answer{text, err}
		}()
		select {
		case a := <-read:
			if errors.Is(a.err, io.EOF) { // Ctrl-C or Ctrl-D
				a.err = errors.New("there was no answer")
				_, _ = fmt.Fprint(out, "\r\n") // what comes next stands on a line of its own
			}
			if a.err != nil {
				return "", fmt.Errorf("ask for a password: %w", a.err)
			}
			return a.text, nil
		case <-ctx.Done():
			_, _ = fmt.Fprint(out, "\r\n") // likewise
			return "", fmt.Errorf("ask for a password: %w", context.Cause(ctx))
		}
	}
}
