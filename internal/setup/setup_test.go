package setup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/agent"
	"senim/internal/keystore"
)

// machine is a machine in a folder, with an authority.
func machine(t *testing.T) *Machine {
	t.Helper()
	root := t.TempDir()
	m := &Machine{
		OS: "linux", Root: filepath.Join(root, "machine"), Home: filepath.Join(root, "home"), Config: filepath.Join(root, "home", ".config"),
		Program: "/opt/senim/senim-agent", Run: run, Find: exec.LookPath,
	}
	m.Data = filepath.Join(m.Config, "senim-agent")
	if _, err := agent.EnsureAuthority(m.Data); err != nil {
		t.Fatal(err)
	}
	return m
}

func certutil(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Mozilla's certutil is for Linux and macOS; what Windows calls so is another tool")
	}
	if _, err := exec.LookPath("certutil"); err != nil {
		t.Skip("no certutil here: Debian has it in libnss3-tools")
	}
}

// unix skips a test of what lies in a file system with owners and modes.
func unix(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("what is the machine's lies in files on Linux and macOS, on Windows in the registry")
	}
}

// profile makes a browser's database under the home.
func (m *Machine) profile(t *testing.T, path string) string {
	t.Helper()
	dir := filepath.Join(m.Home, path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("certutil", "-N", "--empty-password", "-d", "sql:"+dir).CombinedOutput(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files lists everything under a folder.
func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// quiet fails the test when a part is not as wanted.
func quiet(t *testing.T, want State) func(Part, State, error) {
	return func(p Part, s State, err error) {
		if s != want || err != nil {
			t.Errorf("%s %s: %s %v", p.Kind(), p.Where(), s, err)
		}
	}
}

// TestPain03Stores: every browser's store trusts the authority after installing, snap's and flatpak's
// too, and after uninstalling nothing is left, neither a file nor a certificate.
func TestPain03Stores(t *testing.T) {
	certutil(t)
	m := machine(t)
	var dirs []string
	for _, path := range []string{
		".mozilla/firefox/a.default", "snap/firefox/common/.mozilla/firefox/c.default", ".var/app/org.chromium.Chromium/.pki/nssdb",
		"snap/brave/current/.pki/nssdb", ".var/app/io.gitlab.librewolf-community/.librewolf/d.default",
	} {
		dirs = append(dirs, m.profile(t, path))
	}
	authority := filepath.Join(m.Data, agent.AuthorityFile)
	before := files(t, m.Home)
	ctx := t.Context()
	if err := Put(ctx, m.Own(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if err := m.Remember(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range append(dirs, filepath.Join(m.Home, ".pki/nssdb")) {
		if out, err := exec.Command("certutil", "-V", "-u", "L", "-n", nickname, "-d", "sql:"+dir).CombinedOutput(); err != nil {
			t.Errorf("%s: %s %v", dir, out, err)
		}
	}
	// Another installation's certificate is replaced, and only that one stands.
	if err := errors.Join(os.Remove(authority), os.Remove(filepath.Join(m.Data, agent.AuthorityKeyFile))); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.EnsureAuthority(m.Data); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.ownStores() {
		if s, err := p.State(ctx); s != Old || err != nil {
			t.Errorf("%s: %s %v", p.Where(), s, err)
		}
	}
	if err := m.Repair(ctx, quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if err := Take(ctx, append(m.Own(), m.Left(false)...), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if out, err := exec.Command("certutil", "-L", "-d", "sql:"+dir).CombinedOutput(); err != nil || strings.Contains(string(out), "Senim") {
			t.Errorf("%s: %s %v", dir, out, err)
		}
	}
	if err := errors.Join(os.Remove(m.recordPath()), os.Remove(filepath.Join(m.Data, foldersFile))); err != nil {
		t.Fatal(err)
	}
	if after := files(t, m.Home); !slices.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if err := m.Erase(t.Context(), Erasing{}); err != nil || exists(m.Data) {
		t.Errorf("the data are still there: %v", err)
	}
}

// TestKeysInDatabaseStay: Chromium's database is not deleted when the person's keys are in it, seen or behind a password.
func TestKeysInDatabaseStay(t *testing.T) {
	certutil(t)
	for name, word := range map[string]string{"open": "", "with a password": "Secret42"} {
		m := machine(t)
		dir, words := filepath.Join(m.Home, ".pki", "nssdb"), filepath.Join(m.Home, "words")
		write(t, words, word+"\n")
		write(t, filepath.Join(m.Home, "noise"), strings.Repeat("some noise for the key ", 100))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"-N"}, {"-R", "-s", "CN=x", "-k", "rsa", "-g", "2048", "-z", filepath.Join(m.Home, "noise"), "-o", filepath.Join(m.Home, "request")}} {
			if out, err := exec.Command("certutil", append(args, "-d", "sql:"+dir, "-f", words)...).CombinedOutput(); err != nil {
				t.Fatalf("%s %v", out, err)
			}
		}
		if err := (nssStore{m, dir, "chromium"}).Take(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !exists(filepath.Join(dir, "key4.db")) {
			t.Errorf("%s: the person's keys were deleted", name)
		}
	}
}

// TestPain03NewProfile: a profile made later is found when the agent starts, where the person agreed
// to that and not otherwise.
func TestPain03NewProfile(t *testing.T) {
	certutil(t)
	m := machine(t)
	dir := m.profile(t, ".mozilla/firefox/new.default")
	trusts := func() bool {
		return exec.Command("certutil", "-V", "-u", "L", "-n", nickname, "-d", "sql:"+dir).Run() == nil
	}
	if err := m.Recheck(t.Context(), quiet(t, Present)); err != nil || trusts() {
		t.Errorf("without consent: %v, trusts %v", err, trusts())
	}
	if err := m.Remember(); err != nil {
		t.Fatal(err)
	}
	if err := m.Recheck(t.Context(), quiet(t, Present)); err != nil || !trusts() {
		t.Errorf("with consent: %v, trusts %v", err, trusts())
	}
}

// TestPain03PrimaryPassword: a profile that asks for a password is told as that, and is not good.
func TestPain03PrimaryPassword(t *testing.T) {
	certutil(t)
	m := machine(t)
	dir := filepath.Join(m.Home, ".mozilla/firefox/locked")
	write(t, filepath.Join(m.Home, "pw"), "Secret-words-1\n")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("certutil", "-N", "-f", filepath.Join(m.Home, "pw"), "-d", "sql:"+dir).CombinedOutput(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	err := nssStore{m, dir, "firefox"}.Put(t.Context())
	if err == nil || !strings.Contains(err.Error(), "primary password") {
		t.Errorf("%v", err)
	}
	if strings.Contains(err.Error(), "Secret-words") {
		t.Errorf("the error tells the password: %v", err)
	}
}

// TestPain03NoTool: without certutil nothing is called good, and Firefox's policy stands in for it.
func TestPain03NoTool(t *testing.T) {
	m := machine(t)
	m.Find = func(string) (string, error) { return "", exec.ErrNotFound }
	write(t, filepath.Join(m.Home, ".mozilla/firefox/a/cert9.db"), "")
	found := m.lookStores(t.Context())
	if ids(found) != "store-no-tool store-no-tool" || found[0].Level != Bad || found[1].Level != Bad {
		t.Errorf("%+v", found)
	}
	if err := (firefoxPolicy{m}).Put(t.Context()); err != nil {
		t.Fatal(err)
	}
	found = m.lookStores(t.Context())
	if ids(found) != "store-no-tool store-policy" || found[1].Level != Good { // the first is Chromium's
		t.Errorf("%+v", found)
	}
	for _, deaf := range []string{".var/app/org.mozilla.firefox/.mozilla/firefox/b", ".librewolf/c"} { // they read no such policy
		write(t, filepath.Join(m.Home, deaf, "cert9.db"), "")
	}
	if found = m.lookStores(t.Context()); strings.Count(ids(found), "store-policy") != 1 || strings.Count(ids(found), "store-no-tool") != 3 {
		t.Errorf("%+v", found)
	}
}

// TestBroadAuthority: a certificate that could vouch for other sites is put nowhere, whoever wrote it
// into the data folder: the administrator's rights must not carry it into the system.
func TestBroadAuthority(t *testing.T) {
	loop := []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 1).To4(), Mask: net.CIDRMask(32, 32)}, {IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	sound := func() *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Senim agent on x"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			PermittedDNSDomainsCritical: true, PermittedDNSDomains: []string{"localhost"}, PermittedIPRanges: loop,
		}
	}
	for name, change := range map[string]func(c *x509.Certificate){
		"":                 func(*x509.Certificate) {},
		"no constraints":   func(c *x509.Certificate) { c.PermittedDNSDomains, c.PermittedIPRanges = nil, nil },
		"not critical":     func(c *x509.Certificate) { c.PermittedDNSDomainsCritical = false },
		"another domain":   func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"localhost", "egov.kz"} },
		"every address":    func(c *x509.Certificate) { c.PermittedIPRanges[0].Mask = net.CIDRMask(0, 32) },
		"DNS left open":    func(c *x509.Certificate) { c.PermittedDNSDomains = nil },
		"addresses open":   func(c *x509.Certificate) { c.PermittedIPRanges = nil },
		"authorities":      func(c *x509.Certificate) { c.MaxPathLenZero = false },
		"any purpose":      func(c *x509.Certificate) { c.ExtKeyUsage = nil },
		"signs programs":   func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) },
		"not an authority": func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false },
		"over":             func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(t)
			write(t, m.path("/usr/local/share/ca-certificates/README"), "")
			loop[0].Mask = net.CIDRMask(32, 32)
			template := sound()
			change(template)
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(m.Data, agent.AuthorityFile), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
			m.Run = func(context.Context, string, ...string) ([]byte, error) { return nil, nil }
			_, err = m.authority()
			if (err == nil) != (name == "") {
				t.Errorf("%v", err)
			}
			if name == "" {
				return
			}
			for _, p := range append(m.System(), m.ownStores()...) {
				if err := p.Put(t.Context()); err == nil {
					t.Errorf("%s was put into %s", name, p.Where())
				}
			}
			if left := files(t, m.Root); len(left) != 1 {
				t.Errorf("%v", left)
			}
		})
	}
}

// TestEraseKeepsWaitingKeys: what pending keys need is not deleted by the way.
func TestEraseKeepsWaitingKeys(t *testing.T) {
	m := machine(t)
	notes := filepath.Join(m.Data, agent.PendingFolder, "pending.json")
	write(t, notes, `[{"state":"`+string(keystore.Finished)+`"},{"state":"`+string(keystore.Pending)+`"}]`)
	if n, err := m.Pending(); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if err := m.Erase(t.Context(), Erasing{}); !errors.Is(err, ErrPending) || !exists(notes) {
		t.Errorf("%v", err)
	}
	// What waits is counted when nobody makes any more.
	unlock, err := keystore.Lock(m.Data)
	if err != nil {
		t.Fatal(err)
	}
	write(t, notes, `[]`)
	go func() {
		write(t, notes, `[{"state":"`+string(keystore.Making)+`"}]`)
		unlock()
	}()
	if err := m.Erase(t.Context(), Erasing{Before: func() error { t.Error("it goes on"); return nil }}); !errors.Is(err, ErrPending) || !exists(notes) {
		t.Errorf("%v", err)
	}
	stays := errors.New("it stays")
	if err := m.Erase(t.Context(), Erasing{Pending: true, Before: func() error { return stays }}); !errors.Is(err, stays) || !exists(notes) {
		t.Errorf("%v", err)
	}
	write(t, notes, `[{"state":`)
	if err := m.Erase(t.Context(), Erasing{}); err == nil || !exists(notes) {
		t.Errorf("notes that cannot be read were deleted: %v", err)
	}
	if err := m.Erase(t.Context(), Erasing{Pending: true}); err != nil || exists(m.Data) {
		t.Errorf("%v", err)
	}
	m.Data = t.TempDir() // the person's own, given to the agent as its folder
	if _, err := agent.EnsureAuthority(m.Data); err != nil {
		t.Fatal(err)
	}
	theirs := []string{"GOST512_a.p12", "letters/one.txt", agent.PendingFolder + "/of another program"}
	for _, name := range theirs {
		write(t, filepath.Join(m.Data, name), "x")
	}
	if err := m.Erase(t.Context(), Erasing{Pending: true}); err != nil || exists(filepath.Join(m.Data, agent.AuthorityKeyFile)) {
		t.Errorf("the authority's key is still there: %v", err)
	}
	for _, name := range theirs {
		if !exists(filepath.Join(m.Data, name)) {
			t.Errorf("%s, which is not ours, was deleted", name)
		}
	}
	m.Data = t.TempDir() // a folder that is not the agent's
	write(t, filepath.Join(m.Data, "letters"), "x")
	if err := m.Erase(t.Context(), Erasing{Pending: true}); err != nil || !exists(filepath.Join(m.Data, "letters")) {
		t.Errorf("a folder that is not ours was deleted: %v", err)
	}
}
