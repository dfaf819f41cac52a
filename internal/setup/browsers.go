package setup

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// chromiumProfiles are where browsers of the Chromium kind keep what a person decided about sites.
func (m *Machine) chromiumProfiles() []string {
	var bases []string
	switch m.OS {
	case "windows":
		local := filepath.Join(m.Home, "AppData", "Local")
		for _, b := range []string{"Google/Chrome", "Microsoft/Edge", "BraveSoftware/Brave-Browser", "Yandex/YandexBrowser"} {
			bases = append(bases, filepath.Join(local, filepath.FromSlash(b), "User Data"))
		}
	case "darwin":
		for _, b := range []string{"Google/Chrome", "Chromium", "Microsoft Edge", "BraveSoftware/Brave-Browser", "Yandex/YandexBrowser"} {
			bases = append(bases, filepath.Join(m.Home, "Library", "Application Support", filepath.FromSlash(b)))
		}
	default:
		for _, b := range []string{"chromium", "google-chrome", "microsoft-edge", "BraveSoftware/Brave-Browser", "yandex-browser"} {
			bases = append(bases, filepath.Join(m.Config, b))
		}
		bases = append(bases, filepath.Join(m.Home, "snap/chromium/common/chromium"),
			filepath.Join(m.Home, ".var/app/org.chromium.Chromium/config/chromium"), filepath.Join(m.Home, ".var/app/com.google.Chrome/config/google-chrome"))
	}
	var list []string
	for _, base := range bases {
		for _, pattern := range []string{"Default", "Profile *"} {
			found, err := filepath.Glob(filepath.Join(base, pattern, "Preferences"))
			if err == nil {
				list = append(list, found...)
			}
		}
	}
	return list
}

// permissions are the names of the decision about this machine, of newer and older versions.
var permissions = []string{"loopback_network", "local_network_access", "local_network"}

// preferences is the part of a profile's settings that is read; 2 is "no".
type preferences struct {
	Profile struct {
		Content struct {
			Exceptions map[string]json.RawMessage `json:"exceptions"`
		} `json:"content_settings"`
		Defaults map[string]json.RawMessage `json:"default_content_setting_values"`
	} `json:"profile"`
}

// deniedSites lists the hosts that may not reach this machine; "*" is every site.
func deniedSites(path string) ([]string, error) {
	b, err := readLimited(path, 64<<20)
	if err != nil {
		return nil, err
	}
	var p preferences
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, err
	}
	var hosts []string
	for _, name := range permissions {
		if string(p.Profile.Defaults[name]) == "2" {
			hosts = append(hosts, "*")
		}
		sites := map[string]struct {
			Setting json.RawMessage `json:"setting"`
		}{}
		if json.Unmarshal(p.Profile.Content.Exceptions[name], &sites) != nil {
			continue
		}
		for pattern, s := range sites {
			if string(s.Setting) != "2" {
				continue
			}
			site, _, _ := strings.Cut(pattern, ",")
			if u, err := url.Parse(site); err == nil && u.Host != "" {
				site = u.Hostname()
			}
			hosts = append(hosts, site)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

// lookBrowsers finds sites that a mis-click has cut off, policies that cut all of them off, and
// whether there is a browser for the agent's own window.
func (m *Machine) lookBrowsers() []Finding {
	var found []Finding
	for _, path := range m.chromiumProfiles() {
		hosts, err := deniedSites(path)
		switch {
		case err != nil:
			found = append(found, Finding{ID: "permission-unknown", Level: Unsure, Where: path})
		case slices.Contains(hosts, "*"):
			found = append(found, Finding{ID: "permission-all", Level: Bad, Where: path})
		case len(hosts) > 0:
			found = append(found, Finding{ID: "permission", Level: Bad, Where: path, Vars: []any{"sites", strings.Join(hosts, ", ")}})
		}
	}
	for _, path := range m.blockedBy() {
		found = append(found, Finding{ID: "policy-blocks", Level: Bad, Where: path})
	}
	if m.OS == "linux" {
		there := false
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser", "xdg-open"} {
			if _, err := m.Find(name); err == nil {
				there = true
			}
		}
		if !there {
			found = append(found, Finding{ID: "no-browser", Level: Bad})
		}
	}
	return found
}
