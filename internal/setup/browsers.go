package setup

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

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
	Certificates struct {
		System *bool `json:"ca_platform_integration_enabled"`
	} `json:"certificates"`
}

// readPreferences reads the settings of a profile.
func readPreferences(path string) (p preferences, err error) {
	b, err := readLimited(path, 64<<20)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	return p, err
}

// deniedSites lists the hosts that may not reach this machine; "*" is every site.
func (p preferences) deniedSites() []string {
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
	return slices.Compact(hosts)
}

// lookBrowsers finds sites that a mis-click has cut off, policies that cut all of them off, and
// whether there is a browser for the agent's own window.
func (m *Machine) lookBrowsers() []Finding {
	var found []Finding
	for _, path := range m.chromiumProfiles() {
		p, err := readPreferences(path)
		if err != nil {
			found = append(found, Finding{ID: "permission-unknown", Level: Unsure, Where: path})
			continue
		}
		if p.Certificates.System != nil && !*p.Certificates.System {
			found = append(found, Finding{ID: "chromium-roots-off", Level: Bad, Where: path})
		}
		switch hosts := p.deniedSites(); {
		case slices.Contains(hosts, "*"):
			found = append(found, Finding{ID: "permission-all", Level: Bad, Where: path})
		case len(hosts) > 0:
			found = append(found, Finding{ID: "permission", Level: Bad, Where: path, Vars: []any{"sites", strings.Join(hosts, ", ")}})
		}
	}
	for _, p := range m.policiesSaid() {
		f := Finding{ID: "policy-allows", Level: Good, Where: p.where, Vars: []any{"sites", strings.Join(p.sites, ", ")}}
		switch {
		case p.name == systemRoots:
			f.ID, f.Level = "chromium-policy-off", Bad
		case slices.Contains(blocking, p.name):
			f.ID, f.Level = "policy-blocks", Bad
		}
		found = append(found, f)
	}
	found = append(found, m.lookFirefox()...)
	if m.OS == "linux" {
		there := false
		for _, c := range append(chromiums, chromium{programs: []string{"firefox", "firefox-esr", "xdg-open"}}) {
			there = there || c.here(m)
		}
		if !there {
			found = append(found, Finding{ID: "no-browser", Level: Bad})
		}
	}
	return found
}
