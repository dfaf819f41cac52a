package setup

import (
	"context"
	"errors"
	"testing"

	"senim/internal/agent"
)

// TestDoctorTriesBrowsers: a browser that is there and shows no window is named: a warning while another way is left, else a
// fault.
func TestDoctorTriesBrowsers(t *testing.T) {
	m := machine(t)
	for name, c := range map[string]struct {
		trials []agent.Trial
		opener bool
		silent Level // "" is none
		shows  bool
	}{
		"the first":            {[]agent.Trial{{Program: "/usr/bin/chromium", Shows: true}}, false, "", true},
		"the second":           {[]agent.Trial{{Program: "/usr/bin/chromium"}, {Program: "/usr/bin/google-chrome", Shows: true}}, false, Warning, true},
		"the system's opener":  {[]agent.Trial{{Program: "/usr/bin/chromium"}}, true, Warning, false},
		"none":                 {[]agent.Trial{{Program: "/usr/bin/chromium"}, {Program: "/usr/bin/google-chrome"}}, false, Bad, false},
		"none of the kind":     {nil, true, "", false},
		"not tried, none here": {nil, false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			m.TryBrowsers = func(context.Context) ([]agent.Trial, bool) { return c.trials, c.opener }
			found := m.Doctor(t.Context(), Question{"127.0.0.1:1", "1"})
			if c.silent == "" {
				lacks(t, found, "browser-silent")
			} else {
				finds(t, found, "browser-silent", c.silent, "/usr/bin/chromium")
			}
			if c.shows {
				finds(t, found, "browser-shows", Good, "/usr/bin/")
			} else {
				lacks(t, found, "browser-shows")
			}
		})
	}
}

// TestDoctorTroubles: each thing that the agent cannot use is named in each language, with what to do; pages reach it all the
// same. Settings it would not start with are a fault.
func TestDoctorTroubles(t *testing.T) {
	m := machine(t)
	troubles := []agent.Trouble{
		{Kind: "keychain-absent"}, {Kind: "keychain-locked"}, {Kind: "no-authority"}, {Kind: "folder-away", Where: "/media/stick"}, {Kind: "driver-refused", Where: "/lib/a.so"},
		{Kind: "driver-fails", Where: "/lib/b.so"}, {Kind: "token-program", Where: "/opt/senim-token"}, {Kind: "service-away", Where: "tsp.example.kz"},
	}
	m.Examine = func(context.Context) ([]agent.Trouble, error) { return troubles, nil }
	found := m.Doctor(t.Context(), Question{"127.0.0.1:1", "1"})
	if len(troubles) != len(troubleIDs) {
		t.Errorf("%d kinds are tried of %d", len(troubles), len(troubleIDs))
	}
	for _, trouble := range troubles {
		finds(t, found, trouble.Kind, Warning, trouble.Where)
	}
	lacks(t, found, "choices-broken")
	m.Examine = func(context.Context) ([]agent.Trouble, error) { return nil, errors.New("unknown flag --no-such") }
	finds(t, m.Doctor(t.Context(), Question{"127.0.0.1:1", "1"}), "choices-broken", Bad, "--no-such")
}
