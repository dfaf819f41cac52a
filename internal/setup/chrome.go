package setup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The policies that let named sites reach this machine: the second one is what versions before 146
// know. A browser with a policy says that it is managed; so nobody gets one unasked.
var allowing = []string{"LoopbackNetworkAllowedForUrls", "LocalNetworkAccessAllowedForUrls"}

// blocking are the policies that come before ours when they name a site.
var blocking = []string{"LoopbackNetworkBlockedForUrls", "LocalNetworkAccessBlockedForUrls"}

// formerPolicy is our policy where builds of before put it for Yandex Browser, which does not read it there.
type formerPolicy struct{ policyFile }

func (m *Machine) formerPolicy() Part {
	return formerPolicy{policyFile{m, m.path("/etc/opt/yandex/policies/managed", "senim-agent.json")}}
}

func (p formerPolicy) State(context.Context) (State, error) {
	if exists(p.path) {
		return Old, nil
	}
	return Absent, nil
}

func (p formerPolicy) Put(context.Context) error  { return errors.New("no browser reads it there") }
func (p formerPolicy) Take(context.Context) error { return p.m.displace(p.path) }

// policies are the parts that let the named portals through: of browsers that are there, and those
// that were put there before.
func (m *Machine) policies() []Part {
	var parts []Part
	switch m.OS {
	case "linux":
		for _, c := range chromiums {
			if c.managed == "" {
				continue
			}
			if p := (policyFile{m, m.path(c.managed, "senim-agent.json")}); exists(p.path) || c.here(m) {
				parts = append(parts, p)
			}
		}
	case "darwin":
		parts = append(parts, macProfile{policyFile{m, m.path("/etc/senim-agent", "senim-agent.mobileconfig")}})
	case "windows":
		for _, c := range chromiums {
			for _, name := range allowing {
				if c.key != "" {
					parts = append(parts, policyKey{m, `HKLM\SOFTWARE\Policies\` + c.key + `\` + name})
				}
			}
		}
	}
	return parts
}

// policyFile is one browser's policy on Linux: a file of our own beside others, for all people of the machine.
// Of files that name the same policy the browser takes the last one by its name, and does not add them up: an
// administrator's is left to hold.
type policyFile struct {
	m    *Machine
	path string
}

func (p policyFile) Kind() string  { return "chrome-policy" }
func (p policyFile) Where() string { return p.path }

func (p policyFile) content(sites []string) ([]byte, error) {
	if p.m.OS == "darwin" {
		return mobileConfig(sites), nil
	}
	all := map[string][]string{}
	for _, name := range allowing {
		all[name] = sites
	}
	b, err := json.MarshalIndent(all, "", "  ")
	return append(b, '\n'), err
}

// theirs is a file of somebody else's that names such a policy, "" when there is none.
func (p policyFile) theirs() string {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(p.path), "*.json"))
	if err != nil {
		return ""
	}
	for _, path := range files {
		if path != p.path && slices.ContainsFunc(policiesIn(path), func(p policy) bool { return slices.Contains(allowing, p.name) }) {
			return path
		}
	}
	return ""
}

func (p policyFile) State(context.Context) (State, error) {
	l, err := p.m.ledger()
	if err != nil {
		return Unknown, err
	}
	b, err := p.m.read(p.path, 1<<20)
	gone := errors.Is(err, os.ErrNotExist)
	if err != nil && !gone {
		return Unknown, err
	}
	want, err := p.content(l.sites())
	if err != nil {
		return Unknown, err
	}
	mine, noted := l.Portals[p.m.installation()]
	if p.m.Everyone {
		if noted = len(l.Portals) > 0; !noted && gone {
			return Absent, nil
		}
		return Old, nil
	}
	switch whole := bytes.Equal(b, want); {
	case !noted && (gone || whole):
		return Absent, nil // there may be other people's
	case whole && p.theirs() == "" && slices.Equal(mine, p.m.Portals):
		return Present, nil
	}
	return Old, nil
}

func (p policyFile) Put(context.Context) error {
	if len(p.m.Portals) == 0 {
		return errors.New("no portal is named")
	}
	if path := p.theirs(); path != "" {
		return errors.Join(fmt.Errorf("the administrator's %s names such sites: it is left to hold, add yours there", path), p.m.displace(p.path))
	}
	l, err := p.m.ledger()
	if err != nil {
		return err
	}
	l.Portals[p.m.installation()] = p.m.Portals
	if err := l.write(p.m); err != nil {
		return err
	}
	b, err := p.content(l.sites())
	if err != nil {
		return err
	}
	return p.m.place(p.path, b)
}

// Take leaves what other people of the machine have put.
func (p policyFile) Take(context.Context) error {
	l, err := p.m.ledger()
	if err != nil {
		return err
	}
	delete(l.Portals, p.m.installation())
	if p.m.Everyone {
		clear(l.Portals)
	}
	if err := l.write(p.m); err != nil {
		return err
	}
	sites := l.sites()
	if len(sites) == 0 || p.theirs() != "" {
		return p.m.displace(p.path)
	}
	b, err := p.content(sites)
	if err != nil {
		return err
	}
	return p.m.place(p.path, b)
}

// policyKey is one policy of one browser in the registry of Windows: numbered values, to which others
// may have added theirs.
type policyKey struct {
	m   *Machine
	key string
}

func (p policyKey) Kind() string  { return "chrome-policy" }
func (p policyKey) Where() string { return p.key }

// Names of our values. Chromium passes over names that are no numbers.
const (
	ourFirst  = 13_579_000 // from here on they are told from an administrator's own, which begin at 1
	ofEach    = 1000       // numbers that one installation may use, so that they are told from another's
	ofAll     = 1_000_000  // places for installations
	afterOurs = ourFirst + ofAll*ofEach
)

// first is the name of this installation's first value.
func (p policyKey) first() int {
	sum := sha256.Sum256([]byte(p.m.Data))
	return ourFirst + int(binary.BigEndian.Uint32(sum[:])%ofAll)*ofEach
}

func (p policyKey) isOurs(name string) bool {
	n, err := strconv.Atoi(name)
	if p.m.Everyone {
		return err == nil && n >= ourFirst && n < afterOurs
	}
	return err == nil && n >= p.first() && n < p.first()+ofEach
}

func (p policyKey) State(context.Context) (State, error) {
	all, err := p.m.Registry.Values(p.key)
	if err != nil {
		return Unknown, err
	}
	var here []string
	for name, site := range all {
		if p.isOurs(name) {
			here = append(here, site)
		}
	}
	want := slices.Clone(p.m.Portals)
	slices.Sort(here)
	slices.Sort(want)
	switch {
	case len(here) == 0:
		return Absent, nil
	case !slices.Equal(here, want):
		return Old, nil
	}
	return Present, nil
}

func (p policyKey) Put(ctx context.Context) error {
	if err := p.Take(ctx); err != nil {
		return err
	}
	if len(p.m.Portals) > ofEach {
		return fmt.Errorf("more than %d portals", ofEach)
	}
	for i, site := range p.m.Portals {
		if err := p.m.Registry.Set(p.key, strconv.Itoa(p.first()+i), site); err != nil {
			return err
		}
	}
	return nil
}

// Take leaves the keys above as they are: browsers pass over an empty one.
func (p policyKey) Take(context.Context) error {
	all, err := p.m.Registry.Values(p.key)
	if err != nil {
		return err
	}
	for name := range all {
		if p.isOurs(name) {
			if err := p.m.Registry.Unset(p.key, name); err != nil {
				return err
			}
		}
	}
	return p.m.Registry.DropEmpty(p.key)
}

// Portal checks a site for the policy: https://host, or [*.]domain for all hosts under it. What names
// every site is refused.
func Portal(s string) error {
	var host string
	if rest, ok := strings.CutPrefix(s, "[*.]"); ok {
		host = rest
	} else {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || u.Path != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("portal %q: https://host or [*.]domain is expected", s)
		}
		host = u.Hostname()
	}
	if !domain.MatchString(host) {
		return fmt.Errorf("portal %q: https://host or [*.]domain is expected", s)
	}
	return nil
}

var domain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$`)
