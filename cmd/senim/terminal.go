package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// asker asks a person on the terminal for a secret, without echo; nil where nobody sits. Questions go
// to out, so that an answer on stdout stays clean.
func asker(in *os.File, out io.Writer) func(context.Context, string) (string, error) {
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		return nil
	}
	return func(ctx context.Context, question string) (string, error) {
		state, err := term.GetState(fd)
		if err != nil {
			return "", fmt.Errorf("ask for a password: %w", err)
		}
		if _, err := fmt.Fprint(out, printable(question)+": "); err != nil {
			return "", fmt.Errorf("ask for a password: %w", err)
		}
		type answer struct {
			text []byte
			err  error
		}
		read := make(chan answer, 1)
		go func() { // ends with the line or with the program: a read of a terminal cannot be called off
			text, err := term.ReadPassword(fd)
			read <- answer{text, err}
		}()
		defer func() { _, _ = fmt.Fprintln(out) }() // Enter was not echoed either
		select {
		case a := <-read:
			if a.err != nil {
				return "", fmt.Errorf("ask for a password: %w", a.err)
			}
			return string(a.text), nil
		case <-ctx.Done():
			_ = term.Restore(fd, state) // the echo comes back; nothing else could be done about an error
			return "", fmt.Errorf("ask for a password: %w", context.Cause(ctx))
		}
	}
}
