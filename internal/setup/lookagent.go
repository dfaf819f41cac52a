package setup

import (
	"context"
	"slices"
)

// lookWindow tries whether a browser shows the agent's windows. One that does not is passed over by the agent, and named here.
func (m *Machine) lookWindow(ctx context.Context) (found []Finding) {
	if m.TryBrowsers == nil {
		return nil
	}
	trials, opener := m.TryBrowsers(ctx)
	shows := opener
	for _, t := range trials {
		shows = shows || t.Shows
	}
	for _, t := range trials {
		switch {
		case t.Shows:
			found = append(found, Finding{ID: "browser-shows", Level: Good, Where: t.Program})
		case shows:
			found = append(found, Finding{ID: "browser-silent", Level: Warning, Where: t.Program})
		default:
			found = append(found, Finding{ID: "browser-silent", Level: Bad, Where: t.Program})
		}
	}
	return found
}

// troubleIDs are what the agent may have trouble with; the findings are named as it names them.
var troubleIDs = []string{"keychain-absent", "keychain-locked", "no-authority", "folder-away", "driver-refused", "driver-fails", "token-program", "service-away"}

// lookTroubles names what the agent has to do with and cannot use: pages reach it all the same.
func (m *Machine) lookTroubles(ctx context.Context) (found []Finding) {
	if m.Examine == nil {
		return nil
	}
	troubles, err := m.Examine(ctx)
	if err != nil {
		return []Finding{{ID: "choices-broken", Level: Bad, Where: m.recordPath(), Vars: []any{"why", err.Error()}}}
	}
	for _, t := range troubles {
		if slices.Contains(troubleIDs, t.Kind) {
			found = append(found, Finding{ID: t.Kind, Level: Warning, Where: t.Where})
		}
	}
	return found
}
