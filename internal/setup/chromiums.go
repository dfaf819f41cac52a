package setup

import (
	"path/filepath"
	"slices"
)

// chromium is a browser of the Chromium kind: where it keeps its profiles and where its policies stand, on each system.
type chromium struct {
	config   []string // profiles on Linux, under the person's settings
	boxed    []string // the same for snap and flatpak, under the home
	programs []string // on Linux
	managed  string   // folder of policies on Linux
	local    string   // profiles on Windows, under AppData\Local; those of Opera are under Roaming
	roaming  string
	key      string // of policies on Windows, under SOFTWARE\Policies
	mac      string // profiles on macOS, under Application Support
	domain   string // of its settings on macOS
}

// chromiums are the browsers that people of this country have. Where Opera's policies stand has one source only.
var chromiums = []chromium{
	{
		config: []string{"google-chrome", "google-chrome-beta"}, boxed: []string{".var/app/com.google.Chrome/config/google-chrome"},
		programs: []string{"google-chrome", "google-chrome-stable"}, managed: "/etc/opt/chrome/policies/managed",
		local: "Google/Chrome/User Data", key: `Google\Chrome`, mac: "Google/Chrome", domain: "com.google.Chrome",
	}, {
		config: []string{"chromium"}, boxed: []string{"snap/chromium/common/chromium", ".var/app/org.chromium.Chromium/config/chromium"},
		programs: []string{"chromium"}, managed: "/etc/chromium/policies/managed",
		local: "Chromium/User Data", key: `Chromium`, mac: "Chromium", domain: "org.chromium.Chromium",
	}, {
		programs: []string{"chromium-browser"}, managed: "/etc/chromium-browser/policies/managed", // the same of older Ubuntu, and of snap
	}, {
		config: []string{"microsoft-edge"}, boxed: []string{".var/app/com.microsoft.Edge/config/microsoft-edge"},
		programs: []string{"microsoft-edge", "microsoft-edge-stable"}, managed: "/etc/opt/edge/policies/managed",
		local: "Microsoft/Edge/User Data", key: `Microsoft\Edge`, mac: "Microsoft Edge", domain: "com.microsoft.Edge",
	}, {
		config: []string{"BraveSoftware/Brave-Browser"}, boxed: []string{".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser", "snap/brave/current/.config/BraveSoftware/Brave-Browser"},
		programs: []string{"brave-browser", "brave"}, managed: "/etc/brave/policies/managed",
		local: "BraveSoftware/Brave-Browser/User Data", key: `BraveSoftware\Brave`, mac: "BraveSoftware/Brave-Browser", domain: "com.brave.Browser",
	}, {
		config: []string{"opera"}, boxed: []string{".var/app/com.opera.Opera/config/opera", "snap/opera/current/.config/opera"},
		programs: []string{"opera"}, managed: "/etc/opt/opera/policies/managed",
		roaming: "Opera Software/Opera Stable", key: `Opera Software\Opera`, mac: "com.operasoftware.Opera", domain: "com.operasoftware.Opera",
	}, {
		roaming: "Opera Software/Opera GX Stable", key: `Opera Software\Opera GX`, mac: "com.operasoftware.OperaGX", domain: "com.operasoftware.OperaGX",
	}, {
		config: []string{"yandex-browser", "yandex-browser-beta"}, boxed: []string{".var/app/ru.yandex.Browser/config/yandex-browser"},
		programs: []string{"yandex-browser", "yandex-browser-stable", "yandex-browser-corporate"}, managed: "/etc/opt/yandex/browser/policies/managed",
		local: "Yandex/YandexBrowser/User Data", key: `YandexBrowser`, mac: "Yandex/YandexBrowser", domain: "ru.yandex.desktop.yandex-browser",
	}, {
		config: []string{"vivaldi"}, boxed: []string{".var/app/com.vivaldi.Vivaldi/config/vivaldi", "snap/vivaldi/current/.config/vivaldi"},
		programs: []string{"vivaldi", "vivaldi-stable"}, managed: "/etc/opt/vivaldi/policies/managed",
		local: "Vivaldi/User Data", key: `Vivaldi`, mac: "Vivaldi", domain: "com.vivaldi.Vivaldi",
	},
}

// here tells whether a browser is on this Linux.
func (c chromium) here(m *Machine) bool {
	return slices.ContainsFunc(c.programs, func(name string) bool { _, err := m.Find(name); return err == nil })
}

// bases are the folders of the profiles of a browser.
func (c chromium) bases(m *Machine) (list []string) {
	add := func(under string, paths ...string) {
		for _, p := range paths {
			if p != "" {
				list = append(list, filepath.Join(under, filepath.FromSlash(p)))
			}
		}
	}
	switch m.OS {
	case "windows":
		add(filepath.Join(m.Home, "AppData", "Local"), c.local)
		add(filepath.Join(m.Home, "AppData", "Roaming"), c.roaming)
	case "darwin":
		add(filepath.Join(m.Home, "Library", "Application Support"), c.mac)
	default:
		add(m.Config, c.config...)
		add(m.Home, c.boxed...)
	}
	return list
}

// chromiumProfiles are where these browsers keep what a person decided about sites: each profile has a folder, and that
// of Opera was for long the base itself.
func (m *Machine) chromiumProfiles() (list []string) {
	for _, c := range chromiums {
		for _, base := range c.bases(m) {
			for _, pattern := range []string{".", "Default", "Profile *"} {
				if found, err := filepath.Glob(filepath.Join(base, pattern, "Preferences")); err == nil {
					list = append(list, found...)
				}
			}
		}
	}
	return list
}
