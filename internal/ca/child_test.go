package ca_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"senim/internal/ca"
	"senim/internal/store"
	"senim/internal/vault"
)

// The children of these tests are this test binary again, as an authority over a real database and
// a real vault: what is killed must be a process.

// childTask is what a child is to do: the first line it reads, as JSON.
type childTask struct {
	URL, Vault, Node string
	Orders           []ca.Order
	// KillAt ends the process, by SIGKILL, when an order has come as far as this step.
	KillAt string
	// Times is how often each order is asked for at once.
	Times int
}

// childAnswer is one line that a child prints: what one call of Issue gave.
type childAnswer struct {
	Order, Serial, Refused string
	Raw                    []byte
}

const childEnv = "SENIM_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := child(context.Background(), bufio.NewReader(os.Stdin)); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child opens the authority, says so, and begins when a second line comes in.
func child(ctx context.Context, in *bufio.Reader) error {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var c childTask
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{URL: c.URL, Node: c.Node})
	if err != nil {
		return err
	}
	keys, err := vault.Open(c.Vault, []byte("passphrase of the test"))
	if err != nil {
		return err
	}
	authority, err := ca.Open(ctx, ca.Config{Store: s.CA(), Keys: keys})
	if err != nil {
		return err
	}
	if err := authority.Recover(ctx); err != nil {
		return err
	}
	authority.At(func(step string) {
		if step == c.KillAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(a childAnswer) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(a)
	}
	say(childAnswer{Order: "ready"})
	if _, err := in.ReadBytes('\n'); err != nil {
		return err
	}
	var group sync.WaitGroup
	for _, o := range c.Orders {
		for range c.Times {
			group.Go(func() {
				issued, err := authority.Issue(ctx, o)
				if err != nil {
					say(childAnswer{Order: o.ID, Refused: err.Error()})
					return
				}
				say(childAnswer{Order: o.ID, Serial: issued.Serial, Raw: issued.Raw})
			})
		}
	}
	group.Wait()
	return s.Close()
}

// process is a child that runs.
type process struct {
	cmd   *exec.Cmd
	begin io.WriteCloser
	out   *json.Decoder
	trial bytes.Buffer
}

// spawn starts a child and waits until it is ready.
func spawn(t *testing.T, c childTask) *process {
	t.Helper()
	task, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	p.cmd.Env = append(os.Environ(), childEnv+"=1")
	p.cmd.Stderr = &p.trial
	if p.begin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.out = json.NewDecoder(out)
	if _, err := p.begin.Write(append(task, '\n')); err != nil {
		t.Fatal(err)
	}
	if a, ok := p.next(); !ok || a.Order != "ready" {
		_ = p.cmd.Wait()
		t.Fatalf("the child is not ready: %s", &p.trial)
	}
	return p
}

// next reads one answer; false at the end.
func (p *process) next() (childAnswer, bool) {
	var a childAnswer
	err := p.out.Decode(&a)
	return a, err == nil
}

// start has the child begin.
func (p *process) start(t *testing.T) {
	t.Helper()
	if _, err := p.begin.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
}

// killed waits for the child and wants it to have ended by SIGKILL.
func (p *process) killed(t *testing.T) {
	t.Helper()
	err := p.cmd.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || !killedBy(e, syscall.SIGKILL) {
		t.Fatalf("the child was not killed: %v %s", err, &p.trial)
	}
}

func (p *process) ended(t *testing.T) {
	t.Helper()
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, &p.trial)
	}
}

func killedBy(e *exec.ExitError, s syscall.Signal) bool {
	w, ok := e.Sys().(syscall.WaitStatus)
	return ok && w.Signaled() && w.Signal() == s
}

// place is where an authority lives: a folder with its database and its vault.
type place struct {
	url, vault string
	opened     int
}

// newPlace creates an authority on disk and leaves it closed.
func newPlace(t *testing.T, url string) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{url: url, vault: filepath.Join(dir, "vault")}
	if url == "" {
		p.url = filepath.Join(dir, "senim.db")
	}
	s, err := store.Open(t.Context(), store.Config{URL: p.url, Node: "ceremony"})
	if err != nil {
		t.Fatal(err)
	}
	newAuthority(t, s, p.keys(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) keys(t *testing.T) *vault.Vault {
	t.Helper()
	v, err := vault.Open(p.vault, []byte("passphrase of the test"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// task is one for a child here, under a node's name of its own.
func (p *place) task(orders ...ca.Order) childTask {
	p.opened++
	return childTask{URL: p.url, Vault: p.vault, Node: "child-" + strconv.Itoa(p.opened), Orders: orders, Times: 1}
}
