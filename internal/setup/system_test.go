package setup

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"senim/internal/agent"
	"senim/internal/lang"
)

// TestPain03SystemBundle: Debian's own tool puts the authority into the list that curl and native
// clients read, and takes it out again.
func TestPain03SystemBundle(t *testing.T) {
	tool, err := exec.LookPath("/usr/sbin/update-ca-certificates")
	if err != nil {
		t.Skip("no update-ca-certificates here")
	}
	m := machine(t)
	for _, dir := range []string{"/usr/local/share/ca-certificates", "/etc/ssl/certs", "/usr/share/ca-certificates", "/etc/ca-certificates/update.d"} {
		if err := os.MkdirAll(m.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, m.path("/etc/ca-certificates.conf"), "")
	other := text(another(t, 0))
	write(t, m.path("/usr/local/share/ca-certificates/other.crt"), other)
	m.Run = func(ctx context.Context, name string, args ...string) ([]byte, error) {
		if name != "update-ca-certificates" {
			return nil, fmt.Errorf("unexpected %s", name)
		}
		return run(ctx, tool, append(args, "--certsconf", m.path("/etc/ca-certificates.conf"), "--certsdir", m.path("/usr/share/ca-certificates"),
			"--localcertsdir", m.path("/usr/local/share/ca-certificates"), "--etccertsdir", m.path("/etc/ssl/certs"), "--hooksdir", m.path("/etc/ca-certificates/update.d"))...)
	}
	want, err := m.pem()
	if err != nil {
		t.Fatal(err)
	}
	list := func() string {
		b, err := os.ReadFile(m.path("/etc/ssl/certs/ca-certificates.crt"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if err := Put(t.Context(), m.System(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(list(), string(want)) {
		t.Error("the system's list has no authority of ours")
	}
	if left, err := m.SystemLeft(t.Context()); !left || err != nil {
		t.Errorf("%v %v", left, err)
	}
	if err := Take(t.Context(), m.System(), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(list(), string(want)) || !strings.Contains(list(), other) {
		t.Error("the system's list still has it, or lost another one")
	}
	if _, err := os.Lstat(m.path("/etc/ssl/certs/senim-agent-" + m.installation() + ".pem")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
	if left, err := m.SystemLeft(t.Context()); left || err != nil {
		t.Errorf("%v %v", left, err)
	}
}

// TestPain03Distributions: each kind of Linux has its folder and its tool.
func TestPain03Distributions(t *testing.T) {
	for dir, want := range map[string]string{
		"/etc/pki/ca-trust/source/anchors": "update-ca-trust extract", "/usr/local/share/ca-certificates": "update-ca-certificates",
		"/etc/pki/trust/anchors": "update-ca-certificates", "/etc/ca-certificates/trust-source/anchors": "trust extract-compat",
	} {
		m := machine(t)
		if err := os.MkdirAll(m.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		ran := ""
		m.Run = func(_ context.Context, name string, args ...string) ([]byte, error) {
			ran = strings.Join(append([]string{name}, args...), " ")
			return nil, nil
		}
		b, ok := m.bundle()
		if !ok {
			t.Fatal(dir)
		}
		if err := b.Put(t.Context()); err != nil || ran != want || filepath.Dir(b.Where()) != m.path(dir) {
			t.Errorf("%s: %q in %s, %v", dir, ran, b.Where(), err)
		}
	}
	if _, ok := machine(t).bundle(); ok {
		t.Error("a machine without any has one")
	}
}

// TestPain03FirefoxPolicy: a policy that others wrote keeps what it says, to the letter of its values.
func TestPain03FirefoxPolicy(t *testing.T) {
	unix(t)
	ctx := t.Context()
	for name, before := range map[string]string{
		"none": "", "other": `{"policies":{"DisableTelemetry":true,"Certificates":{"ImportEnterpriseRoots":true,"Install":["corp.pem"]},"Big":12345678901234567890}}`,
		"empty": `{"policies":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(t)
			f := firefoxPolicy{m}
			if before != "" {
				write(t, f.Where(), before)
			}
			if err := Put(ctx, []Part{f}, quiet(t, Present)); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(f.Where())
			if err != nil || !strings.Contains(string(b), `"/etc/firefox/policies/`+f.name()+`"`) {
				t.Fatalf("%s %v", b, err)
			}
			if name == "other" && (!strings.Contains(string(b), "corp.pem") || !strings.Contains(string(b), "12345678901234567890")) {
				t.Errorf("%s", b)
			}
			if err := Take(ctx, []Part{f}, quiet(t, Absent)); err != nil {
				t.Fatal(err)
			}
			if name == "none" {
				if left, _ := filepath.Glob(m.path("/etc/*")); len(left) > 0 {
					t.Errorf("%v", left)
				}
				return
			}
			b, err = os.ReadFile(f.Where())
			if name == "empty" && errors.Is(err, os.ErrNotExist) {
				return // nothing was in it
			}
			if err != nil || compact(t, string(b)) != compact(t, before) {
				t.Errorf("%s, %v", b, err)
			}
		})
	}
	for _, broken := range []string{`{`, `{"policies":[]}`, `{"policies":{"Certificates":"x"}}`, `{"policies":{"Certificates":{"Install":"corp.pem"}}}`, `{"policies":{}} {}`} {
		m := machine(t)
		f := firefoxPolicy{m}
		write(t, f.Where(), broken)
		if err := f.Put(ctx); err == nil {
			t.Errorf("%s was overwritten", broken)
		}
		if b, err := os.ReadFile(f.Where()); err != nil || string(b) != broken || exists(f.copy()) {
			t.Errorf("%s became %s, %v", broken, b, err)
		}
	}
}

// TestFirefoxPolicyWhereNeeded: Firefox's policy is put where Mozilla's certutil is missing, and taken away when it came
// since: what Firefox imports by a policy stays in its profiles.
func TestFirefoxPolicyWhereNeeded(t *testing.T) {
	unix(t)
	m := machine(t)
	m.Run = func(context.Context, string, ...string) ([]byte, error) { return nil, nil }
	m.Find = func(string) (string, error) { return "", exec.ErrNotFound }
	f := firefoxPolicy{m}
	if err := Put(t.Context(), m.System(), quiet(t, Present)); err != nil || !exists(f.Where()) {
		t.Fatalf("%v", err)
	}
	m.Find = func(name string) (string, error) { return "/usr/bin/" + name, nil }
	if left, err := m.SystemLeft(t.Context()); !left || err != nil {
		t.Errorf("the policy is not seen: %v %v", left, err)
	}
	if err := errors.Join(Put(t.Context(), m.System(), quiet(t, Present)), Take(t.Context(), m.Left(true), quiet(t, Absent))); err != nil || exists(f.Where()) {
		t.Errorf("the policy is still there: %v", err)
	}
}

func compact(t *testing.T, s string) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPain04Policy: browsers that are here get the named portals and nothing else; without portals
// there is no policy, and a forbidding one of others is found.
func TestPain04Policy(t *testing.T) {
	unix(t)
	m := machine(t)
	m.Find = func(name string) (string, error) {
		if name == "chromium" || name == "google-chrome" {
			return "/usr/bin/" + name, nil
		}
		return "", exec.ErrNotFound
	}
	for _, p := range m.System() {
		if p.Kind() == "chrome-policy" {
			t.Error("a policy without portals")
		}
	}
	m.Portals = []string{"[*.]gov.kz", "https://portal.example.kz"}
	if err := Put(t.Context(), m.policies(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	path := m.path("/etc/chromium/policies/managed/senim-agent.json")
	b, err := os.ReadFile(path)
	want := `{"LocalNetworkAccessAllowedForUrls":["[*.]gov.kz","https://portal.example.kz"],"LoopbackNetworkAllowedForUrls":["[*.]gov.kz","https://portal.example.kz"]}`
	if err != nil || compact(t, string(b)) != want {
		t.Errorf("%s %v", b, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v %v", info, err)
	}
	if exists(m.path("/etc/opt/edge")) || !exists(m.path("/etc/opt/chrome/policies/managed/senim-agent.json")) {
		t.Error("not the browsers that are here")
	}
	if found := m.lookBrowsers(); slices.ContainsFunc(found, func(f Finding) bool { return f.Level == Bad }) || !strings.Contains(found[0].Found(lang.EN), "portal.example.kz") {
		t.Errorf("ours forbids, or is not told: %+v", found)
	}
	corporate := m.path("/etc/chromium/policies/managed/corp.json")
	write(t, corporate, `{"LoopbackNetworkBlockedForUrls":["*"],"HomepageLocation":"https://corp"}`)
	if found := m.lookBrowsers(); !slices.ContainsFunc(found, func(f Finding) bool { return f.ID == "policy-blocks" && f.Where == corporate }) {
		t.Errorf("%+v", found)
	}
	m.Portals = nil
	former := m.path("/etc/opt/yandex/policies/managed/senim-agent.json") // where earlier builds put it
	write(t, former, `{}`)
	if err := Take(t.Context(), m.Left(true), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if exists(path) || exists(former) || !exists(corporate) || exists(m.path("/etc/opt/chrome")) {
		t.Errorf("left: %v", files(t, m.Root))
	}
}

func TestPortal(t *testing.T) {
	for _, good := range []string{"https://portal.example.kz", "https://portal.example.kz:8443", "[*.]gov.kz"} {
		if err := Portal(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"*", "", "[*.]", "[*.]kz", "[*.]*", "http://portal.example.kz", "https://*", "https://a.kz/x", "https://u@a.kz", "portal.example.kz", "[*.]gov.kz\"", "https://127.0.0.1", "https://[*.]kz"} {
		if Portal(bad) == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// fakeWindows is a registry and a store of roots, as far as they are used.
type fakeWindows struct {
	keys map[string]map[string]string
	root [][]byte // certificates
	lost error    // what is in them cannot be told

	ports string // that netsh says are reserved
}

func (r *fakeWindows) Values(key string) (map[string]string, error) {
	all := maps.Clone(r.keys[key])
	maps.DeleteFunc(all, func(_, v string) bool { return strings.HasPrefix(v, "0x") }) // numbers
	return all, r.lost
}

func (r *fakeWindows) Number(key, name string) (uint64, bool, error) {
	hex, is := strings.CutPrefix(r.keys[key][name], "0x")
	if !is || r.lost != nil {
		return 0, false, r.lost
	}
	n, err := strconv.ParseUint(hex, 16, 64)
	return n, true, err
}

func (r *fakeWindows) Set(key, name, text string) error {
	if r.keys[key] == nil {
		r.keys[key] = map[string]string{}
	}
	r.keys[key][name] = text
	return nil
}

func (r *fakeWindows) Unset(key, name string) error { delete(r.keys[key], name); return nil }

func (r *fakeWindows) DropEmpty(key string) error {
	if len(r.keys[key]) == 0 {
		delete(r.keys, key)
	}
	return nil
}

func (r *fakeWindows) List() ([][]byte, error) { return r.root, r.lost }
func (r *fakeWindows) Add(der []byte) error {
	r.root = append(slices.DeleteFunc(r.root, func(c []byte) bool { return bytes.Equal(c, der) }), der)
	return nil
}

func (r *fakeWindows) Delete(der []byte) error {
	r.root = slices.DeleteFunc(r.root, func(c []byte) bool { return bytes.Equal(c, der) })
	return nil
}

var errTool = errors.New("exit status 1")

// run is netsh, the only tool of Windows that is asked.
func (r *fakeWindows) run(_ context.Context, name string, args ...string) ([]byte, error) {
	if line := strings.Join(append([]string{name}, args...), " "); line != "netsh interface ipv4 show excludedportrange protocol=tcp" {
		return nil, errors.New("unexpected " + line)
	}
	return []byte(r.ports), nil
}

// TestWindows: what is put on Windows is taken away again, and others' values stay.
func TestWindows(t *testing.T) {
	m := machine(t)
	cert, err := m.authority()
	if err != nil {
		t.Fatal(err)
	}
	policy := `HKLM\SOFTWARE\Policies\Google\Chrome\LoopbackNetworkAllowedForUrls`
	r := &fakeWindows{
		keys: map[string]map[string]string{runPath: {"Other": `"C:\x.exe"`}, policy: {"1": "https://corp.example.kz"}},
		root: [][]byte{[]byte("what Go cannot read"), another(t, 0).Raw, former(t, "old-name").Raw},
	}
	m.OS, m.Run, m.Registry, m.Roots, m.Program = "windows", nil, r, r, `C:\Program Files\Senim\senim-agent.exe`
	m.Arguments = []string{"--keys", `D:\Мои ключи\`, `--browser=a"b`}
	m.Portals = []string{"[*.]gov.kz"}
	before, data := fmt.Sprint(r.keys), m.Data
	if s, err := (rootStore{m}).State(t.Context()); s != Old || err != nil {
		t.Errorf("%s %v", s, err)
	}
	if err := Put(t.Context(), append(m.Own(), m.System()...), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if len(r.root) != 3 || !bytes.Equal(r.root[2], cert.Raw) {
		t.Error("the older root stays, or another's went")
	}
	r.root = append(r.root, former(t, "old-name").Raw) // beside the one of now
	if s, err := (rootStore{m}).State(t.Context()); s != Old || err != nil {
		t.Errorf("%s %v", s, err)
	}
	if err := Put(t.Context(), m.ownStores(), quiet(t, Present)); err != nil || len(r.root) != 3 {
		t.Errorf("%d %v", len(r.root), err)
	}
	if got, want := r.keys[runPath]["SenimAgent"], `"C:\Program Files\Senim\senim-agent.exe" "--wait" "--keys" "D:\Мои ключи\\" "--browser=a\"b"`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// Windows passes over a longer line without a word.
	m.Arguments = []string{"--data", `D:\Данные`, "--keys", `D:\` + strings.Repeat("Ключи ", 50)}
	m.Data = `D:\Данные`
	if s, err := (runKey{m}).State(t.Context()); s != Old || err != nil {
		t.Errorf("%s %v", s, err)
	}
	if err := (runKey{m}).Put(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := r.keys[runPath]["SenimAgent"], `"C:\Program Files\Senim\senim-agent.exe" "start" "--data" "D:\Данные"`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	m.Data = `D:\` + strings.Repeat("Данные ", 50)
	if err := (runKey{m}).Put(t.Context()); err == nil {
		t.Error("a line that Windows does not start was put")
	}
	m.Data = data
	mine := strconv.Itoa(policyKey{m: m}.first())
	if r.keys[policy][mine] != "[*.]gov.kz" || r.keys[policy]["1"] != "https://corp.example.kz" {
		t.Errorf("%v", r.keys[policy])
	}
	another := *m
	another.Data, another.Portals = filepath.Join(t.TempDir(), "another's"), []string{"https://other.kz"}
	if err := Put(t.Context(), another.System(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.System() {
		if s, err := p.State(t.Context()); s != Present || err != nil {
			t.Errorf("another person's install undid it: %s %v", s, err)
		}
	}
	if err := Take(t.Context(), another.System(), quiet(t, Absent)); err != nil || r.keys[policy][mine] != "[*.]gov.kz" {
		t.Errorf("%v %v", r.keys[policy], err)
	}
	if err := Take(t.Context(), append(m.Own(), m.System()...), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(r.keys); after != before {
		t.Errorf("%s\nbefore %s", after, before)
	}
	if len(r.root) != 2 {
		t.Errorf("%d", len(r.root))
	}
	// A root whose file is gone does not stay trusted.
	r.root = append(r.root, cert.Raw)
	if err := os.Remove(filepath.Join(m.Data, agent.AuthorityFile)); err != nil {
		t.Fatal(err)
	}
	if err := Take(t.Context(), []Part{rootStore{m}}, quiet(t, Absent)); err != nil || len(r.root) != 2 {
		t.Errorf("%d %v", len(r.root), err)
	}
	// Others' programs and policies that are in the way are named.
	blocks, starts := `HKCU\SOFTWARE\Policies\Microsoft\Edge\LoopbackNetworkBlockedForUrls`, `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run`
	r.keys[blocks], r.keys[starts] = map[string]string{"1": "*"}, map[string]string{"Helper": `"C:\Program Files\NCALayer\NCALayer.exe" --hidden`, "Other": "x.exe"}
	for where, id := range map[string]string{blocks: "policy-blocks", starts + `\Helper`: "rival"} {
		if n := len(slices.DeleteFunc(append(m.lookBrowsers(), m.lookStart(t.Context())...), func(f Finding) bool { return f.ID != id })); n != 1 {
			t.Errorf("%s: %d findings %s", where, n, id)
		}
		delete(r.keys, where)
	}
	r.lost = errTool
	for _, p := range append(m.Own(), m.System()...) {
		if s, err := p.State(t.Context()); s != Unknown || err == nil {
			t.Errorf("%s, which cannot be read, is %s, %v", p.Where(), s, err)
		}
	}
}

// TestMacOS: the keychain by its own tool, and the start by launchd.
func TestMacOS(t *testing.T) {
	m := machine(t)
	cert, err := m.authority()
	if err != nil {
		t.Fatal(err)
	}
	m.OS, m.Arguments = "darwin", []string{"--keys", "/Users/a/Ключи & <b>"}
	m.Config = filepath.Join(m.Home, "Library", "Application Support")
	before, foreign := former(t, "old-name"), another(t, 0)
	held, said := []*x509.Certificate{foreign, before}, []string{}
	there := func(c *x509.Certificate) bool { return slices.ContainsFunc(held, c.Equal) }
	m.Run = func(_ context.Context, name string, args ...string) ([]byte, error) {
		said = append(said, args[0])
		switch {
		case name != "security":
			return nil, errTool
		case args[0] == "find-certificate":
			var out []byte
			for _, c := range held {
				out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
			}
			return out, nil
		case args[0] == "verify-cert" && there(cert):
			return nil, nil
		case args[0] == "add-trusted-cert":
			held = append(held, cert)
			return nil, nil
		case args[0] == "delete-certificate":
			held = slices.DeleteFunc(held, func(c *x509.Certificate) bool { return strings.ToUpper(thumbprint(c.Raw)) == args[3] })
			return nil, nil
		}
		return nil, errTool
	}
	if err := Put(t.Context(), m.Own(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if there(before) || !there(cert) || !there(foreign) {
		t.Errorf("another's root went, the older root stays, or the new one does not: %v", said)
	}
	b, err := os.ReadFile(filepath.Join(m.Home, "Library/LaunchAgents/kz.senim.agent.plist"))
	if err != nil || !strings.Contains(string(b), "<string>/Users/a/Ключи &amp; &lt;b&gt;</string>") {
		t.Errorf("%s %v", b, err)
	}
	if err := Take(t.Context(), m.Own(), quiet(t, Absent)); err != nil {
		t.Fatalf("%v, %v", err, said)
	}
	if exists(filepath.Join(m.Home, "Library/LaunchAgents")) {
		t.Errorf("left: %v", files(t, m.Home))
	}
	// A root whose file is gone does not stay trusted.
	held = append(held, cert)
	if err := os.Remove(filepath.Join(m.Data, agent.AuthorityFile)); err != nil {
		t.Fatal(err)
	}
	if err := Take(t.Context(), []Part{keychain{m}}, quiet(t, Absent)); err != nil || there(cert) || !there(foreign) {
		t.Errorf("%v, %v", err, said)
	}
	m.Run = func(context.Context, string, ...string) ([]byte, error) {
		return []byte("User interaction is not allowed."), errTool
	}
	if s, err := (keychain{m}).State(t.Context()); s != Unknown || err == nil {
		t.Errorf("a keychain that cannot be read is %s, %v", s, err)
	}
	m.Run = func(context.Context, string, ...string) ([]byte, error) {
		return []byte("security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain."), errTool
	}
	if s, err := (keychain{m}).State(t.Context()); s != Absent || err != nil {
		t.Errorf("an empty keychain is %s, %v", s, err)
	}
}

// TestAutostart: what starts the agent says the same command, whatever is in it, by the systems' own checkers.
func TestAutostart(t *testing.T) {
	unix(t)
	m := machine(t)
	m.Arguments = []string{"--keys", filepath.Join(m.Home, `My "keys" $HOME 100% \x`)}
	wanted, left := m.starts()
	if len(left) != 1 {
		t.Errorf("%v", left)
	}
	if err := Put(t.Context(), append(wanted, left...), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	desktop, unit := filepath.Join(m.Config, "autostart/senim-agent.desktop"), filepath.Join(m.Config, "systemd/user/senim-agent.service")
	if tool, err := exec.LookPath("desktop-file-validate"); err == nil {
		if out, err := exec.Command(tool, desktop).CombinedOutput(); err != nil {
			t.Errorf("%s %v", out, err)
		}
	}
	b, err := os.ReadFile(desktop)
	if err != nil || !strings.Contains(string(b), `My \\"keys\\" \\$HOME 100%% \\\\x"`) {
		t.Errorf("%s %v", b, err)
	}
	if tool, err := exec.LookPath("systemd-analyze"); err == nil {
		c := exec.Command(tool, "verify", "--user", unit)
		c.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		if out, err := c.CombinedOutput(); err != nil && !strings.Contains(string(out), "is not executable") {
			t.Errorf("%s %v", out, err)
		}
	}
	m.Systemd = true
	wanted, left = m.starts()
	if err := errors.Join(Put(t.Context(), wanted, quiet(t, Present)), Take(t.Context(), left, quiet(t, Absent))); err != nil {
		t.Fatal(err)
	}
	if exists(desktop) || !exists(unit) {
		t.Error("it would start twice, or not at all")
	}
	if err := Take(t.Context(), append(wanted, left...), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if got := files(t, m.Home); len(got) != 3 { // the authority, and the notes of what was made
		t.Errorf("left: %v", got)
	}
}

// TestFoldersStay: of the folders that are empty when all is taken away those that were there stay, and those that were made
// go; where a build of before did not note which they were, all go.
func TestFoldersStay(t *testing.T) {
	for name, noted := range map[string]bool{"noted": true, "by an earlier build": false} {
		t.Run(name, func(t *testing.T) {
			m := machine(t)
			menu, start := filepath.Join(m.Home, ".local/share/applications"), filepath.Join(m.Config, "autostart")
			if err := os.MkdirAll(menu, 0o755); err != nil {
				t.Fatal(err)
			}
			if !noted {
				if err := m.Remember(); err != nil {
					t.Fatal(err)
				}
			}
			wanted, _ := m.starts()
			if err := Put(t.Context(), wanted, quiet(t, Present)); err != nil {
				t.Fatal(err)
			}
			if err := Take(t.Context(), wanted, quiet(t, Absent)); err != nil {
				t.Fatal(err)
			}
			if exists(menu) != noted || exists(start) {
				t.Errorf("the menu's folder is there: %v, that of the start: %v", exists(menu), exists(start))
			}
			if err := m.Erase(t.Context(), Erasing{}); err != nil || exists(m.Data) {
				t.Errorf("%v", err)
			}
		})
	}
}
