package setup

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"
)

// starts are the start at sign-in and the entry in the menu, and apart from them what this choice does
// not want.
func (m *Machine) starts() (wanted, left []Part) {
	switch m.OS {
	case "windows":
		return []Part{runKey{m}}, nil
	case "darwin":
		return []Part{m.file("autostart", filepath.Join(m.Home, "Library", "LaunchAgents", "kz.senim.agent.plist"), m.plist())}, nil
	}
	entry := m.file("autostart", filepath.Join(m.Config, "autostart", "senim-agent.desktop"), m.desktopEntry(m.running(), true))
	unit := unitFile{m.file("autostart", filepath.Join(m.Config, "systemd", "user", "senim-agent.service"), m.unit())}
	menu := m.file("menu", filepath.Join(m.Home, ".local", "share", "applications", "senim-agent.desktop"), m.desktopEntry(m.command("open"), false))
	if wanted, left = []Part{entry}, []Part{unit}; m.Systemd {
		wanted, left = left, wanted
	}
	if strings.HasPrefix(m.Program, "/usr/") && !m.elsewhere() { // a package brought its own entry
		return wanted, append(left, menu)
	}
	return append(wanted, menu), left
}

// running is the command line of the agent that starts by itself: it waits for its port rather than
// give up before the person has signed in to anything.
func (m *Machine) running() []string {
	program := m.Program
	if quiet := strings.TrimSuffix(program, ".exe") + "w.exe"; m.OS == "windows" && exists(quiet) {
		program = quiet // the same without a console window
	}
	return append([]string{program, "--wait"}, m.Arguments...)
}

// command is the command line of a command of the agent's, which finds what was chosen.
func (m *Machine) command(name string) []string {
	words := []string{m.Program, name}
	if m.elsewhere() {
		words = append(words, "--data", m.Data)
	}
	return words
}

// elsewhere tells whether the agent's folder is another than usual.
func (m *Machine) elsewhere() bool { return slices.Contains(m.Arguments, "--data") }

// ownFile is a file of ours only.
type ownFile struct {
	m       *Machine
	kind    string
	path    string
	content []byte
}

func (m *Machine) file(kind, path string, content []byte) ownFile {
	return ownFile{m, kind, path, content}
}

func (f ownFile) Kind() string  { return f.kind }
func (f ownFile) Where() string { return f.path }

func (f ownFile) State(context.Context) (State, error) {
	b, err := readLimited(f.path, 1<<20)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Absent, nil
	case err != nil:
		return Unknown, err
	case !bytes.Equal(b, f.content):
		return Old, nil
	}
	return Present, nil
}

func (f ownFile) Put(context.Context) error {
	if err := f.m.prepare(filepath.Dir(f.path), 0o755); err != nil {
		return err
	}
	return replace(f.path, f.content, 0o644)
}

func (f ownFile) Take(context.Context) error { return f.m.discard(f.path) }

// desktopEntry is a file of the XDG kind, for the menu or for the start at sign-in.
func (m *Machine) desktopEntry(command []string, atSignIn bool) []byte {
	var b strings.Builder
	b.WriteString("[Desktop Entry]\nType=Application\nName=Senim\nComment=Signing agent\nComment[ru]=Программа для подписи\nComment[kk]=Қол қою бағдарламасы\n")
	// Without the program the entry counts as not there: a package may go before its people have taken theirs away.
	b.WriteString("TryExec=" + strings.ReplaceAll(command[0], `\`, `\\`) + "\nExec=" + execLine(command) + "\nIcon=senim-agent\nTerminal=false\nCategories=Utility;\n")
	if atSignIn {
		b.WriteString("X-GNOME-Autostart-enabled=true\n")
	}
	return []byte(b.String())
}

// execLine quotes a command as the Desktop Entry Specification wants it: first for the command line,
// then as a string of the file; % would be a field code.
func execLine(command []string) string {
	words := make([]string, len(command))
	for i, w := range command {
		w = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(w)
		words[i] = `"` + strings.NewReplacer(`\`, `\\`, `%`, `%%`).Replace(w) + `"`
	}
	return strings.Join(words, " ")
}

// unit is the same start by the person's systemd, which starts the agent again when it ends badly.
func (m *Machine) unit() []byte {
	words := m.running()
	for i, w := range words {
		words[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`).Replace(w) + `"`
	}
	return []byte("[Unit]\nDescription=Senim signing agent\nConditionFileIsExecutable=" + strings.ReplaceAll(m.Program, "%", "%%") +
		"\nPartOf=graphical-session.target\nAfter=graphical-session.target\n\n" +
		"[Service]\nExecStart=" + strings.Join(words, " ") + "\nRestart=on-failure\nRestartSec=5\n\n" +
		"[Install]\nWantedBy=graphical-session.target\n")
}

// unitFile is the unit and its link among what the session wants, which systemctl enable would make.
type unitFile struct{ ownFile }

func (u unitFile) link() string {
	return filepath.Join(filepath.Dir(u.path), "graphical-session.target.wants", filepath.Base(u.path))
}

func (u unitFile) State(ctx context.Context) (State, error) {
	state, err := u.ownFile.State(ctx)
	if state == Present && !exists(u.link()) {
		return Old, err
	}
	return state, err
}

func (u unitFile) Put(ctx context.Context) error {
	if err := u.ownFile.Put(ctx); err != nil {
		return err
	}
	if err := u.m.prepare(filepath.Dir(u.link()), 0o755); err != nil { // as systemctl makes it
		return err
	}
	if err := os.Symlink(u.path, u.link()); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	u.reload(ctx)
	return nil
}

func (u unitFile) Take(ctx context.Context) error {
	err := errors.Join(u.m.discard(u.link()), u.ownFile.Take(ctx))
	u.reload(ctx)
	return err
}

// reload tells a systemd that runs; where none does, it reads the files when it starts.
func (u unitFile) reload(ctx context.Context) {
	_, _ = u.m.Run(ctx, "systemctl", "--user", "daemon-reload")
}

// plist is the start at sign-in on macOS.
func (m *Machine) plist() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` +
		"\n<plist version=\"1.0\"><dict>\n<key>Label</key><string>kz.senim.agent</string>\n<key>ProgramArguments</key><array>\n")
	for _, w := range m.running() {
		b.WriteString("<string>")
		_ = xml.EscapeText(&b, []byte(w)) // a buffer takes everything
		b.WriteString("</string>\n")
	}
	b.WriteString("</array>\n<key>RunAtLoad</key><true/>\n<key>ProcessType</key><string>Interactive</string>\n</dict></plist>\n")
	return b.Bytes()
}

// runKey is the start at sign-in on Windows.
type runKey struct{ m *Machine }

const runPath = `HKCU\Software\Microsoft\Windows\CurrentVersion\Run`

func (r runKey) Kind() string  { return "autostart" }
func (r runKey) Where() string { return runPath + `\SenimAgent` }

// longestRun is how long a line Windows starts from there; it passes over a longer one without a word.
const longestRun = 260

// line is the agent's command line, or when that is too long one that starts it as it was chosen and written down.
func (r runKey) line() string {
	running := r.m.running()
	line := windowsLine(running)
	if len(utf16.Encode([]rune(line))) <= longestRun {
		return line
	}
	short := r.m.command("start")
	short[0] = running[0]
	return windowsLine(short)
}

// windowsLine quotes as the C run-time of Windows reads it.
func windowsLine(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = windowsWord(w)
	}
	return strings.Join(quoted, " ")
}

func windowsWord(w string) string {
	var b strings.Builder
	slashes := 0
	for _, c := range w {
		switch c {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes+1))
			slashes = 0
		default:
			slashes = 0
		}
		b.WriteRune(c)
	}
	return `"` + b.String() + strings.Repeat(`\`, slashes) + `"`
}

func (r runKey) State(context.Context) (State, error) {
	all, err := r.m.Registry.Values(runPath)
	if err != nil {
		return Unknown, err
	}
	switch line, there := all["SenimAgent"]; {
	case !there:
		return Absent, nil
	case line != r.line():
		return Old, nil
	}
	return Present, nil
}

func (r runKey) Put(context.Context) error {
	line := r.line()
	if n := len(utf16.Encode([]rune(line))); n > longestRun {
		return fmt.Errorf("the command line has %d letters, Windows starts %d at most", n, longestRun)
	}
	return r.m.Registry.Set(runPath, "SenimAgent", line)
}

func (r runKey) Take(context.Context) error { return r.m.Registry.Unset(runPath, "SenimAgent") }
