package setup

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// lookFirefox looks, on Windows and macOS, whether Firefox reads the system's certificates: by itself since version 120,
// and where the person or an administrator has not turned that off. A profile that has the authority of its own needs it
// not.
func (m *Machine) lookFirefox() (found []Finding) {
	var base string
	switch m.OS {
	case "windows":
		base = filepath.Join(m.Home, "AppData", "Roaming", "Mozilla", "Firefox", "Profiles")
	case "darwin":
		base = filepath.Join(m.Home, "Library", "Application Support", "Firefox", "Profiles")
	default:
		return nil // Firefox on Linux reads its own databases only
	}
	profiles, err := filepath.Glob(filepath.Join(base, "*", "prefs.js"))
	if err != nil || len(profiles) == 0 {
		return nil
	}
	forbidden := m.firefoxPolicyOff()
	for _, prefs := range profiles {
		s := nssStore{m, filepath.Dir(prefs), "firefox"}
		switch {
		case s.only():
		case forbidden != "":
			found = append(found, Finding{ID: "firefox-policy-off", Level: Bad, Where: forbidden})
			forbidden = "" // once is enough
		case !enterpriseRoots(s.dir):
			found = append(found, Finding{ID: "firefox-roots-off", Level: Bad, Where: s.dir})
		}
	}
	return found
}

var (
	rootsSetting   = regexp.MustCompile(`(?m)^\s*user_pref\(\s*"security\.enterprise_roots\.enabled"\s*,\s*(true|false)\s*\)`)
	firefoxVersion = regexp.MustCompile(`(?m)^LastVersion=(\d+)`)
)

// enterpriseRoots tells whether a profile reads the system's certificates: what the person chose, else what its version
// does by itself.
func enterpriseRoots(profile string) bool {
	for _, name := range []string{"user.js", "prefs.js"} { // the first one is stronger
		b, err := readLimited(filepath.Join(profile, name), 16<<20)
		if err != nil {
			continue
		}
		if all := rootsSetting.FindAllSubmatch(b, -1); len(all) > 0 {
			return string(all[len(all)-1][1]) == "true"
		}
	}
	b, err := readLimited(filepath.Join(profile, "compatibility.ini"), 64<<10)
	if err != nil {
		return true
	}
	if match := firefoxVersion.FindSubmatch(b); match != nil {
		version, err := strconv.Atoi(string(match[1]))
		return err != nil || version >= 120
	}
	return true
}

// firefoxPolicyOff finds an administrator's policy that keeps Firefox from the system's certificates.
func (m *Machine) firefoxPolicyOff() string {
	if m.OS == "windows" {
		for _, hive := range []string{`HKLM`, `HKCU`} {
			key := hive + `\SOFTWARE\Policies\Mozilla\Firefox\Certificates`
			if n, there, err := m.Registry.Number(key, "ImportEnterpriseRoots"); err == nil && there && n == 0 {
				return key + `\ImportEnterpriseRoots`
			}
		}
		return ""
	}
	for _, path := range m.managedFiles("org.mozilla.firefox") {
		if all := propertyLists(path); slices.Contains(all["Certificates/ImportEnterpriseRoots"], "false") || slices.Contains(all["Certificates__ImportEnterpriseRoots"], "false") {
			return path
		}
	}
	return ""
}
