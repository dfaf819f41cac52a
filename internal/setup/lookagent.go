package setup

import "context"

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
		f := Finding{Level: Warning, Where: t.Where}
		switch t.Kind {
		case "keychain-absent":
			f.ID = "keychain-absent"
		case "keychain-locked":
			f.ID = "keychain-locked"
		case "no-authority":
			f.ID = "no-authority"
		case "folder-away":
			f.ID = "folder-away"
		case "driver-refused":
			f.ID = "driver-refused"
		case "driver-fails":
			f.ID = "driver-fails"
		case "token-program":
			f.ID = "token-program"
		case "service-away":
			f.ID = "service-away"
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}
