package setup

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
		if m.reserved(ctx, text) {
			return []Finding{{ID: "port-reserved", Level: Bad, Where: text}}
		}
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
	if left := time.Until(cert.NotAfter); left < agent.AuthorityRenew {
		return append(found, Finding{ID: "authority-ends", Level: Warning, Where: path, Vars: []any{"n", int(left / (24 * time.Hour))}})
	}
	return append(found, Finding{ID: "authority", Level: Good, Where: path})
}

// lookBroken tells which files of the agent's could not be read, or cannot.
func (m *Machine) lookBroken() (found []Finding) {
	for _, f := range agent.FindBroken(m.Data) {
		found = append(found, Finding{ID: "broken-" + f.Kind, Level: Warning, Where: f.Path})
	}
	return found
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
			if s, ok := p.(nssStore); ok && s.only() {
				f.ID, f.Level = "store-more", Warning
			}
		case Unknown:
			f.ID, f.Level = "store-unknown", Unsure
		}
		if errors.Is(err, errNoTool) {
			f.ID, f.Level = "store-no-tool", Bad
		}
		if p.Kind() == "firefox" && state != Present && m.OS == "linux" && readsPolicy(p.Where()) {
			if by, _ := policy.State(ctx); by == Present { // every profile of Firefox imports it by itself
				f = Finding{ID: "store-policy", Level: Good, Where: p.Where()}
			}
		}
		found = append(found, f)
	}
	return found
}

// readsPolicy tells whether the program of a profile reads the machine's policy of Firefox: neither what flatpak brought
// nor LibreWolf does.
func readsPolicy(profile string) bool {
	profile = filepath.ToSlash(profile)
	return strings.Contains(profile, "mozilla/firefox/") && !strings.Contains(profile, "/.var/app/")
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
	for _, where := range m.rivals() {
		found = append(found, Finding{ID: "rival", Level: Warning, Where: where})
	}
	if m.Translocated() {
		found = append(found, Finding{ID: "translocated", Level: Bad, Where: m.Program})
	}
	return found
}

// rivals finds other programs that start by themselves and take the same port.
func (m *Machine) rivals() (list []string) {
	is := func(s string) bool {
		s = strings.ToLower(s)
		return strings.Contains(s, "ncalayer") || strings.Contains(s, "kaztoken")
	}
	var patterns []string
	switch m.OS {
	case "windows":
		for _, key := range []string{runPath, `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run`} {
			all, err := m.Registry.Values(key)
			if err != nil {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(all)) {
				if is(name) || is(all[name]) {
					list = append(list, key+`\`+name)
				}
			}
		}
		patterns = []string{filepath.Join(m.Home, "AppData", "Roaming", "Microsoft", "Windows", "Start Menu", "Programs", "Startup", "*")}
	case "darwin":
		patterns = []string{filepath.Join(m.Home, "Library", "LaunchAgents", "*.plist"), m.path("/Library/LaunchAgents/*.plist")}
	default:
		patterns = []string{filepath.Join(m.Config, "autostart", "*.desktop"), m.path("/etc/xdg/autostart/*.desktop")}
	}
	for _, pattern := range patterns {
		entries, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if is(filepath.Base(e)) {
				list = append(list, e)
			}
		}
	}
	return list
}

// Translocated tells whether macOS runs the program from a copy that it makes at each start, as long as the application
// lies where it was downloaded to: what starts it at sign-in would name what is not there.
func (m *Machine) Translocated() bool {
	return m.OS == "darwin" && strings.Contains(m.Program, "/AppTranslocation/")
}

var portRange = regexp.MustCompile(`(?m)^\s+(\d+)\s+(\d+)\s*(\*?)\s*$`)

// reserved tells whether Windows keeps the port for itself: Hyper-V and what stands on it reserve hundreds at each start,
// and then no program may listen there. What an administrator reserved, with a star, is open to programs.
func (m *Machine) reserved(ctx context.Context, port string) bool {
	wanted, err := strconv.Atoi(port)
	if m.OS != "windows" || err != nil {
		return false
	}
	out, err := m.Run(ctx, "netsh", "interface", "ipv4", "show", "excludedportrange", "protocol=tcp")
	if err != nil {
		return false
	}
	for _, match := range portRange.FindAllStringSubmatch(string(out), -1) {
		first, err := strconv.Atoi(match[1])
		last, also := strconv.Atoi(match[2])
		if err == nil && also == nil && match[3] == "" && first <= wanted && wanted <= last {
			return true
		}
	}
	return false
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
