package setup

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"senim/internal/agent"
)

// second is another person of the same machine.
func (m *Machine) second(t *testing.T) *Machine {
	t.Helper()
	other := *m
	other.Home = filepath.Join(filepath.Dir(m.Home), "second")
	other.Config = filepath.Join(other.Home, ".config")
	other.Data = filepath.Join(other.Config, "senim-agent")
	if _, err := agent.EnsureAuthority(other.Data); err != nil {
		t.Fatal(err)
	}
	return &other
}

// TestTwoPeople: what two people of one machine put for all of it does not undo each other, in whatever order it
// comes and goes.
func TestTwoPeople(t *testing.T) {
	unix(t)
	one := machine(t)
	one.Find = func(name string) (string, error) {
		if name == "chromium" || name == "google-chrome" {
			return "/usr/bin/" + name, nil
		}
		return "", exec.ErrNotFound
	}
	one.Run = func(context.Context, string, ...string) ([]byte, error) { return nil, nil }
	if err := os.MkdirAll(one.path("/usr/local/share/ca-certificates"), 0o755); err != nil {
		t.Fatal(err)
	}
	two := one.second(t)
	one.Portals, two.Portals = []string{"https://one.kz", "https://both.kz"}, []string{"[*.]two.kz", "https://both.kz"}
	for _, m := range []*Machine{one, two} {
		if err := Put(t.Context(), m.System(), quiet(t, Present)); err != nil {
			t.Fatal(err)
		}
	}
	stands := func(m *Machine) {
		t.Helper()
		for _, p := range m.System() {
			if p.Kind() == "chrome-policy" {
				continue // looked at by its content: another's addition is no reason to put it again
			}
			if s, err := p.State(t.Context()); s != Present || err != nil {
				t.Errorf("%s: %s %v", p.Where(), s, err)
			}
		}
	}
	stands(one)
	stands(two)
	policy := one.path("/etc/chromium/policies/managed/senim-agent.json")
	says := func(want string) {
		t.Helper()
		b, err := os.ReadFile(policy)
		if err != nil || !strings.Contains(compact(t, string(b)), `"LoopbackNetworkAllowedForUrls":[`+want+`]`) {
			t.Errorf("%s %v", b, err)
		}
	}
	says(`"[*.]two.kz","https://both.kz","https://one.kz"`)
	for _, p := range one.System() {
		if s, err := p.State(t.Context()); s != Present || err != nil {
			t.Errorf("%s: %s %v", p.Where(), s, err)
		}
	}
	if err := Take(t.Context(), one.System(), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	stands(two)
	says(`"[*.]two.kz","https://both.kz"`)
	if left, err := one.SystemLeft(t.Context()); left || err != nil {
		t.Errorf("the other's count as the first's: %v %v", left, err)
	}
	if err := Take(t.Context(), two.System(), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if left := files(t, one.Root); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if made, err := filepath.Glob(one.path("/etc/*")); err != nil || len(made) > 0 {
		t.Errorf("folders that were made stay: %v %v", made, err)
	}
}

// TestAdministratorsPolicy: the browser takes one file of those that name a policy, so an administrator's holds, and
// that is said. Folders that were there stay, empty or not.
func TestAdministratorsPolicy(t *testing.T) {
	unix(t)
	m := machine(t)
	m.Find = func(name string) (string, error) {
		if name == "chromium" || name == "google-chrome" {
			return "/usr/bin/" + name, nil
		}
		return "", exec.ErrNotFound
	}
	m.Portals = []string{"https://portal.example.kz"}
	empty := m.path("/etc/chromium/policies/managed")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	corporate := m.path("/etc/opt/chrome/policies/managed/corp.json")
	const theirs = `{"LoopbackNetworkAllowedForUrls":["https://corp.example.kz"]}`
	put := func() (refused string) {
		t.Helper()
		err := Put(t.Context(), m.policies(), func(p Part, s State, err error) {
			if strings.HasPrefix(p.Where(), empty) != (err == nil && s == Present) {
				t.Errorf("%s: %s %v", p.Where(), s, err)
			}
		})
		if err != nil {
			refused = err.Error()
		}
		return refused
	}
	write(t, corporate, `{"HomepageLocation":"https://corp"}`)
	if err := Put(t.Context(), m.policies(), quiet(t, Present)); err != nil {
		t.Fatal(err) // it names no such sites
	}
	write(t, corporate, theirs) // later
	if said := put(); !strings.Contains(said, corporate) {
		t.Errorf("%q", said)
	}
	if b, err := os.ReadFile(corporate); err != nil || string(b) != theirs || exists(filepath.Join(filepath.Dir(corporate), "senim-agent.json")) {
		t.Errorf("%s %v: %v", b, err, files(t, m.Root))
	}
	put() // again: the same
	if err := Take(t.Context(), m.policies(), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if left := files(t, m.Root); len(left) != 1 || !exists(empty) {
		t.Errorf("left: %v", left)
	}
	broken := firefoxPolicy{m}
	write(t, m.ledgerPath(), "{")
	if err := broken.Put(t.Context()); err == nil || exists(broken.copy()) {
		t.Errorf("with a broken ledger: %v", err)
	}
}
