//go:build unix

package setup

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// person is a user of the machine who is no administrator.
const person = 12345

// asRoot skips a test that makes what belongs to others.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only an administrator can make what belongs to another person")
	}
}

// TestPolicyIsLink: where the administrator keeps the policy elsewhere and a link stands for it, the link stays one, and what
// it names is merged and given back.
func TestPolicyIsLink(t *testing.T) {
	m := machine(t)
	f := firefoxPolicy{m}
	const theirs = `{"policies":{"DisableTelemetry":true}}`
	at := m.path("/srv/corp/policies.json")
	for name, link := range map[string][2]string{
		"the file": {f.Where(), "../../../srv/corp/policies.json"}, "its folder": {filepath.Dir(f.Where()), "../../srv/corp"}, "the folder above": {m.path(policyTop), "../srv/firefox"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.RemoveAll(m.path("/etc")); err != nil {
				t.Fatal(err)
			}
			write(t, at, theirs)
			write(t, m.path("/srv/firefox/policies/policies.json"), theirs)
			if err := errors.Join(os.MkdirAll(filepath.Dir(link[0]), 0o755), os.Symlink(link[1], link[0])); err != nil {
				t.Fatal(err)
			}
			if err := f.Put(t.Context()); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(link[0]); err != nil || info.Mode().Type() != os.ModeSymlink {
				t.Errorf("the link is gone: %v %v", info, err)
			}
			real := at
			if name == "the folder above" {
				real = m.path("/srv/firefox/policies/policies.json")
			}
			if b, err := os.ReadFile(real); err != nil || !strings.Contains(string(b), f.named()) || !strings.Contains(string(b), "DisableTelemetry") {
				t.Errorf("%s %v", b, err)
			}
			if err := f.Take(t.Context()); err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(real); err != nil || compact(t, string(b)) != theirs {
				t.Errorf("%s %v", b, err)
			}
			if info, err := os.Lstat(link[0]); err != nil || info.Mode().Type() != os.ModeSymlink {
				t.Errorf("the link is gone: %v %v", info, err)
			}
		})
	}
}

// TestEmptyPolicyLinkStays: a link to a policy that says nothing any more stays; the administrator made it.
func TestEmptyPolicyLinkStays(t *testing.T) {
	m := machine(t)
	f := firefoxPolicy{m}
	write(t, m.path("/srv/policies.json"), `{"policies":{}}`)
	if err := errors.Join(os.MkdirAll(filepath.Dir(f.Where()), 0o755), os.Symlink("/srv/policies.json", f.Where())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Put(t.Context()), f.Take(t.Context())); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(m.path("/srv/policies.json")); err != nil || compact(t, string(b)) != `{}` {
		t.Errorf("%s %v", b, err)
	}
	if _, err := os.Lstat(f.Where()); err != nil {
		t.Error(err)
	}
}

// TestOthersWay: nothing that an administrator's install writes goes by a way that another person can change: every file of
// the machine, with a link of that person's at every step of its path, or a folder or a pipe at the last ones. What
// is behind stays as it was.
func TestOthersWay(t *testing.T) {
	asRoot(t)
	m := machine(t)
	m.Portals = []string{"https://portal.example.kz"}
	m.Find = func(name string) (string, error) {
		if name == "certutil" {
			return "", exec.ErrNotFound // so that Firefox's policy is among the parts
		}
		return "/usr/bin/chromium", nil
	}
	m.Run = func(context.Context, string, ...string) ([]byte, error) { return nil, nil }
	id := m.installation()
	for _, target := range []string{
		"/etc/firefox/policies/policies.json", "/usr/local/share/ca-certificates/senim-agent-" + id + ".crt", "/etc/chromium/policies/managed/senim-agent.json",
		"/etc/senim-agent/installed.json", "/etc/firefox/policies/senim-agent-" + id + ".pem",
	} {
		for step := range strings.Count(target, "/") {
			for _, kind := range []string{"link", "folder", "open folder", "pipe"} {
				if kind == "pipe" && step > 0 || kind != "pipe" && kind != "link" && step > 1 {
					continue
				}
				if err := os.RemoveAll(m.Root); err != nil {
					t.Fatal(err)
				}
				path := m.path(target)
				for range step {
					path = filepath.Dir(path)
				}
				bait := m.path("/home/person/bait")
				behind := filepath.Dir(strings.TrimPrefix(m.path(target), path)) // the rest of the path is there, too
				write(t, filepath.Join(bait, behind, "theirs"), "x")
				if err := errors.Join(os.MkdirAll(m.path("/usr/local/share"), 0o755), os.RemoveAll(path), os.MkdirAll(filepath.Dir(path), 0o755), lay(path, behind, kind, bait)); err != nil {
					t.Fatal(err)
				}
				refused := false
				before := files(t, m.path("/home"))
				_ = Put(t.Context(), m.System(), func(_ Part, s State, err error) { refused = refused || s != Present && err != nil })
				if !refused {
					t.Errorf("%s as a %s was no hindrance", path, kind)
				}
				_ = Take(t.Context(), m.System(), func(Part, State, error) {})
				if after := files(t, m.path("/home")); !slices.Equal(before, after) {
					t.Errorf("%s as a %s: %v", path, kind, after)
				}
			}
		}
	}
}

// lay puts a person's own thing in the way, with the folders behind it.
func lay(path, behind, kind, bait string) error {
	switch kind {
	case "link":
		return errors.Join(os.Symlink(bait, path), os.Lchown(path, person, person))
	case "folder":
		return errors.Join(os.MkdirAll(filepath.Join(path, behind), 0o755), os.Chown(path, person, person))
	case "pipe":
		return syscall.Mkfifo(path, 0o644)
	}
	return errors.Join(os.MkdirAll(filepath.Join(path, behind), 0o755), os.Chmod(path, 0o777))
}

// TestLinksInCircle: a path without an end has one.
func TestLinksInCircle(t *testing.T) {
	m := machine(t)
	if err := errors.Join(os.MkdirAll(m.path("/etc"), 0o755), os.Symlink("b", m.path("/etc/a")), os.Symlink("a", m.path("/etc/b"))); err != nil {
		t.Fatal(err)
	}
	if _, err := m.firm(m.path("/etc/a/x")); err == nil {
		t.Error("it went round")
	}
	if err := os.Symlink("../../../../etc", m.path("/etc/up")); err != nil {
		t.Fatal(err)
	}
	if at, err := m.firm(m.path("/etc/up/new/x")); err != nil || at != m.path("/etc/new/x") {
		t.Errorf("%s %v", at, err)
	}
}

// TestOthersHome: an administrator's rights put nothing into another person's home, and a pipe laid for the certificate is
// not waited for.
func TestOthersHome(t *testing.T) {
	asRoot(t)
	m := machine(t)
	if err := m.OwnHome(); err != nil {
		t.Error(err)
	}
	if err := os.Chown(m.Home, person, person); err != nil {
		t.Fatal(err)
	}
	if err := m.OwnHome(); !errors.Is(err, ErrOthersHome) {
		t.Errorf("%v", err)
	}
	if err := m.Remember(); err != nil {
		t.Fatal(err)
	}
	if err := m.Recheck(t.Context(), func(p Part, _ State, _ error) { t.Errorf("%s was looked at", p.Where()) }); !errors.Is(err, ErrOthersHome) {
		t.Errorf("%v", err)
	}
	m.Data = t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(m.Data, "authority.crt"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := m.authority(); err == nil {
		t.Error("a pipe is a certificate")
	}
}
