package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"senim/internal/agent"
)

// nssStore is one database of Mozilla's library: Chromium's on Linux, or of one Firefox profile.
type nssStore struct {
	m    *Machine
	dir  string
	kind string
}

// profiles are where programs keep such databases, under the person's home. New profiles appear
// later: the agent looks again when it starts.
var profiles = []struct{ kind, pattern string }{
	{"chromium", "snap/chromium/current/.pki/nssdb"},
	{"chromium", "snap/chromium/common/.pki/nssdb"},
	{"chromium", ".var/app/*/.pki/nssdb"}, // any browser of the Chromium kind that flatpak brought
	{"chromium", ".var/app/*/data/pki/nssdb"},
	{"firefox", ".mozilla/firefox/*"},
	{"firefox", ".config/mozilla/firefox/*"}, // where newer ones live
	{"firefox", "snap/firefox/common/.mozilla/firefox/*"},
	{"firefox", "snap/firefox/common/.config/mozilla/firefox/*"},
	{"firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox/*"},
	{"firefox", ".var/app/org.mozilla.firefox/config/mozilla/firefox/*"},
	{"firefox", ".librewolf/*"},
	{"firefox", "Library/Application Support/Firefox/Profiles/*"},
}

// nss lists the databases that are there, and Chromium's own even when it is not: Chromium makes it
// when it first needs it, and reads what we put there before.
func (m *Machine) nss() []Part {
	var dirs []string
	var parts []Part
	add := func(kind, dir string) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
			parts = append(parts, nssStore{m, dir, kind})
		}
	}
	if m.OS == "linux" {
		add("chromium", filepath.Join(m.Home, ".pki", "nssdb"))
		if data := filepath.Join(m.Home, ".local", "share", "pki", "nssdb"); exists(filepath.Join(data, "cert9.db")) {
			add("chromium", data)
		}
	}
	for _, p := range profiles {
		found, err := filepath.Glob(filepath.Join(m.Home, p.pattern, "cert9.db"))
		if err != nil {
			continue
		}
		for _, f := range found {
			dir := filepath.Dir(f)
			if real, err := filepath.EvalSymlinks(dir); err == nil { // snap's current is a link
				dir = real
			}
			add(p.kind, dir)
		}
	}
	return parts
}

func (s nssStore) Kind() string  { return s.kind }
func (s nssStore) Where() string { return s.dir }

// errNoTool: databases cannot be looked into without Mozilla's certutil.
var errNoTool = errors.New("certutil is not here: Debian and Ubuntu have it in libnss3-tools, Fedora in nss-tools, macOS in brew's nss")

func (s nssStore) tool(ctx context.Context, args ...string) ([]byte, error) {
	path, err := s.m.Find("certutil")
	if err != nil {
		return nil, errNoTool
	}
	// No password is known here: with an empty file of passwords the tool fails and never asks the terminal.
	return s.m.Run(ctx, path, append([]string{"-d", "sql:" + s.dir, "-f", os.DevNull}, args...)...)
}

func (s nssStore) State(ctx context.Context) (State, error) {
	if !exists(filepath.Join(s.dir, "cert9.db")) {
		return Absent, nil
	}
	list, err := s.tool(ctx, "-L")
	if err != nil {
		return Unknown, err
	}
	trust := ""
	for line := range strings.Lines(string(list)) {
		if rest, ok := strings.CutPrefix(line, nickname+" "); ok {
			trust = strings.TrimSpace(rest)
		}
	}
	if trust == "" {
		return Absent, nil
	}
	der, err := s.tool(ctx, "-L", "-n", nickname, "-r")
	if err != nil {
		return Unknown, err
	}
	cert, err := s.m.authority()
	if err != nil || !bytes.Equal(der, cert.Raw) || trust != "C,," {
		return Old, nil //nolint:nilerr // what stands there belongs to no authority we have
	}
	return Present, nil
}

func (s nssStore) Put(ctx context.Context) error {
	if _, err := s.m.authority(); err != nil {
		return err
	}
	if !exists(filepath.Join(s.dir, "cert9.db")) {
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return err
		}
		if _, err := s.tool(ctx, "-N", "--empty-password"); err != nil {
			return err
		}
	}
	if err := s.clear(ctx); err != nil {
		return err
	}
	_, err := s.tool(ctx, "-A", "-t", "C,,", "-n", nickname, "-i", filepath.Join(s.m.Data, agent.AuthorityFile))
	return protected(err)
}

// Take deletes Chromium's database too when nothing is left in it: perhaps it was made for us, and
// Chromium makes it again when it needs it.
func (s nssStore) Take(ctx context.Context) error {
	if err := s.clear(ctx); err != nil {
		return err
	}
	if s.dir != filepath.Join(s.m.Home, ".pki", "nssdb") {
		return nil
	}
	certs, err := s.tool(ctx, "-L", "-h", "all")
	if err != nil {
		return nil //nolint:nilerr // not known to be empty
	}
	for line := range strings.Lines(string(certs)) { // the head and nothing else
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "Certificate Nickname") && !strings.HasPrefix(line, "SSL,S/MIME") {
			return nil
		}
	}
	if said, err := s.tool(ctx, "-K"); err == nil || !strings.Contains(string(said), "no keys found") {
		return nil //nolint:nilerr // it has keys, or a password: then nobody knows
	}
	var failed error
	for _, name := range []string{"cert9.db", "key4.db", "pkcs11.txt"} {
		failed = errors.Join(failed, remove(filepath.Join(s.dir, name), s.m.Home))
	}
	return failed
}

// clear deletes every certificate of our name; one name may stand for several. Its bound is a
// database that says it deleted and did not.
func (s nssStore) clear(ctx context.Context) error {
	for range 100 {
		if _, err := s.tool(ctx, "-L", "-n", nickname, "-r"); err != nil {
			return nil //nolint:nilerr // the tool's way to say that there is none
		}
		if _, err := s.tool(ctx, "-D", "-n", nickname); err != nil {
			return protected(err)
		}
	}
	return errors.New("the database keeps what was deleted")
}

// protected explains the one failure that a person can do something about.
func protected(err error) error {
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "password") {
		return fmt.Errorf("the profile has a primary password; import the certificate in its settings: %w", err)
	}
	return err
}
