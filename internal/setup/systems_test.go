package setup

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"howett.net/plist"

	"senim/internal/agent"
	"senim/internal/lang"
)

// finds fails the test when a finding is not there as it should be, or has no words in some language.
func finds(t *testing.T, found []Finding, id string, level Level, part string) {
	t.Helper()
	for _, f := range found {
		if f.ID != id || f.Level != level || !strings.Contains(f.Found(lang.EN), part) {
			continue
		}
		for _, tag := range lang.All() {
			if said := f.Found(tag) + f.Do(tag); strings.Contains(said, "{") || said == "" || level != Good && f.Do(tag) == "" {
				t.Errorf("%s in %s: %q", id, tag, said)
			}
		}
		return
	}
	t.Errorf("no %s %s with %q: %+v", level, id, part, found)
}

// lacks fails the test when a finding is there that should not be.
func lacks(t *testing.T, found []Finding, id string) {
	t.Helper()
	if slices.ContainsFunc(found, func(f Finding) bool { return f.ID == id }) {
		t.Errorf("%s: %+v", id, found)
	}
}

// windowsMachine is one with nothing on it but its tools.
func windowsMachine(t *testing.T) (*Machine, *fakeWindows) {
	t.Helper()
	m := machine(t)
	r := &fakeWindows{keys: map[string]map[string]string{runPath: {}}}
	m.OS, m.Run, m.Registry, m.Roots, m.Program = "windows", r.run, r, r, `C:\Program Files\Senim\senim-agent.exe`
	m.Find = func(string) (string, error) { return "", exec.ErrNotFound }
	return m, r
}

// TestDoctorWindows: one thing at a time is wrong, and told with what to do, in each language; when all is put, nothing is.
func TestDoctorWindows(t *testing.T) {
	m, r := windowsMachine(t)
	q := Question{running(t, m), "1.2.3"}
	found := m.Doctor(t.Context(), q)
	finds(t, found, "store-absent", Bad, "HKCU Root")
	finds(t, found, "autostart-absent", Warning, "")
	if err := Put(t.Context(), m.Own(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	if found = m.Doctor(t.Context(), q); !Sound(found) {
		t.Errorf("%+v", found)
	}
	finds(t, found, "store", Good, "HKCU Root")
	finds(t, found, "autostart", Good, "SenimAgent")

	profile := filepath.Join(m.Home, "AppData/Roaming/Mozilla/Firefox/Profiles/a.default")
	write(t, filepath.Join(profile, "compatibility.ini"), "[Compatibility]\r\nLastVersion=115.9.0_2024/2024\r\n")
	write(t, filepath.Join(profile, "prefs.js"), "// Mozilla User Preferences\n")
	finds(t, m.lookBrowsers(), "firefox-roots-off", Bad, "a.default") // not by itself before 120
	write(t, filepath.Join(profile, "prefs.js"), `user_pref("security.enterprise_roots.enabled", true);`+"\n")
	lacks(t, m.lookBrowsers(), "firefox-roots-off")
	write(t, filepath.Join(profile, "compatibility.ini"), "LastVersion=153.8.0_2026/2026\n")
	write(t, filepath.Join(profile, "prefs.js"), "")
	lacks(t, m.lookBrowsers(), "firefox-roots-off")
	write(t, filepath.Join(profile, "user.js"), `user_pref("security.enterprise_roots.enabled", false);`+"\n")
	finds(t, m.lookBrowsers(), "firefox-roots-off", Bad, "a.default")
	r.keys[`HKLM\SOFTWARE\Policies\Mozilla\Firefox\Certificates`] = map[string]string{"ImportEnterpriseRoots": "0x0"}
	finds(t, m.lookBrowsers(), "firefox-policy-off", Bad, "ImportEnterpriseRoots")
	r.keys[`HKLM\SOFTWARE\Policies\Mozilla\Firefox\Certificates`]["ImportEnterpriseRoots"] = "0x1"
	lacks(t, m.lookBrowsers(), "firefox-policy-off")

	for browser, vendor := range map[string]string{
		"Chrome": `Google\Chrome`, "Edge": `Microsoft\Edge`, "Brave": `BraveSoftware\Brave`, "Opera": `Opera Software\Opera`, "Yandex": `YandexBrowser`, "Vivaldi": `Vivaldi`,
	} {
		t.Run(browser, func(t *testing.T) {
			m, r := windowsMachine(t)
			blocked, allowed := `HKCU\SOFTWARE\Policies\`+vendor+`\LocalNetworkAccessBlockedForUrls`, `HKLM\SOFTWARE\Policies\`+vendor+`\LoopbackNetworkAllowedForUrls`
			r.keys[allowed] = map[string]string{"1": "https://a.kz"}
			found := m.lookBrowsers()
			lacks(t, found, "policy-blocks")
			finds(t, found, "policy-allows", Good, "https://a.kz")
			r.keys[blocked] = map[string]string{"1": "*"}
			finds(t, m.lookBrowsers(), "policy-blocks", Bad, vendor)
			r.keys[`HKLM\SOFTWARE\Policies\`+vendor] = map[string]string{"CAPlatformIntegrationEnabled": "0x1"}
			lacks(t, m.lookBrowsers(), "chromium-policy-off")
			r.keys[`HKLM\SOFTWARE\Policies\`+vendor]["CAPlatformIntegrationEnabled"] = "0x0"
			finds(t, m.lookBrowsers(), "chromium-policy-off", Bad, vendor)
			m.Portals = []string{"[*.]gov.kz"}
			if err := Put(t.Context(), m.System(), quiet(t, Present)); err != nil {
				t.Fatal(err)
			}
			if len(r.keys[allowed]) != 2 {
				t.Errorf("%v", r.keys)
			}
		})
	}
	r.keys[`HKLM\SOFTWARE\Policies\Another\Program\LocalNetworkAccessBlockedForUrls`] = map[string]string{"1": "*"}
	lacks(t, m.lookBrowsers(), "policy-blocks")

	for _, path := range []string{
		"Local/Google/Chrome/User Data/Profile 1", "Local/Microsoft/Edge/User Data/Default", "Local/BraveSoftware/Brave-Browser/User Data/Default",
		"Roaming/Opera Software/Opera Stable", "Roaming/Opera Software/Opera Stable/Default", "Local/Yandex/YandexBrowser/User Data/Default", "Local/Vivaldi/User Data/Default",
	} {
		m, _ := windowsMachine(t)
		write(t, filepath.Join(m.Home, "AppData", path, "Preferences"), `{"profile":{"content_settings":{"exceptions":{"loopback_network":{"https://zakup.gov.kz:443,*":{"setting":2}}}}}}`)
		finds(t, m.lookBrowsers(), "permission", Bad, "zakup.gov.kz")
	}

	r.keys[runPath]["NCALayer"] = `"C:\Users\a\AppData\Roaming\NCALayer\ncalayer.exe"`
	finds(t, m.lookStart(t.Context()), "rival", Warning, `Run\NCALayer`)
	delete(r.keys[runPath], "NCALayer")
	lacks(t, m.lookStart(t.Context()), "rival")
	write(t, filepath.Join(m.Home, "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/NCALayer.lnk"), "")
	finds(t, m.lookStart(t.Context()), "rival", Warning, "NCALayer.lnk")
}

// TestPortReserved: Windows reserves ranges of ports for itself; the list is netsh's, in the language of the system.
func TestPortReserved(t *testing.T) {
	m, r := windowsMachine(t)
	const head = "\r\nДиапазоны исключенных портов для протокола tcp\r\n\r\nНачальный порт    Конечный порт\r\n----------    --------\r\n"
	const foot = "\r\n* - Administered port exclusions.\r\n\r\n"
	q := Question{"127.0.0.1:13579", ""}
	for ports, want := range map[string]bool{
		"": false, "      5357        5357     \r\n     13499       13598     \r\n": true, "     13579       13579     *\r\n": false, "     13580       13679     \r\n": false,
	} {
		r.ports = head + ports + foot
		if got := m.reserved(t.Context(), "13579"); got != want {
			t.Errorf("%q: %v", ports, got)
		}
	}
	r.ports = head + "     1       65535     \r\n" + foot
	if Probe(t.Context(), q.Address).State == "free" {
		finds(t, m.Agent(t.Context(), q), "port-reserved", Bad, "13579")
	}
}

// macTools are the tools of macOS, as far as they are used.
type macTools struct {
	keychain []string // certificates in PEM
	trusted  bool
	profiles string // what profiles list says
	ran      []string
}

func (r *macTools) run(_ context.Context, name string, args ...string) ([]byte, error) {
	r.ran = append(r.ran, strings.Join(append([]string{name}, args...), " "))
	switch name + " " + args[0] {
	case "security find-certificate":
		return []byte(strings.Join(r.keychain, "")), nil
	case "security verify-cert":
		if r.trusted {
			return nil, nil
		}
	case "security add-trusted-cert":
		b, err := os.ReadFile(args[len(args)-1])
		r.keychain, r.trusted = append(r.keychain, string(b)), true
		return nil, err
	case "security delete-certificate":
		r.keychain = nil
		return nil, nil
	case "profiles list":
		return []byte(r.profiles), nil
	case "profiles remove":
		r.profiles = "There are no configuration profiles installed"
		return nil, nil
	}
	return nil, errTool
}

func mac(t *testing.T) (*Machine, *macTools) {
	t.Helper()
	m := machine(t)
	r := &macTools{}
	m.OS, m.Run, m.Program = "darwin", r.run, "/Applications/Senim.app/Contents/MacOS/senim-agent"
	m.Config = filepath.Join(m.Home, "Library", "Application Support")
	m.Data = filepath.Join(m.Config, "senim-agent")
	if _, err := agent.EnsureAuthority(m.Data); err != nil {
		t.Fatal(err)
	}
	m.Find = func(string) (string, error) { return "", exec.ErrNotFound }
	return m, r
}

// TestDoctorMacOS: as on Windows. A Firefox that reads the keychain needs no tool of Mozilla's, and installing goes on.
func TestDoctorMacOS(t *testing.T) {
	m, _ := mac(t)
	profile := filepath.Join(m.Home, "Library/Application Support/Firefox/Profiles/a.default-release")
	write(t, filepath.Join(profile, "prefs.js"), "")
	write(t, filepath.Join(profile, "cert9.db"), "") // as Firefox makes it
	q := Question{running(t, m), "1.2.3"}
	found := m.Doctor(t.Context(), q)
	finds(t, found, "store-absent", Bad, "login.keychain-db")
	finds(t, found, "autostart-absent", Warning, "")
	if err := Put(t.Context(), m.Own(), quiet(t, Present)); err != nil {
		t.Fatalf("without certutil nothing is installed: %v", err)
	}
	if found = m.Doctor(t.Context(), q); !Sound(found) {
		t.Errorf("%+v", found)
	}
	write(t, filepath.Join(profile, "prefs.js"), `user_pref("security.enterprise_roots.enabled", false);`+"\n")
	finds(t, m.Doctor(t.Context(), q), "firefox-roots-off", Bad, "a.default-release")
	write(t, filepath.Join(profile, "prefs.js"), "")

	managed := m.path("/Library/Managed Preferences/org.mozilla.firefox.plist")
	write(t, managed, "bplist00")
	write(t, managed, plistHead+"<dict><key>EnterprisePoliciesEnabled</key><true/><key>Certificates</key><dict><key>ImportEnterpriseRoots</key><false/></dict></dict></plist>")
	finds(t, m.Doctor(t.Context(), q), "firefox-policy-off", Bad, managed)
	write(t, managed, plistHead+"<dict><key>EnterprisePoliciesEnabled</key><true/><key>Certificates</key><dict><key>ImportEnterpriseRoots</key><true/></dict></dict></plist>")
	lacks(t, m.Doctor(t.Context(), q), "firefox-policy-off")

	// An authority of ours in a database of Firefox is seen without the tool, and with what takes it away.
	gone := *m
	if err := os.WriteFile(filepath.Join(profile, "cert9.db"), recorded(t), 0o600); err != nil {
		t.Fatal(err)
	}
	finds(t, gone.lookStores(t.Context()), "store-no-tool", Bad, "a.default-release")
	if err := os.Remove(filepath.Join(profile, "cert9.db")); err != nil {
		t.Fatal(err)
	}

	for domain, path := range map[string]string{
		"com.google.Chrome": "Google/Chrome/Default", "com.microsoft.Edge": "Microsoft Edge/Default", "com.brave.Browser": "BraveSoftware/Brave-Browser/Default",
		"com.operasoftware.Opera": "com.operasoftware.Opera", "ru.yandex.desktop.yandex-browser": "Yandex/YandexBrowser/Profile 2", "com.vivaldi.Vivaldi": "Vivaldi/Default",
	} {
		t.Run(domain, func(t *testing.T) {
			m, _ := mac(t)
			write(t, filepath.Join(m.Config, path, "Preferences"), `{"profile":{"content_settings":{"exceptions":{"local_network_access":{"https://zakup.gov.kz:443,*":{"setting":2}}}}}}`)
			finds(t, m.lookBrowsers(), "permission", Bad, "zakup.gov.kz")
			own := m.path("/Library/Managed Preferences", filepath.Base(m.Home), domain+".plist")
			for _, broken := range []string{"", "bplist00", "{", "<plist><dict><key>a", plistHead + strings.Repeat("<array>", 10000)} {
				write(t, own, broken)
				lacks(t, m.lookBrowsers(), "policy-blocks")
			}
			binary, err := plist.Marshal(map[string]any{"HomepageLocation": "https://corp", "LoopbackNetworkBlockedForUrls": []string{"*"}}, plist.BinaryFormat)
			if err != nil { // as macOS writes them
				t.Fatal(err)
			}
			write(t, own, string(binary))
			finds(t, m.lookBrowsers(), "policy-blocks", Bad, own)
			write(t, own, plistHead+"<dict><key>LoopbackNetworkAllowedForUrls</key><array><string>[*.]gov.kz</string></array></dict></plist>")
			lacks(t, m.lookBrowsers(), "policy-blocks")
			finds(t, m.lookBrowsers(), "policy-allows", Good, "[*.]gov.kz")
			write(t, own, plistHead+"<dict><key>CAPlatformIntegrationEnabled</key><false/></dict></plist>")
			finds(t, m.lookBrowsers(), "chromium-policy-off", Bad, own)
		})
	}

	write(t, m.path("/Library/LaunchAgents/kz.gov.pki.NCALayer.plist"), "")
	finds(t, m.lookStart(t.Context()), "rival", Warning, "NCALayer")
	m.Program = "/private/var/folders/zz/T/AppTranslocation/0A-1B/d/Senim.app/Contents/MacOS/senim-agent"
	finds(t, m.lookStart(t.Context()), "translocated", Bad, "AppTranslocation")
}

const plistHead = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">`

// TestMacProfile: the browsers' policy on macOS is a profile in a file, which the administrator opens; it goes with the
// last person's sites.
func TestMacProfile(t *testing.T) {
	unix(t)
	m, r := mac(t)
	m.Portals = []string{"[*.]gov.kz", "https://portal.example.kz"}
	path := m.path("/etc/senim-agent/senim-agent.mobileconfig")
	if err := Put(t.Context(), m.System(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := parsePlist(b)
	if want := []string{"[*.]gov.kz", "https://portal.example.kz"}; err != nil || !slices.Equal(all["PayloadContent/LoopbackNetworkAllowedForUrls"][:2], want) {
		t.Errorf("%v %v", all, err)
	}
	for _, domain := range []string{"com.google.Chrome", "com.microsoft.Edge", "com.brave.Browser", "com.operasoftware.Opera", "ru.yandex.desktop.yandex-browser", "com.vivaldi.Vivaldi"} {
		if !strings.Contains(string(b), "<key>PayloadType</key>\n<string>"+domain+"</string>") {
			t.Errorf("%s is not in the profile", domain)
		}
	}
	if tool, err := exec.LookPath("plistutil"); err == nil {
		if out, err := exec.Command(tool, "-i", path).CombinedOutput(); err != nil {
			t.Errorf("%s %v", out, err)
		}
	}
	if first := string(mobileConfig([]string{"https://a.kz/<&"})); first != string(mobileConfig([]string{"https://a.kz/<&"})) || strings.Contains(string(mobileConfig([]string{"<x>"})), "<x>") {
		t.Error("the profile is another each time, or a site is markup in it")
	}
	r.profiles = "_computerlevel[1] attribute: profileIdentifier: " + macProfileID
	two := m.second(t)
	two.OS, two.Portals = "darwin", []string{"https://two.kz"}
	if err := errors.Join(Put(t.Context(), two.System(), quiet(t, Present)), Take(t.Context(), append(m.System(), m.Left(true)...), quiet(t, Absent))); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), "https://two.kz") || strings.Contains(string(b), "gov.kz") || !strings.Contains(r.profiles, macProfileID) {
		t.Errorf("another person's sites: %s %v", b, err)
	}
	if left, err := two.SystemLeft(t.Context()); !left || err != nil {
		t.Errorf("%v %v", left, err)
	}
	if err := Take(t.Context(), append(two.System(), two.Left(true)...), quiet(t, Absent)); err != nil {
		t.Fatal(err)
	}
	if exists(m.path("/etc/senim-agent")) || strings.Contains(r.profiles, macProfileID) {
		t.Errorf("left: %v %s", files(t, m.Root), r.profiles)
	}
	// A profile whose file is gone does not stay.
	r.profiles = "profileIdentifier: " + macProfileID
	if left, err := m.SystemLeft(t.Context()); !left || err != nil {
		t.Errorf("%v %v", left, err)
	}
	if err := Take(t.Context(), m.System(), quiet(t, Absent)); err != nil || strings.Contains(r.profiles, macProfileID) {
		t.Errorf("%s %v", r.profiles, err)
	}
}

// TestMacLeavesNothing: what is put on macOS for a person goes, to the folder.
func TestMacLeavesNothing(t *testing.T) {
	m, r := mac(t)
	before := files(t, m.Home)
	if err := Put(t.Context(), m.Own(), quiet(t, Present)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(m.Home, "Library/LaunchAgents/kz.senim.agent.plist"))
	agent, fault := parsePlist(b)
	if err = errors.Join(err, fault); err != nil || !slices.Equal(agent["ProgramArguments"], []string{m.Program, "--wait"}) || !slices.Equal(agent["RunAtLoad"], []string{"true"}) {
		t.Errorf("%v %v", agent, err)
	}
	if err := errors.Join(m.Remember(), Take(t.Context(), append(m.Own(), m.Left(false)...), quiet(t, Absent)), os.Remove(m.recordPath()), os.Remove(filepath.Join(m.Data, foldersFile))); err != nil {
		t.Fatal(err)
	}
	if after := files(t, m.Home); !slices.Equal(before, after) || len(r.keychain) > 0 || exists(filepath.Join(m.Home, "Library/LaunchAgents")) {
		t.Errorf("%v\n%v", before, after)
	}
}
