package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"senim/internal/trust"
)

// Marks of colours inside a line, of a private area; line turns them into escapes. Text from files
// can at most carry a mark, never an escape.
const (
	markPlain  = "\ue000"
	markBold   = "\ue001"
	markGreen  = "\ue002"
	markRed    = "\ue003"
	markYellow = "\ue004"
)

var escapes = strings.NewReplacer(markPlain, "\x1b[0m", markBold, "\x1b[1m", markGreen, "\x1b[32m", markRed, "\x1b[31m", markYellow, "\x1b[33m")

func (p *program) bold(s string) string { return p.paint(markBold, s) }

func (p *program) paint(mark, s string) string {
	if !p.Color {
		return s
	}
	return mark + s + markPlain
}

// verdict pads a verdict to a column and colours it; the word alone says everything.
func (p *program) verdict(v trust.Verdict) string {
	s := fmt.Sprintf("%-8s", v)
	switch v {
	case trust.Good:
		return p.paint(markGreen, s)
	case trust.Bad:
		return p.paint(markRed, s)
	case trust.Unknown:
		return p.paint(markYellow, s)
	}
	return s
}

// line writes one line of text for people.
func (p *program) line(format string, args ...any) {
	s := printable(fmt.Sprintf(format, args...))
	if p.Color {
		s = escapes.Replace(s)
	}
	if _, err := fmt.Fprintln(p.Stdout, strings.TrimRight(s, " ")); err != nil {
		p.unsaid = err
	}
}

// printable replaces control characters, which a file may carry in a name and which must not reach a
// terminal, and marks that turn the direction of writing.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, s)
}

// row writes a label and its value in columns; nothing when the value is empty.
func (p *program) row(label, value string) {
	if value != "" {
		p.line("  %-14s %s", label, value)
	}
}
