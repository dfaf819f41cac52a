package setup

import (
	"context"
	"sort"

	"senim/internal/lang"
)

// Level is how bad a finding is.
type Level string

// Levels of a [Finding]. Unknown: it could not be looked at, and is not good.
const (
	Good    Level = "good"
	Warning Level = "warning" // pages reach the agent, yet something is not as it should be
	Unsure  Level = "unknown"
	Bad     Level = "bad" // pages do not reach the agent, or not all
)

// Finding is one thing that was looked at.
type Finding struct {
	ID    string `json:"id"` // stable; its texts are setup.found.<id> and setup.do.<id>
	Level Level  `json:"level"`
	Where string `json:"where,omitempty"`
	Vars  []any  `json:"-"`
}

// Found says what was found.
func (f Finding) Found(t lang.Tag) string {
	return t.Text("setup.found."+f.ID, append([]any{"where", f.Where}, f.Vars...)...)
}

// Do says what helps, "" when nothing is needed.
func (f Finding) Do(t lang.Tag) string {
	if f.Level == Good {
		return ""
	}
	return t.Text("setup.do."+f.ID, append([]any{"where", f.Where}, f.Vars...)...)
}

// Question is what the doctor is asked about.
type Question struct {
	Address string // of the agent; 127.0.0.1:13579
	Version string // of this program
}

// Doctor looks at everything that keeps pages from the agent, the worst first. It changes nothing.
func (m *Machine) Doctor(ctx context.Context, q Question) []Finding {
	found := m.Agent(ctx, q)
	found = append(found, m.lookAuthority()...)
	found = append(found, m.lookBroken()...)
	found = append(found, m.lookStores(ctx)...)
	found = append(found, m.lookBrowsers()...)
	found = append(found, m.lookWindow(ctx)...)
	found = append(found, m.lookStart(ctx)...)
	found = append(found, m.lookNetwork(ctx)...)
	found = append(found, m.lookTroubles(ctx)...)
	order := map[Level]int{Bad: 0, Unsure: 1, Warning: 2, Good: 3}
	sort.SliceStable(found, func(i, j int) bool { return order[found[i].Level] < order[found[j].Level] })
	return found
}

// Repair puts the authority where the doctor missed it, in the stores the person may change.
func (m *Machine) Repair(ctx context.Context, say func(p Part, s State, err error)) error {
	return Put(ctx, m.ownStores(), say)
}
