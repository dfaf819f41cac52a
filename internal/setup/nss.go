package setup

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
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
	{"chromium", "snap/*/current/.pki/nssdb"}, // any browser of the Chromium kind that snap brought
	{"chromium", "snap/*/common/.pki/nssdb"},
	{"chromium", ".var/app/*/.pki/nssdb"}, // and flatpak
	{"chromium", ".var/app/*/data/pki/nssdb"},
	{"firefox", ".mozilla/firefox/*"},
	{"firefox", ".config/mozilla/firefox/*"}, // where newer ones live
	{"firefox", "snap/*/common/.mozilla/firefox/*"},
	{"firefox", "snap/*/common/.config/mozilla/firefox/*"},
	{"firefox", ".var/app/*/.mozilla/firefox/*"},
	{"firefox", ".var/app/*/config/mozilla/firefox/*"},
	{"firefox", ".librewolf/*"},
	{"firefox", ".var/app/*/.librewolf/*"},
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

// State asks the file, and the tool not at all.
func (s nssStore) State(context.Context) (State, error) {
	var without error
	if _, err := s.m.Find("certutil"); err != nil {
		without = errNoTool // so nothing can be put or taken
	}
	names, err := s.found()
	if err != nil {
		return Unknown, err
	}
	var list []*x509.Certificate
	trusted := true
	for _, n := range names {
		list, trusted = append(list, n.ours...), trusted && n.trusted
	}
	switch state := s.m.stand(list); {
	case state == Absent:
		return Absent, without
	case state == Present && trusted:
		return Present, nil
	case without != nil:
		return Unknown, without
	}
	return Old, nil // another one, or it is there and not trusted: as good as another one
}

// named is a name in the database with authorities of ours behind it, and how many certificates that are not.
type named struct {
	name    string
	trusted bool // all of ours, to tell servers
	ours    []*x509.Certificate
	others  int
}

// found gives every name that authorities of ours have in the database, trusted or not: earlier builds, and Firefox when
// the policy told it to, put them under others.
func (s nssStore) found() (names []named, err error) {
	if !exists(filepath.Join(s.dir, "cert9.db")) {
		return nil, nil
	}
	objects, err := nssObjects(s.dir)
	if err != nil {
		return nil, err
	}
	by := map[string]*named{}
	for _, o := range objects {
		if o.class != nssCertificate {
			continue
		}
		n := by[o.label]
		if n == nil {
			n = &named{name: o.label, trusted: true}
			by[o.label] = n
		}
		c, err := x509.ParseCertificate(o.value)
		if err != nil || !ours(c) {
			n.others++
			continue
		}
		n.ours = append(n.ours, c)
		n.trusted = n.trusted && slices.ContainsFunc(objects, func(t nssObject) bool { return t.servers && t.of(o) })
	}
	for _, o := range objects {
		if n := by[o.label]; n != nil && len(n.ours) > 0 && o.class == nssCertificate {
			names = append(names, *n)
			delete(by, o.label)
		}
	}
	return names, nil
}

// only tells whether the present authority is trusted, so that nothing is amiss but that earlier ones are there too.
func (s nssStore) only() bool {
	cert, err := s.m.authority()
	if err != nil {
		return false
	}
	names, err := s.found()
	return err == nil && slices.ContainsFunc(names, func(n named) bool { return n.trusted && slices.ContainsFunc(n.ours, cert.Equal) })
}

// of tells whether a note of trust is about a certificate.
func (o nssObject) of(c nssObject) bool {
	return (o.class == nssTrust || o.class == nssOldTrust) && o.issuer == c.issuer && o.serial == c.serial
}

// notes counts the notes of trust about these authorities.
func (s nssStore) notes(list []named) (n int, err error) {
	objects, err := nssObjects(s.dir)
	for _, o := range objects {
		for _, c := range list {
			n += len(slices.DeleteFunc(slices.Clone(c.ours), func(c *x509.Certificate) bool {
				serial, err := asn1.Marshal(c.SerialNumber)
				return err != nil || !o.of(nssObject{issuer: string(c.RawIssuer), serial: string(serial)})
			}))
		}
	}
	return n, err
}

// Put leaves the certificate that Firefox imported by its policy where it is, and lets the tool see that it is trusted.
func (s nssStore) Put(ctx context.Context) error {
	cert, err := s.m.authority()
	if err != nil {
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
	failed := s.clear(ctx, cert)
	if failed != nil && !errors.Is(failed, errNote) {
		return failed
	}
	names, err := s.found()
	if err != nil {
		return errors.Join(failed, err)
	}
	for _, n := range names {
		if slices.ContainsFunc(n.ours, cert.Equal) && n.others == 0 && len(n.ours) == 1 {
			_, err := s.tool(ctx, "-M", "-t", "C,,", "-n", n.name)
			return errors.Join(failed, protected(err))
		}
	}
	_, err = s.tool(ctx, "-A", "-t", "C,,", "-n", nickname, "-i", filepath.Join(s.m.Data, agent.AuthorityFile))
	return errors.Join(failed, protected(err))
}

// Take deletes Chromium's database too when nothing is left in it: perhaps it was made for us, and
// Chromium makes it again when it needs it.
func (s nssStore) Take(ctx context.Context) error {
	if err := s.clear(ctx, nil); err != nil {
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

// errNote: Firefox notes the trust of what its policy made it import in a way that tools older than it neither see nor
// delete; and the note alone, without the certificate, makes Firefox trust the authority when a server sends it. Firefox
// itself deletes both.
var errNote = errors.New("it is trusted by a note of Firefox's own, which this certutil cannot delete: " +
	"delete “" + agent.AuthorityPrefix + "…” in Firefox's Settings, Privacy & Security, View Certificates, Authorities, then repeat") // people read setup.error.note

// clear deletes every authority of ours but the one that stays, and never another's. What would leave a note of trust
// behind is not deleted: that is tried on a copy first.
func (s nssStore) clear(ctx context.Context, stays *x509.Certificate) error {
	names, err := s.found()
	if names = withoutOne(names, stays); err != nil || len(names) == 0 {
		return err
	}
	if err := s.rehearse(ctx, names); err != nil {
		return err
	}
	return s.delete(ctx, stays)
}

func (s nssStore) rehearse(ctx context.Context, names []named) error {
	dir, err := os.MkdirTemp("", "senim-agent-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b, err := readLimited(filepath.Join(s.dir, "cert9.db"), 256<<20)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "cert9.db"), b, 0o600)
	}
	if err == nil { // notes of trust hang on the database of keys, which is only read, and not copied: it has the person's
		err = os.Symlink(filepath.Join(s.dir, "key4.db"), filepath.Join(dir, "key4.db"))
	}
	if err != nil {
		return err
	}
	copied := nssStore{s.m, dir, s.kind}
	if err := copied.delete(ctx, nil); err != nil {
		return err
	}
	if n, err := copied.notes(names); err != nil || n > 0 {
		return errors.Join(errNote, err)
	}
	return nil
}

// withoutOne leaves out the name of the one that stays, when it is all the name stands for.
func withoutOne(names []named, stays *x509.Certificate) []named {
	return slices.DeleteFunc(names, func(n named) bool { return stays != nil && n.others == 0 && len(n.ours) == 1 && n.ours[0].Equal(stays) })
}

// delete goes by names, for so does the tool, and one name may stand for several certificates. Its bound is a database
// that says it deleted and did not.
func (s nssStore) delete(ctx context.Context, stays *x509.Certificate) error {
	for range 100 {
		names, err := s.found()
		if names = withoutOne(names, stays); err != nil || len(names) == 0 {
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
