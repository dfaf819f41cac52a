package setup

import (
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
	names, err := s.found(ctx)
	if err != nil {
		return Unknown, err
	}
	var list []*x509.Certificate
	trusted := true
	for _, n := range names {
		list, trusted = append(list, n.ours...), trusted && n.trusted
	}
	if state := s.m.stand(list); state != Present || trusted {
		return state, nil
	}
	return Old, nil // it is there and not trusted: as good as another one
}

// named is a name in the database with authorities of ours behind it, and how many certificates that are not.
type named struct {
	name    string
	trusted bool // to tell servers
	ours    []*x509.Certificate
	others  int
}

// entry is a line of the database's list: the name, and three columns of trust. Those of the first one say what
// it is trusted for among servers and their clients.
var entry = regexp.MustCompile(`^(.+?)\s+([A-Za-z]*),[A-Za-z]*,[A-Za-z]*\s*$`)

// found looks into every root that is trusted for TLS, and into what has our name: earlier builds, and Firefox when
// the policy told it to, put ours under other names.
func (s nssStore) found(ctx context.Context) (names []named, err error) {
	list, err := s.tool(ctx, "-L")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(list)) {
		match := entry.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if match == nil || strings.HasPrefix(line, " ") {
			continue // the head
		}
		name, trust := match[1], match[2]
		if !strings.ContainsAny(trust, "CT") && !strings.HasPrefix(name, brand) {
			continue // what Firefox remembers of servers' issuers: hundreds
		}
		text, err := s.tool(ctx, "-L", "-n", name, "-a")
		if err != nil {
			return nil, err
		}
		if list, others := oursIn(text); len(list) > 0 {
			names = append(names, named{name, strings.Contains(trust, "C"), list, others})
		}
	}
	return names, nil
}

func (s nssStore) Put(ctx context.Context) error {
	if _, err := s.m.authority(); err != nil {
		return err
	}
	if !exists(filepath.Join(s.dir, "cert9.db")) {
		if err := s.m.prepare(s.dir, 0o700); err != nil {
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
		failed = errors.Join(failed, s.m.discard(filepath.Join(s.dir, name)))
	}
	return failed
}

// clear deletes every authority of ours, and never another's: the tool deletes by name, and one name may stand for
// several certificates. Its bound is a database that says it deleted and did not.
func (s nssStore) clear(ctx context.Context) error {
	for range 100 {
		names, err := s.found(ctx)
		if err != nil || len(names) == 0 {
			return err
		}
		var subjects []string
		for _, n := range names {
			if n.others > 0 {
				return fmt.Errorf("%q also names a certificate that is not ours: delete ours in the browser's settings", n.name)
			}
			if subject := string(n.ours[0].RawSubject); !slices.Contains(subjects, subject) { // several names of one mean one
				subjects = append(subjects, subject)
				if _, err := s.tool(ctx, "-D", "-n", n.name); err != nil {
					return protected(err)
				}
			}
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
