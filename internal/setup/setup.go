// Package setup puts the agent on a person's machine, looks whether it stands there, and takes it away.
//
// What is put there is a list of parts: the trust of each certificate store, the start at sign-in,
// the entry in the menu, and, when asked for, the browsers' policies. A part knows its state, puts
// itself, and takes itself away; each of these may be repeated. Nothing of another program is changed:
// files that others write too are read, merged, and given back as they were.
//
// The parts of one person need no rights; those of the whole machine ([Machine.System]) need an
// administrator's. [Machine.Doctor] finds what keeps pages from reaching the agent, and says why.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"senim/internal/agent"
	"senim/internal/keystore"
)

// Machine is where the agent is put. The zero value is not of use: see [This].
type Machine struct {
	OS     string // linux, windows, darwin
	Root   string // prefix of the machine's own paths; "" is the machine itself
	Home   string // of the person
	Config string // the person's folder of settings
	Data   string // the agent's own folder

	Program   string   // the agent's program, absolute
	Arguments []string // the agent is started with these
	Portals   []string // sites that browsers may let reach the agent without asking; none: no policy
	Everyone  bool     // what is taken away of the machine's is that of every person, as when the program goes
	Systemd   bool     // start by the person's systemd instead of the desktop

	// Run starts a tool of the system and gives what it wrote. Find looks for one.
	Run  func(ctx context.Context, name string, args ...string) ([]byte, error)
	Find func(name string) (string, error)
	// TryBrowsers tries whether a browser shows a window, Examine what else the agent has to do with: [agent.TryBrowsers],
	// [agent.Examine]. Nil: the doctor does not look.
	TryBrowsers func(ctx context.Context) (trials []agent.Trial, opener bool)
	Examine     func(ctx context.Context) ([]agent.Trouble, error)
	// Of Windows.
	Registry Registry
	Roots    Roots
}

// This is the machine the program runs on.
func This(data string) (*Machine, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("look at this machine: %w", err)
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return nil, fmt.Errorf("look at this machine: %w", err)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("look at this machine: %w", err)
	}
	if data, err = filepath.Abs(data); err != nil {
		return nil, fmt.Errorf("look at this machine: %w", err)
	}
	return &Machine{OS: runtime.GOOS, Home: home, Config: config, Data: data, Program: program, Run: run, Find: exec.LookPath, Registry: thisRegistry(), Roots: thisRoots()}, nil
}

// run starts a tool without anything to read: one that asks for a password fails at once.
func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // tools of the system, named by this package
	c.Env = append(os.Environ(), "LC_ALL=C")     // what tools say is read
	out, err := c.CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, firstLine(out))
	}
	return out, nil
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(line)
}

// State is how a part stands.
type State int

// States of a part. Unknown is not good: it could not be looked at.
const (
	Absent State = iota
	Present
	Old // there, but of another installation: another authority, another program
	Unknown
)

func (s State) String() string { return [...]string{"absent", "present", "old", "unknown"}[s] }

// Part is one thing that is put on a machine.
type Part interface {
	Kind() string  // its name in the texts: setup.part.<kind>
	Where() string // the file, folder or store
	// State looks; the error says why a state is [Unknown].
	State(ctx context.Context) (State, error)
	Put(ctx context.Context) error
	Take(ctx context.Context) error
}

// Own lists the parts of the person: they need no special rights.
func (m *Machine) Own() []Part {
	wanted, _ := m.starts()
	return append(m.ownStores(), wanted...)
}

// System lists the parts of the whole machine: they need an administrator's rights.
func (m *Machine) System() []Part {
	parts, _ := m.systemStores()
	if len(m.Portals) > 0 {
		parts = append(parts, m.policies()...)
	}
	return parts
}

// Left lists what another choice may have put there and this one does not want.
func (m *Machine) Left(system bool) []Part {
	if !system {
		_, left := m.starts()
		return left
	}
	_, left := m.systemStores()
	if m.OS == "linux" {
		left = append(left, m.formerPolicy())
	}
	if len(m.Portals) > 0 {
		return left
	}
	return append(left, m.policies()...)
}

// Put puts the parts that are not there, and writes a line for each. It goes on after a failure and
// gives all of them.
func Put(ctx context.Context, parts []Part, say func(p Part, s State, err error)) error {
	var failed error
	for _, p := range parts {
		state, err := p.State(ctx)
		if state != Present {
			if err = p.Put(ctx); err == nil {
				state, err = p.State(ctx) // what a tool says it did is looked at
			}
			if err == nil && state != Present {
				err = errors.New("it was put there and is not there")
			}
		}
		say(p, state, err)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.Where(), err))
		}
	}
	return failed
}

// Take takes away the parts that are there, of this installation or an older one.
func Take(ctx context.Context, parts []Part, say func(p Part, s State, err error)) error {
	var failed error
	for _, p := range parts {
		state, err := p.State(ctx)
		if state == Absent {
			continue
		}
		if state == Present || state == Old {
			if err = p.Take(ctx); err == nil {
				state, err = p.State(ctx)
			}
			if err == nil && state != Absent {
				err = errors.New("it was taken away and is still there")
			}
		}
		say(p, state, err)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.Where(), err))
		}
	}
	return failed
}

// path is a path of the machine.
func (m *Machine) path(parts ...string) string {
	return filepath.Join(append([]string{m.Root}, parts...)...)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// replace writes a file in one step, and the folders above it.
func replace(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // folders that others read
		return err
	}
	return keystore.ReplaceAs(path, content, mode)
}

// readLimited reads a file that is a few kilobytes by nature, and nothing but a file: a pipe that somebody laid there
// would be waited for.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a file", path), err)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	return b, err
}
