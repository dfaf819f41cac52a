package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

func TestProgressFits(t *testing.T) {
	for _, name := range []string{"a", strings.Repeat("Қ", 300), ""} {
		for _, size := range []int64{0, 1, 1 << 20, 1 << 50} {
			for _, part := range []int64{0, 1, 2, 3} {
				for _, took := range []time.Duration{time.Second, time.Hour, 100 * time.Hour} {
					s := progress(name, size/3*part, size, took)
					if n := utf8.RuneCountInString(s); n > 79 || !strings.Contains(s, "B/s") {
						t.Errorf("%d columns: %q", n, s)
					}
				}
			}
		}
	}
	if got, want := progress("disk.img", 1<<30, 4<<30, 10*time.Second), "disk.img   25 %  1.0 GiB of 4.0 GiB  102.4 MiB/s  30 s left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := progress("-", 1536, 0, time.Second), "-  1.5 KiB  1.5 KiB/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestProgressAfterASecond: nothing is shown before, nothing more often than five times a second, and
// the line goes in the end; nothing at all where nobody looks.
func TestProgressAfterASecond(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, live := range []bool{true, false} {
		var errs bytes.Buffer
		clock := now
		p := &program{Stderr: &errs, Live: live, Now: func() time.Time { return clock }}
		r, err := p.stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for i := range 100 {
			if i < 10 && errs.Len() > 0 {
				t.Errorf("shown after %d tenths of a second", i)
			}
			clock = clock.Add(100 * time.Millisecond)
			before := errs.Len()
			if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if errs.Len() > before {
				shown++
			}
		}
		r.Close()
		if live && (shown < 40 || shown > 46 || !strings.HasSuffix(errs.String(), "\r\x1b[K")) {
			t.Errorf("shown %d times: %q", shown, errs.String())
		}
		if !live && errs.Len() > 0 {
			t.Errorf("shown to nobody: %q", errs.String())
		}
	}
}

// TestUnread: a content that cannot be read is no bad signature.
func TestUnread(t *testing.T) {
	broken := errors.New("the stick was pulled out")
	p := &program{Stdin: iotest.ErrReader(broken), Stderr: io.Discard, Now: time.Now}
	r, err := p.stream(t.Context(), "-")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !unreadable(err) || !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	p.Stdin = strings.NewReader("x")
	if r, err = p.stream(ended, "-"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !unreadable(err) {
		t.Errorf("%v", err)
	}
}

func TestAmounts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1<<20 - 1: "1024.0 KiB", 5 << 30: "5.0 GiB", 1<<63 - 1: "8.0 EiB"} {
		if got := amount(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 s", time.Millisecond: "1 s", 99 * time.Second: "99 s", 100 * time.Second: "2 min", 100 * time.Minute: "2 h"} {
		if got := span(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
	for _, s := range []string{"", "a", "абвгдежз", strings.Repeat("x", 50)} {
		for width := range 12 {
			if got := shorten(s, width); utf8.RuneCountInString(got) > max(width, 1) {
				t.Errorf("%q in %d: %q", s, width, got)
			}
		}
	}
}

func TestTableFits(t *testing.T) {
	long := strings.Repeat("Ұзын ", 30)
	for _, row := range [][4]string{{"", "", "", ""}, {"a", "b", "c", "d"}, {long, long, "364 days left", long}, {"", "", "expired 2026-08-31", long}, {long, "", "", "x"}} {
		var out bytes.Buffer
		p := &program{Stdout: &out, Width: 80}
		p.table([][4]string{{"Owner", "Role", "Certificate", "File"}, row})
		for _, line := range strings.Split(out.String(), "\n") {
			if n := utf8.RuneCountInString(line); n > 79 {
				t.Errorf("%d columns: %q", n, line)
			}
		}
		if !strings.Contains(out.String(), row[2]) {
			t.Errorf("the dates were cut: %q", out.String())
		}
		out.Reset()
		p.Width = 0
		p.table([][4]string{{"Owner", "Role", "Certificate", "File"}, row})
		for _, s := range row {
			if !strings.Contains(out.String(), strings.TrimRight(s, " ")) {
				t.Errorf("cut for a program: %q", out.String())
			}
		}
	}
}

// TestHashOfStrangeNames: a list round-trips whatever a file is called, and on a terminal nothing of
// the name works.
func TestHashOfStrangeNames(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	names := []string{"plain", " two  spaces", "line\nbreak", `back\slash`, "cr\r", "\x1b[2Jescape", "\xffbytes", "*star", "қаз"}
	for _, name := range names {
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Skip("this file system does not take such names: ", err)
		}
	}
	status, list, errs := run(t, append([]string{"hash", "-a", "sha256"}, names...)...)
	if status != statusGood {
		t.Fatal(errs)
	}
	if err := os.WriteFile("LIST", []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, errs := run(t, "hash", "-a", "sha256", "--check", "LIST"); status != statusGood || strings.ContainsRune(out, '\x1b') {
		t.Errorf("status %d: %q %s", status, out, errs)
	}
	var out bytes.Buffer
	p := &program{Args: []string{"hash", "\x1b[2Jescape"}, Stdout: &out, Stderr: io.Discard, Screen: true, Now: time.Now}
	if status := p.Run(t.Context()); status != statusGood || strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("status %d: %q", status, out.String())
	}
}

func FuzzListed(f *testing.F) {
	f.Add("00  a")
	f.Add(`\00 *a\\b\n`)
	f.Add("zz  a")
	f.Fuzz(func(t *testing.T, line string) {
		l, ok := parseListed(line, 1)
		if !ok {
			return
		}
		written := l.String()
		again, ok := parseListed(written, 1)
		if !ok || again.name != l.name || !bytes.Equal(again.digest, l.digest) {
			t.Errorf("%q became %q, and then %+v", line, written, again)
		}
		if strings.ContainsAny(written, "\n\r") {
			t.Errorf("%q is more than a line", written)
		}
	})
}
