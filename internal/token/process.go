package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
	"unicode"
)

// process is a running senim-token with the token open.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  io.Reader
	said *tail
	stop context.CancelFunc
	tell func() // puts what was said into the log, once
}

// passed are the variables of the environment that drivers read: where SoftHSM's and OpenSC's
// settings are, and what finds shared libraries. Nothing else of ours reaches the driver.
func passed() []string {
	return []string{"SOFTHSM2_CONF", "OPENSC_CONF", "LD_LIBRARY_PATH", "PATH", "HOME"}
}

// start runs the program and opens the token in it.
func start(c Config) (*process, error) {
	p, err := launch(c)
	if err != nil {
		return nil, err
	}
	a, err := p.ask(request{Op: opOpen, Module: c.Module, Label: c.Label, Serial: c.Serial, PIN: c.PIN}, c.Timeout)
	if err == nil {
		err = a.failure()
	}
	if err != nil {
		_ = p.end() // the error that matters is the one above
		return nil, fmt.Errorf("open token %s: %w", c.Label, err)
	}
	return p, nil
}

// launch runs the program.
func launch(c Config) (*process, error) {
	ctx, stop := context.WithCancel(context.Background())
	p := &process{cmd: exec.CommandContext(ctx, c.Program, c.Args...), said: &tail{}, stop: stop} //nolint:gosec // the operator names the program
	p.cmd.Stderr = p.said
	p.cmd.Env = []string{}
	p.cmd.WaitDelay = time.Second
	for _, name := range passed() {
		if v, ok := os.LookupEnv(name); ok {
			p.cmd.Env = append(p.cmd.Env, name+"="+v)
		}
	}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		p.out, err = p.cmd.StdoutPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("start %s: %w", c.Program, err)
	}
	p.tell = sync.OnceFunc(func() {
		if said := clean(p.said.String(), c.PIN, tailSize); said != "" && c.Log != nil {
			c.Log.Warn("the driver of a token said", "module", c.Module, "text", said)
		}
	})
	return p, nil
}

// ask sends one request and waits for its answer; a program that takes too long is killed.
func (p *process) ask(q request, most time.Duration) (response, error) {
	timer := time.AfterFunc(most, p.stop)
	var a response
	err := send(p.in, q)
	if err == nil {
		err = receive(p.out, &a)
	}
	if !timer.Stop() && err != nil {
		return a, fmt.Errorf("%w: it did not answer within %s", ErrFailed, most)
	}
	if err != nil {
		return a, fmt.Errorf("%w: its program is gone: %w", ErrFailed, err)
	}
	return a, nil
}

// end lets the program finish and waits for it.
func (p *process) end() error {
	closed := p.in.Close()
	timer := time.AfterFunc(5*time.Second, p.stop)
	defer timer.Stop()
	err := p.cmd.Wait()
	p.stop()
	p.tell()
	if _, ended := errors.AsType[*exec.ExitError](err); ended || errors.Is(err, exec.ErrWaitDelay) {
		err = nil // how it ended says nothing once it was told to
	}
	return errors.Join(closed, err)
}

// tail keeps the last of what the program said on its standard error. It is a driver's own text: for the log, never
// for an error, which people and pages are shown.
type tail struct {
	mu sync.Mutex
	b  []byte // under mu
}

const tailSize = 1 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if extra := len(t.b) - tailSize; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// clean makes one bounded line of a text that is not ours, without the PIN.
func clean(text string, pin []byte, most int) string {
	text = strings.ToValidUTF8(text, "?")
	if len(pin) > 0 {
		text = strings.ReplaceAll(text, string(pin), "***")
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}
