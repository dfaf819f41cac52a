package setup

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"senim/internal/lang"
)

// Line says how a part stands, for [Put] and [Take].
func Line(w io.Writer, t lang.Tag) func(p Part, s State, err error) {
	return func(p Part, s State, err error) {
		text := fmt.Sprintf("%s: %s: %s", t.Text("setup.state."+s.String()), t.Text("setup.part."+p.Kind()), p.Where())
		if err != nil {
			text += ": " + said(t, err)
		}
		_, _ = fmt.Fprintln(w, text)
	}
}

// said gives the failures that a person can do something about in that person's language.
func said(t lang.Tag, err error) string {
	switch {
	case errors.Is(err, errNote):
		return t.Text("setup.error.note")
	case errors.Is(err, errNoTool):
		return t.Text("setup.error.no-tool")
	}
	return err.Error()
}

// Report writes findings for people: what is wrong first, each with what to do.
func Report(w io.Writer, t lang.Tag, found []Finding) error {
	var b strings.Builder
	b.WriteString(t.Text("setup.doctor.bad") + "\n")
	if Sound(found) {
		b.Reset()
		b.WriteString(t.Text("setup.doctor.good") + "\n")
	}
	for _, f := range found {
		fmt.Fprintf(&b, "\n[%s] %s\n", t.Text("setup.doctor.level."+string(f.Level)), f.Found(t))
		if do := f.Do(t); do != "" {
			fmt.Fprintf(&b, "    %s\n", t.Text("setup.doctor.do", "text", do))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Sound tells whether nothing is bad and everything could be looked at.
func Sound(found []Finding) bool {
	for _, f := range found {
		if f.Level == Bad || f.Level == Unsure {
			return false
		}
	}
	return true
}
