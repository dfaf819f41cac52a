package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"senim/internal/pkitest"
	"senim/pfx"
)

// pseudo opens a terminal: what a program sees, and what a person at it does and reads.
func pseudo(t *testing.T) (program, person *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return program, person
}

// sitting is the program at a terminal with a person before it.
type sitting struct {
	t       *testing.T
	cmd     *exec.Cmd
	program *os.File
	person  *os.File
	seen    bytes.Buffer
	more    chan []byte
}

// sit starts the program with stdin and stderr at a terminal; its stdout is a pipe.
func sit(t *testing.T, path string, stdout io.Writer, args ...string) *sitting {
	t.Helper()
	s := &sitting{t: t, more: make(chan []byte, 64)}
	s.program, s.person = pseudo(t)
	s.cmd = exec.CommandContext(t.Context(), path, args...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.program, stdout, s.program
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = s.program.Close()
	go func() {
		defer close(s.more)
		for {
			b := make([]byte, 4096)
			n, err := s.person.Read(b)
			if n > 0 {
				s.more <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return s
}

// await reads until text is seen after what was awaited before.
func (s *sitting) await(text string) {
	s.t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		if _, after, ok := bytes.Cut(s.seen.Bytes(), []byte(text)); ok {
			s.seen = *bytes.NewBuffer(bytes.Clone(after))
			return
		}
		select {
		case b, ok := <-s.more:
			if !ok {
				s.t.Fatalf("the program ended, and %q was awaited in %q", text, s.seen.String())
			}
			s.seen.Write(b)
		case <-late.C:
			s.t.Fatalf("%q is awaited in %q", text, s.seen.String())
		}
	}
}

func (s *sitting) types(text string) {
	s.t.Helper()
	if _, err := s.person.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the exit and gives the status and what else was seen.
func (s *sitting) ends() (int, string) {
	s.t.Helper()
	err := s.cmd.Wait()
	for b := range s.more {
		s.seen.Write(b)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return s.cmd.ProcessState.ExitCode(), s.seen.String()
}

// TestAtTerminal: passwords are asked for without echo, progress is shown, Ctrl-C works.
func TestAtTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	senim, dir := binary(t), t.TempDir()
	leaf := pkitest.New(t, pkitest.Config{Now: time.Now()}).Individual()
	key, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, "Qwerty12", pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "key.p12")
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	text := func(status int, got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("status %d, no %q in %q", status, want, got)
		}
	}

	t.Run("password", func(t *testing.T) {
		var out bytes.Buffer
		s := sit(t, senim, &out, "inspect", file)
		s.await("Password of " + file + ": ")
		s.types("Qwerty12\n")
		status, rest := s.ends()
		if status != 0 || strings.Contains(rest, "Qwerty12") {
			t.Errorf("status %d, on the terminal %q", status, rest)
		}
		text(status, out.String(), "ТЕСТОВ")
	})
	t.Run("wrong password", func(t *testing.T) {
		s := sit(t, senim, io.Discard, "inspect", file)
		s.await(": ")
		s.types("qwerty12\n")
		status, rest := s.ends()
		text(status, rest, "wrong password")
		text(status, rest, "keyboard")
	})
	t.Run("new password", func(t *testing.T) {
		s := sit(t, senim, io.Discard, "key", "passwd", file)
		s.await("Password of")
		s.types("Qwerty12\n")
		s.await("New password of")
		s.types("Another12\n")
		s.await("once more")
		s.types("Another13\n")
		status, rest := s.ends()
		text(status, rest, "the two passwords differ")
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, key) {
			t.Errorf("the file changed: %v", err)
		}
		s = sit(t, senim, io.Discard, "key", "passwd", file)
		s.await("Password of")
		s.types("Qwerty12\n")
		for _, question := range []string{"New password of", "once more"} {
			s.await(question)
			s.types("Another12\n")
		}
		if status, rest := s.ends(); status != 0 {
			t.Errorf("status %d, %q", status, rest)
		}
		if now, err := os.ReadFile(file); err != nil {
			t.Error(err)
		} else if _, err := pfx.Decode(now, "Another12"); err != nil {
			t.Error(err)
		}
	})
	t.Run("interrupted question", func(t *testing.T) {
		s := sit(t, senim, io.Discard, "inspect", file)
		s.await("Password of")
		s.types("\x03")
		if status, rest := s.ends(); status != statusMisuse || !strings.Contains(rest, "ask for a password") {
			t.Errorf("status %d, %q", status, rest)
		}
	})
	t.Run("progress", func(t *testing.T) {
		big := filepath.Join(dir, "a long name of a big file that does not fit into one line.img")
		if err := os.WriteFile(big, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(big, 1<<40); err != nil {
			t.Fatal(err)
		}
		s := sit(t, senim, io.Discard, "hash", big)
		s.await("0 %")
		s.await("of 1.0 TiB")
		s.await("left\x1b[K\r")
		s.types("\x03")
		status, rest := s.ends()
		text(status, rest, "\r\x1b[K")
		text(status, rest, "interrupted")
	})
	t.Run("no progress for programs", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), senim, "hash", file)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if out, err := cmd.Output(); err != nil || len(out) < 128 || errs.Len() > 0 {
			t.Errorf("%v, %q", err, errs.String())
		}
	})
}
