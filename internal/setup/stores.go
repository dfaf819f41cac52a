package setup

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"senim/internal/agent"
)

// ownStores are the certificate stores a person may change.
func (m *Machine) ownStores() []Part {
	switch m.OS {
	case "windows":
		return []Part{rootStore{m}}
	case "darwin":
		return append([]Part{keychain{m}}, m.nss()...)
	}
	return m.nss()
}

// systemStores are those of the whole machine.
func (m *Machine) systemStores() []Part {
	if m.OS != "linux" {
		return nil // the person's own store is enough: Chromium and Firefox read it there
	}
	var parts []Part
	if b, ok := m.bundle(); ok {
		parts = append(parts, b)
	}
	return append(parts, firefoxPolicy{m})
}

// bundle is the list of roots that programs of a Linux system share, curl and native clients among them. Each
// person of the machine has an authority, and a file for it.
type bundle struct {
	m    *Machine
	file string   // where an administrator's own roots are put
	tool []string // what joins them into the list
}

// bundle finds how this distribution does it; each has a folder and a tool.
func (m *Machine) bundle() (bundle, bool) {
	for _, way := range []struct {
		dir, ext string
		tool     []string
	}{
		{"/etc/pki/ca-trust/source/anchors", ".pem", []string{"update-ca-trust", "extract"}},             // Fedora, RHEL
		{"/usr/local/share/ca-certificates", ".crt", []string{"update-ca-certificates"}},                 // Debian, Ubuntu, Alpine
		{"/etc/pki/trust/anchors", ".pem", []string{"update-ca-certificates"}},                           // SUSE
		{"/etc/ca-certificates/trust-source/anchors", ".crt", []string{"trust", "extract-compat"}},       // Arch
		{"/usr/share/ca-certificates/trust-source/anchors", ".crt", []string{"trust", "extract-compat"}}, // others with p11-kit
	} {
		if exists(m.path(way.dir)) {
			return bundle{m: m, file: m.path(way.dir, "senim-agent-"+m.installation()+way.ext), tool: way.tool}, true
		}
	}
	return bundle{}, false
}

func (b bundle) Kind() string  { return "bundle" }
func (b bundle) Where() string { return b.file }

func (b bundle) State(context.Context) (State, error) {
	got, err := readLimited(b.file, 64<<10)
	if errors.Is(err, os.ErrNotExist) {
		return Absent, nil
	}
	if err != nil {
		return Unknown, err
	}
	if want, err := b.m.pem(); err != nil || !bytes.Equal(got, want) {
		return Old, nil //nolint:nilerr // what stands there belongs to no authority we have: it is an old one
	}
	return Present, nil
}

func (b bundle) Put(ctx context.Context) error {
	content, err := b.m.pem()
	if err != nil {
		return err
	}
	if err := replace(b.file, content, 0o644); err != nil {
		return err
	}
	_, err = b.m.Run(ctx, b.tool[0], b.tool[1:]...)
	return err
}

func (b bundle) Take(ctx context.Context) error {
	if err := os.Remove(b.file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	args := b.tool[1:]
	if b.tool[0] == "update-ca-certificates" {
		args = []string{"--fresh"} // without it Debian's only adds
	}
	_, err := b.m.Run(ctx, b.tool[0], args...)
	return err
}

// authorityName is the name of the authority in stores, also when its file is gone or is not to be put there.
func (m *Machine) authorityName() string {
	if cert, err := m.authority(); err == nil {
		return cert.Subject.CommonName
	}
	return agent.AuthorityName()
}

// rootStore is the person's store of roots on Windows, which Chrome, Edge and Firefox read. Windows
// itself asks the person when a root is added or taken away.
type rootStore struct{ m *Machine }

func (s rootStore) Kind() string  { return "windows" }
func (s rootStore) Where() string { return `HKCU Root` }

// sha1Line is a fingerprint in what certutil.exe says, in whatever language.
var sha1Line = regexp.MustCompile(`(?i)\(sha1\)\s*:\s*((?:[0-9a-f]{2} ?){20})`)

// found lists the fingerprints of our authorities in the store, also of those whose file is gone or has ended.
func (s rootStore) found(ctx context.Context) (list []string) {
	out, err := s.m.Run(ctx, "certutil", "-user", "-store", "Root", s.m.authorityName())
	if err != nil {
		return nil // the tool's way to say that there is none
	}
	for _, match := range sha1Line.FindAllSubmatch(out, -1) {
		list = append(list, strings.ToLower(strings.ReplaceAll(string(match[1]), " ", "")))
	}
	return list
}

func (s rootStore) State(ctx context.Context) (State, error) {
	there := func(what string) bool { // the tool fails where there is none
		_, err := s.m.Run(ctx, "certutil", "-user", "-store", "Root", what)
		return err == nil
	}
	switch cert, err := s.m.authority(); {
	case err == nil && there(thumbprint(cert.Raw)):
		if len(others(s.found(ctx), cert)) > 0 {
			return Old, nil
		}
		return Present, nil
	case there(s.m.authorityName()): // also one whose file is gone or has ended
		return Old, nil
	}
	return Absent, nil
}

// others leaves out the authority that is to stay.
func others(list []string, cert *x509.Certificate) []string {
	return slices.DeleteFunc(list, func(sum string) bool { return sum == thumbprint(cert.Raw) })
}

// Put also takes older authorities of ours away: each could vouch for this machine.
func (s rootStore) Put(ctx context.Context) error {
	cert, err := s.m.authority()
	if err != nil {
		return err
	}
	if _, err := s.m.Run(ctx, "certutil", "-user", "-addstore", "Root", filepath.Join(s.m.Data, agent.AuthorityFile)); err != nil {
		return err
	}
	for _, sum := range others(s.found(ctx), cert) {
		if _, err := s.m.Run(ctx, "certutil", "-user", "-delstore", "Root", sum); err != nil {
			return fmt.Errorf("take an older one away: %w", err)
		}
	}
	return nil
}

// Take deletes by fingerprints, and by name where the tool shows none: an older authority of this machine goes too.
func (s rootStore) Take(ctx context.Context) error {
	list := s.found(ctx)
	if len(list) == 0 {
		list = []string{s.m.authorityName()}
	}
	for _, what := range list {
		if _, err := s.m.Run(ctx, "certutil", "-user", "-delstore", "Root", what); err != nil {
			return err
		}
	}
	return nil
}

// keychain is the person's keychain on macOS, which Safari, Chrome and Firefox read. macOS itself asks
// for the person's password.
type keychain struct{ m *Machine }

func (k keychain) Kind() string { return "keychain" }
func (k keychain) Where() string {
	return filepath.Join(k.m.Home, "Library/Keychains/login.keychain-db")
}

// found lists the SHA-1 of our authorities in the keychain, also of those whose file is gone or has ended.
func (k keychain) found(ctx context.Context) (list []string) {
	out, err := k.m.Run(ctx, "security", "find-certificate", "-a", "-Z", "-c", k.m.authorityName(), k.Where())
	if err != nil {
		return nil // the tool's way to say that there is none
	}
	for line := range strings.Lines(string(out)) {
		if sum, ok := strings.CutPrefix(strings.TrimSpace(line), "SHA-1 hash: "); ok {
			list = append(list, strings.ToLower(sum))
		}
	}
	return list
}

func (k keychain) State(ctx context.Context) (State, error) {
	list := k.found(ctx)
	if len(list) == 0 {
		return Absent, nil
	}
	path := filepath.Join(k.m.Data, agent.AuthorityFile)
	if _, err := k.m.Run(ctx, "security", "verify-cert", "-c", path, "-p", "ssl", "-l", "-L"); err != nil || len(list) > 1 {
		return Old, nil //nolint:nilerr // it is there and not trusted: as good as another one
	}
	return Present, nil
}

// Put also takes older authorities of ours away: each could vouch for this machine.
func (k keychain) Put(ctx context.Context) error {
	cert, err := k.m.authority()
	if err != nil {
		return err
	}
	if _, err := k.m.Run(ctx, "security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-k", k.Where(), filepath.Join(k.m.Data, agent.AuthorityFile)); err != nil {
		return err
	}
	return k.delete(ctx, others(k.found(ctx), cert))
}

func (k keychain) Take(ctx context.Context) error { return k.delete(ctx, k.found(ctx)) }

func (k keychain) delete(ctx context.Context, list []string) error {
	for _, sum := range list {
		if _, err := k.m.Run(ctx, "security", "delete-certificate", "-t", "-Z", strings.ToUpper(sum), k.Where()); err != nil {
			return fmt.Errorf("take out of the keychain: %w", err)
		}
	}
	return nil
}
