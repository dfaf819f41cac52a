package setup

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"senim/internal/agent"
	"senim/internal/keystore"
)

// Agent tells apart what a page shows as one and the same "start the program": nothing runs,
// another program has the port, ours refuses this user, ours runs.
func (m *Machine) Agent(ctx context.Context, q Question) []Finding {
	answer := Probe(ctx, q.Address)
	_, text, err := net.SplitHostPort(q.Address)
	if err != nil {
		return []Finding{{ID: "agent-absent", Level: Bad, Where: q.Address}}
	}
	switch answer.State {
	case "free":
		return []Finding{{ID: "agent-absent", Level: Bad, Where: q.Address}}
	case "ours":
		found := []Finding{{ID: "agent-runs", Level: Good, Where: q.Address, Vars: []any{"version", answer.Version}}}
		if answer.Version != q.Version {
			found = append(found, Finding{ID: "agent-old", Level: Warning, Vars: []any{"version", answer.Version, "here", q.Version}})
		}
		if err := m.Served(ctx, q.Address); err != nil {
			found = append(found, Finding{ID: "tls-bad", Level: Bad, Where: m.Data})
		}
		if host, port, err := net.SplitHostPort(q.Address); err == nil && host == "127.0.0.1" && stranger(ctx, net.JoinHostPort("::1", port)) {
			found = append(found, Finding{ID: "localhost-taken", Level: Warning, Where: net.JoinHostPort("::1", port)})
		}
		return found
	case "refuses":
		return []Finding{{ID: "agent-refuses", Level: Bad, Where: q.Address}}
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return []Finding{{ID: "port-unknown", Level: Bad, Where: q.Address}}
	}
	return []Finding{PortTaken(port)}
}

// stranger tells whether another program than an agent of ours answers at an address.
func stranger(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return false // nobody, or no such addresses on this machine
	}
	_ = c.Close()
	return Probe(ctx, address).State != "ours"
}

// PortTaken explains a port that another program has.
func PortTaken(port int) Finding {
	h, err := agent.PortHolder(port)
	switch {
	case err != nil || h.Name == "" && !h.OtherUser:
		return Finding{ID: "port-unknown", Level: Bad, Where: strconv.Itoa(port)}
	case h.OtherUser:
		return Finding{ID: "port-other-user", Level: Bad, Where: strconv.Itoa(port)}
	}
	return Finding{ID: "port-taken", Level: Bad, Where: strconv.Itoa(port), Vars: []any{"program", h.Name, "path", h.Path, "pid", h.PID}}
}

// lookAuthority looks at the files that TLS hangs on.
func (m *Machine) lookAuthority() []Finding {
	var found []Finding
	path := filepath.Join(m.Data, agent.AuthorityFile)
	key := filepath.Join(m.Data, agent.AuthorityKeyFile)
	cert, err := m.authority()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return []Finding{{ID: "authority-absent", Level: Bad, Where: path}}
	case errors.Is(err, errBroad):
		return []Finding{{ID: "authority-broad", Level: Bad, Where: path}}
	case errors.Is(err, errExpired):
		return []Finding{{ID: "authority-expired", Level: Bad, Where: path}}
	case err != nil:
		return []Finding{{ID: "authority-broken", Level: Bad, Where: path}}
	case time.Now().Before(cert.NotBefore):
		found = append(found, Finding{ID: "clock", Level: Bad})
	}
	if _, err := tls.LoadX509KeyPair(path, key); err != nil {
		return append(found, Finding{ID: "authority-broken", Level: Bad, Where: key})
	}
	open := "data-open"
	if m.OS == "windows" { // there is no chmod
		open = "data-shared"
	}
	for _, p := range []string{key, m.Data} {
		if private, err := keystore.Private(p); err != nil || !private {
			found = append(found, Finding{ID: open, Level: Bad, Where: p})
		}
	}
	return append(found, Finding{ID: "authority", Level: Good, Where: path})
}

// lookStores looks into every store that a browser of this person reads.
func (m *Machine) lookStores(ctx context.Context) []Finding {
	var found []Finding
	policy := firefoxPolicy{m}
	for _, p := range m.ownStores() {
		state, err := p.State(ctx)
		f := Finding{ID: "store", Level: Good, Where: p.Where()}
		switch state {
		case Present:
		case Absent:
			f.ID, f.Level = "store-absent", Bad
		case Old:
			f.ID, f.Level = "store-old", Bad
		case Unknown:
			f.ID, f.Level = "store-unknown", Unsure
			if errors.Is(err, errNoTool) {
				f.ID = "store-no-tool"
			}
		}
		if p.Kind() == "firefox" && state != Present && m.OS == "linux" {
			if by, _ := policy.State(ctx); by == Present { // every profile of Firefox imports it by itself
				f = Finding{ID: "store-policy", Level: Good, Where: p.Where()}
			}
		}
		found = append(found, f)
	}
	return found
}

// lookStart looks whether the agent starts by itself, and whether another program will be quicker.
func (m *Machine) lookStart(ctx context.Context) []Finding {
	var found []Finding
	if _, err := m.Recall(); err != nil {
		found = append(found, Finding{ID: "record-broken", Level: Warning, Where: m.recordPath()})
	}
	wanted, _ := m.starts()
	for _, p := range wanted {
		if p.Kind() != "autostart" {
			continue
		}
		switch state, _ := p.State(ctx); state {
		case Present:
			found = append(found, Finding{ID: "autostart", Level: Good, Where: p.Where()})
		case Old:
			found = append(found, Finding{ID: "autostart-old", Level: Warning, Where: p.Where()})
		case Absent:
			found = append(found, Finding{ID: "autostart-absent", Level: Warning, Where: p.Where()})
		case Unknown:
			found = append(found, Finding{ID: "autostart-unknown", Level: Unsure, Where: p.Where()})
		}
	}
	if m.OS == "windows" {
		return append(found, m.rivalsInRegistry()...)
	}
	for _, dir := range []string{filepath.Join(m.Config, "autostart"), m.path("/etc/xdg/autostart")} {
		entries, err := filepath.Glob(filepath.Join(dir, "*.desktop"))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if rival(filepath.Base(e)) {
				found = append(found, Finding{ID: "rival", Level: Warning, Where: e})
			}
		}
	}
	return found
}

// rival tells whether what starts at sign-in is a program that takes the agent's port.
func rival(what string) bool {
	what = strings.ToLower(what)
	return strings.Contains(what, "ncalayer") || strings.Contains(what, "kaztoken")
}

// rivalsInRegistry looks for them where Windows starts programs at sign-in.
func (m *Machine) rivalsInRegistry() (found []Finding) {
	for _, key := range []string{runPath, `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run`} {
		all, err := m.Registry.Values(key)
		if err != nil {
			continue
		}
		for name, line := range all {
			if rival(name) || rival(line) {
				found = append(found, Finding{ID: "rival", Level: Warning, Where: key + `\` + name})
			}
		}
	}
	return found
}

// lookNetwork looks at what stands between a browser and this machine itself.
func (m *Machine) lookNetwork(ctx context.Context) []Finding {
	var found []Finding
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, "localhost")
	if err != nil {
		found = append(found, Finding{ID: "localhost", Level: Warning, Where: "localhost"})
	}
	for _, a := range addresses {
		if ip := net.ParseIP(a); ip == nil || !ip.IsLoopback() {
			found = append(found, Finding{ID: "localhost", Level: Warning, Where: a})
		}
	}
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy"} {
		set := os.Getenv(name) + os.Getenv(strings.ToUpper(name))
		spared := os.Getenv("no_proxy") + "," + os.Getenv("NO_PROXY")
		if set != "" && !strings.Contains(spared, "127.0.0.1") {
			found = append(found, Finding{ID: "proxy", Level: Warning, Where: name}) // never its value: it may hold a password
			break
		}
	}
	return found
}
