package robot

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"senim/internal/freeport"
)

// Person is one of the demo's people with his key files.
type Person struct {
	// Who names the part he plays: "old-head", "new-head", "person", "clerk-1", "clerk-2", …
	Who string `json:"who"`
	// Name is as his certificate has it; IIN too.
	Name string `json:"name"`
	IIN  string `json:"iin"`
	// Email is the address his letters go to, Phone where short messages go; he may have none.
	Email string `json:"email"`
	Phone string `json:"phone,omitempty"`
	// Folder holds his key files; Password opens them, and PortalPassword is his on the portal.
	Folder         string `json:"folder"`
	Password       string `json:"password"`
	PortalPassword string `json:"portal_password,omitempty"`
	// Keys are his key files by the folder they lie in, as "personal".
	Keys map[string]string `json:"keys"`
}

// Running is what a started server tells about itself in running.json, in its data folder.
type Running struct {
	Cabinet   string `json:"cabinet"`
	Portal    string `json:"portal"`
	Responder string `json:"responder"`
	Mailbox   string `json:"mailbox"`
	// OCSP maps key identifiers of the issuing authorities to where their status is asked.
	OCSP   map[string]string `json:"ocsp"`
	People []Person          `json:"people"`
}

// RunningFile is the name of that file.
const RunningFile = "running.json"

// System is a server and an agent running as separate processes on free ports.
type System struct {
	Running
	// Dir is the data folder of the server; the agent's is beside it.
	Dir string
	// Agent is how to reach the agent and its windows.
	Agent *Agent

	mu        sync.Mutex
	processes []*process
	codes     map[string]int // the last letter with a code read for each address
}

// Config says how to start a System.
type Config struct {
	// Bin is the folder of the built programs.
	Bin string
	// Dir is an empty folder to work in.
	Dir string
	// Server and AgentArgs are further flags.
	Server, AgentArgs []string
	// AskStatus has the agent ask our responder for the status of keys; without it the agent cannot
	// check, says so, and leaves the verdict to the pages.
	AskStatus bool
	// Log takes what the programs write on standard error; nil discards.
	Log io.Writer
}

// Start starts the server, waits until it answers, and starts the agent.
func Start(ctx context.Context, c Config) (*System, error) {
	s := &System{Dir: filepath.Join(c.Dir, "server")}
	if c.Log != nil {
		c.Log = &oneAtATime{w: c.Log}
	}
	held, err := freeport.Hold(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = held.Close() }()
	agent := held.Addr().String()
	socket := "ws://" + agent + "/"
	args := append([]string{"serve", "-data", s.Dir, "-cabinet", "127.0.0.1:0", "-portal", "127.0.0.1:0", "-responder", "127.0.0.1:0",
		"-mailbox", "127.0.0.1:0", "-mailbox.smtp", "127.0.0.1:0", "-agent-urls", socket, "-rsa-bits", "2048"}, c.Server...)
	if _, err := s.run(ctx, c, "senimd", args, "ready"); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	b, err := os.ReadFile(filepath.Join(s.Dir, RunningFile))
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	if err := json.Unmarshal(b, &s.Running); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", RunningFile, err), s.Stop())
	}
	args = append([]string{"--listen", agent, "--browser", "none", "--keychain=false", "--data", filepath.Join(c.Dir, "agent"),
		"--keys", filepath.Join(s.Dir, "keys"), "--trust", filepath.Join(s.Dir, "trust")}, c.AgentArgs...)
	if c.AskStatus {
		for ski, url := range s.OCSP {
			args = append(args, "--ocsp", ski+"="+url)
		}
	}
	if err := held.Close(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	p, err := s.run(ctx, c, "senim-agent", args, "listening")
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	s.Agent = &Agent{Socket: socket, windows: p.windows}
	return s, nil
}

// Person finds one of the people by the part he plays; there must be one.
func (s *System) Person(who string) Person {
	for _, p := range s.People {
		if p.Who == who {
			return p
		}
	}
	return Person{Who: who, Name: "nobody of the demo plays " + who}
}

// StopAgent ends the agent alone, as a person quits a program.
func (s *System) StopAgent() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.processes {
		if p.name == "senim-agent" {
			s.processes = append(s.processes[:i], s.processes[i+1:]...)
			return p.stop()
		}
	}
	return nil
}

// Stop ends both programs and waits for them.
func (s *System) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for i := len(s.processes) - 1; i >= 0; i-- {
		err = errors.Join(err, s.processes[i].stop())
	}
	s.processes = nil
	return err
}

// oneAtATime lets two programs write to one place.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneAtATime) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(b)
}

// process is one started program. Its lines of standard output are read until it ends.
type process struct {
	name    string
	cmd     *exec.Cmd
	windows chan string // addresses of windows the agent opened
	done    chan struct{}
}

// run starts a program and waits for a line of its output that begins with ready.
func (s *System) run(ctx context.Context, c Config, name string, args []string, ready string) (*process, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Bin, name), args...) //nolint:gosec // our own programs
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = stopWait
	cmd.Stderr = c.Log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, windows: make(chan string, 16), done: make(chan struct{})}
	s.mu.Lock()
	s.processes = append(s.processes, p)
	s.mu.Unlock()
	up := make(chan struct{})
	go p.read(out, ready, up)
	select {
	case <-up:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("start %s: it ended at once, see its messages", name)
	case <-time.After(startWait):
		return nil, fmt.Errorf("start %s: not ready after %s", name, startWait)
	}
}

const (
	startWait = 2 * time.Minute
	stopWait  = 15 * time.Second
)

func (p *process) read(out io.Reader, ready string, up chan<- struct{}) {
	defer close(p.done)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := lines.Text()
		if up != nil && strings.HasPrefix(line, ready) {
			close(up)
			up = nil
		}
		if address, ok := strings.CutPrefix(line, "window "); ok {
			p.windows <- strings.TrimSpace(address)
		}
	}
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	late := time.AfterFunc(stopWait, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	<-p.done
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, context.Canceled) {
		return nil // an interrupted program may end with any status
	}
	return err
}
