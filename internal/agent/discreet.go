package agent

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
)

// Discreet is a log that holds no path: not that of a file an error is about, nor those of the folders it is given, nor
// the person's home, which has his name in it.
func Discreet(h slog.Handler, folders ...string) slog.Handler {
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, home)
	}
	return discreet{h, folders}
}

type discreet struct {
	slog.Handler
	folders []string
}

// Handle implements [slog.Handler].
func (d discreet) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(d.attr(a))
		return true
	})
	return d.Handler.Handle(ctx, out)
}

// WithAttrs implements [slog.Handler].
func (d discreet) WithAttrs(list []slog.Attr) slog.Handler {
	kept := make([]slog.Attr, 0, len(list))
	for _, a := range list {
		kept = append(kept, d.attr(a))
	}
	return discreet{d.Handler.WithAttrs(kept), d.folders}
}

// WithGroup implements [slog.Handler].
func (d discreet) WithGroup(name string) slog.Handler {
	return discreet{d.Handler.WithGroup(name), d.folders}
}

func (d discreet) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch {
	case v.Kind() == slog.KindString:
		return slog.String(a.Key, d.hide(v.String()))
	case v.Kind() == slog.KindGroup:
		var kept []any
		for _, inner := range v.Group() {
			kept = append(kept, d.attr(inner))
		}
		return slog.Group(a.Key, kept...)
	}
	if err, ok := v.Any().(error); ok {
		return slog.String(a.Key, d.hide(pathless(err)))
	}
	return a
}

func (d discreet) hide(text string) string {
	for _, folder := range d.folders {
		if len(folder) > 1 {
			text = strings.ReplaceAll(text, folder, "…")
		}
	}
	return text
}

// pathless is the text of an error without the paths of the files it is about.
func pathless(err error) string {
	text := err.Error()
	for _, path := range paths(err) {
		if path != "" {
			text = strings.ReplaceAll(text, path, "…")
		}
	}
	return text
}

func paths(err error) (list []string) {
	switch e := err.(type) { //nolint:errorlint // the chain is walked below
	case *fs.PathError:
		list = append(list, e.Path)
	case *os.LinkError:
		list = append(list, e.Old, e.New)
	case *net.OpError: // a socket of the system's is a file
		for _, at := range []net.Addr{e.Source, e.Addr} {
			if unix, ok := at.(*net.UnixAddr); ok && unix != nil {
				list = append(list, unix.Name)
			}
		}
	}
	switch e := err.(type) { //nolint:errorlint // likewise
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			list = append(list, paths(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			list = append(list, paths(inner)...)
		}
	}
	return list
}
