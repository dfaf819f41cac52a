package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// reading is a file that is read once, from its beginning to its end, whatever its length. Work that
// takes longer than a second shows how far it is on a terminal's stderr. Ctrl-C ends it.
type reading struct {
	ctx  context.Context // of this one reading: io.Reader has no place for it
	p    *program
	name string
	in   io.Reader
	file io.Closer // nil for standard input

	size        int64 // 0 when it is not known
	done        int64
	began, said time.Time
	shown       bool
}

// unread is a file that could not be read to its end. It is no verdict on what stands in it.
type unread struct{ error }

func (u *unread) Unwrap() error { return u.error }

// unreadable tells a content that could not be read from a signature that does not hold.
func unreadable(err error) bool {
	_, yes := errors.AsType[*unread](err)
	return yes
}

// stream opens a file to be read once; "-" is standard input. The caller closes it.
func (p *program) stream(ctx context.Context, name string) (*reading, error) {
	r := &reading{ctx: ctx, p: p, name: name, in: p.Stdin, began: p.Now()}
	r.said = r.began
	if name == "-" {
		return r, nil
	}
	f, err := os.Open(p.path(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, plain(err))
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a directory")
	}
	if err != nil {
		_ = f.Close() // nothing was read
		return nil, fmt.Errorf("read %s: %w", name, plain(err))
	}
	if info.Mode().IsRegular() {
		r.size = info.Size()
	}
	r.in, r.file = f, f
	return r, nil
}

// Read implements io.Reader. Every error but the end is an *unread.
func (r *reading) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, &unread{fmt.Errorf("read %s: interrupted", r.name)}
	}
	n, err := r.in.Read(b)
	r.done += int64(n)
	r.show()
	if err != nil && err != io.EOF {
		err = &unread{fmt.Errorf("read %s: %w", r.name, plain(err))}
	}
	return n, err
}

// Close closes the file and takes the line of progress away.
func (r *reading) Close() {
	if r.shown {
		r.p.live("")
	}
	if r.file != nil {
		_ = r.file.Close() // only read
	}
}

// Progress begins after a second and moves five times a second.
const (
	patience = time.Second
	beat     = 200 * time.Millisecond
)

func (r *reading) show() {
	if !r.p.Live {
		return
	}
	now := r.p.Now()
	if now.Sub(r.began) < patience || now.Sub(r.said) < beat {
		return
	}
	r.said, r.shown = now, true
	r.p.live(progress(r.name, r.done, r.size, now.Sub(r.began)))
}

// progress is one line of at most 79 columns: what, how far, how fast, how long still.
func progress(name string, done, size int64, took time.Duration) string {
	rate := float64(done) / took.Seconds()
	var facts []string
	if size > 0 {
		facts = append(facts, fmt.Sprintf("%3d %%", min(100, done*100/size)), amount(done)+" of "+amount(size))
	} else {
		facts = append(facts, amount(done))
	}
	facts = append(facts, amount(int64(rate))+"/s")
	if size > done && rate > 0 {
		facts = append(facts, span(time.Duration(float64(size-done)/rate*float64(time.Second)))+" left")
	}
	text := strings.Join(facts, "  ")
	return shorten(name, 79-2-utf8.RuneCountInString(text)) + "  " + text
}

// amount writes a number of bytes as people read it.
func amount(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/(1<<10), "KMGTPE"
	for v >= 1024 {
		v, units = v/1024, units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", v, units[0])
}

// span writes a time to wait.
func span(d time.Duration) string {
	switch s := int(d.Seconds() + 0.999); {
	case s < 100:
		return fmt.Sprintf("%d s", s)
	case s < 6000:
		return fmt.Sprintf("%d min", (s+59)/60)
	default:
		return fmt.Sprintf("%d h", (s+3599)/3600)
	}
}

// shorten cuts the middle out of a name that is too wide.
func shorten(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	if width < 3 {
		return "…"
	}
	tail := (width - 1) / 2
	return string(r[:width-1-tail]) + "…" + string(r[len(r)-tail:])
}

// live puts a line on the terminal over the one before; "" takes it away.
func (p *program) live(line string) {
	_, _ = fmt.Fprint(p.Stderr, "\r"+printable(line)+"\x1b[K") // a line that cannot be shown is no loss
}
