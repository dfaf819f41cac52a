package setup

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
)

// ownStores are the certificate stores a person may change.
func (m *Machine) ownStores() []Part {
	switch m.OS {
	case "windows":
		return []Part{rootStore{m}}
	case "darwin":
		return append([]Part{keychain{m}}, m.macFirefox()...)
	}
	return m.nss()
}

// macFirefox lists the databases of Firefox on macOS that can be changed, or hold an authority of ours. Firefox reads the
// keychain there, so that where Mozilla's certutil is missing nothing is lost; whether it does, the doctor looks.
func (m *Machine) macFirefox() []Part {
	_, err := m.Find("certutil")
	return slices.DeleteFunc(m.nss(), func(p Part) bool {
		s, ok := p.(nssStore)
		if !ok || err == nil {
			return false
		}
		names, err := s.found()
		return err == nil && len(names) == 0
	})
}

// systemStores are those of the whole machine, and apart from them what is not wanted on it: where Mozilla's certutil is,
// each person's profiles are served by it, and Firefox's policy is not needed. What Firefox imports by that stays in its
// profiles when the policy is gone.
func (m *Machine) systemStores() (wanted, left []Part) {
	if m.OS != "linux" {
		return nil, nil // the person's own store is enough: Chromium and Firefox read it there
	}
	if b, ok := m.bundle(); ok {
		wanted = append(wanted, b)
	}
	if _, err := m.Find("certutil"); err == nil {
		return wanted, []Part{firefoxPolicy{m}}
	}
	return append(wanted, firefoxPolicy{m}), nil
}

// bundle is the list of roots that programs of a Linux system share, curl and native clients among them. Each
// person of the machine has an authority, and a file for it.
type bundle struct {
	m    *Machine
	file string   // where an administrator's own roots are put
	tool []string // what joins them into the list
}

// anchors are the folders for an administrator's own roots, by distribution, and what joins them into the list.
var anchors = []struct {
	dir, ext string
	tool     []string
}{
	{"/etc/pki/ca-trust/source/anchors", ".pem", []string{"update-ca-trust", "extract"}},             // Fedora, RHEL
	{"/usr/local/share/ca-certificates", ".crt", []string{"update-ca-certificates"}},                 // Debian, Ubuntu, Alpine
	{"/etc/pki/trust/anchors", ".pem", []string{"update-ca-certificates"}},                           // SUSE
	{"/etc/ca-certificates/trust-source/anchors", ".crt", []string{"trust", "extract-compat"}},       // Arch
	{"/usr/share/ca-certificates/trust-source/anchors", ".crt", []string{"trust", "extract-compat"}}, // others with p11-kit
}

// bundle finds how this distribution does it.
func (m *Machine) bundle() (bundle, bool) {
	for _, way := range anchors {
		if exists(m.path(way.dir)) {
			return bundle{m: m, file: m.path(way.dir, "senim-agent-"+m.installation()+way.ext), tool: way.tool}, true
		}
	}
	return bundle{}, false
}

func (b bundle) Kind() string  { return "bundle" }
func (b bundle) Where() string { return b.file }

func (b bundle) State(context.Context) (State, error) {
	got, err := b.m.read(b.file, 64<<10)
	gone := errors.Is(err, os.ErrNotExist)
	if err != nil && !gone {
		return Unknown, err
	}
	earlier := b.earlier()
	if gone && len(earlier) == 0 {
		return Absent, nil
	}
	if want, err := b.m.pem(); err != nil || len(earlier) > 0 || !bytes.Equal(got, want) {
		return Old, nil //nolint:nilerr // what stands there belongs to no authority we have: it is an old one
	}
	return Present, nil
}

// earlier lists files of ours that are not to stay, in the folder of any distribution.
func (b bundle) earlier() (list []string) {
	for _, way := range anchors {
		list = append(list, b.m.earlier(b.m.path(way.dir), b.file)...)
	}
	return list
}

// Put also takes earlier authorities of ours away: each could vouch for this machine.
func (b bundle) Put(ctx context.Context) error {
	content, err := b.m.pem()
	if err != nil {
		return err
	}
	earlier := b.earlier()
	if err := b.drop(earlier); err != nil {
		return err
	}
	if err := b.m.write(b.file, content); err != nil {
		return err
	}
	return b.join(ctx, len(earlier) > 0)
}

func (b bundle) Take(ctx context.Context) error {
	if err := b.drop(append(b.earlier(), b.file)); err != nil {
		return err
	}
	return b.join(ctx, true)
}

func (b bundle) drop(paths []string) error {
	for _, path := range paths {
		if err := b.m.unlink(path); err != nil {
			return err
		}
	}
	return nil
}

// join makes the list anew.
func (b bundle) join(ctx context.Context, fewer bool) error {
	args := b.tool[1:]
	if fewer && b.tool[0] == "update-ca-certificates" {
		args = []string{"--fresh"} // without it Debian's only adds
	}
	_, err := b.m.Run(ctx, b.tool[0], args...)
	return err
}
