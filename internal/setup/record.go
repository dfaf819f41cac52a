package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"senim/internal/agent"
	"senim/internal/keystore"
)

// Record is what the person chose when the agent was installed. Its being there is the consent to
// put the authority into browser profiles that are made later.
type Record struct {
	Arguments []string `json:"arguments,omitempty"`
	Portals   []string `json:"portals,omitempty"`
	Systemd   bool     `json:"systemd,omitempty"`
}

func (m *Machine) recordPath() string { return filepath.Join(m.Data, "installed.json") }

// Remember writes the choices down.
func (m *Machine) Remember() error {
	b, err := json.MarshalIndent(Record{m.Arguments, m.Portals, m.Systemd}, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(m.recordPath(), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write down what was chosen: %w", err)
	}
	return nil
}

// Recall takes the choices from the last time; false when the agent was not installed here.
func (m *Machine) Recall() (bool, error) {
	b, err := readLimited(m.recordPath(), 1<<20)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	var r Record
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		return false, fmt.Errorf("read what was chosen: %w", err)
	}
	m.Arguments, m.Portals, m.Systemd = r.Arguments, r.Portals, r.Systemd
	return true, nil
}

// Recheck puts the authority into stores that appeared since, where the person has agreed to that;
// the agent calls it when it starts. It touches nothing but stores of the person, and on Windows and
// macOS nothing at all: their systems would ask in the middle of something else.
func (m *Machine) Recheck(ctx context.Context, say func(p Part, s State, err error)) error {
	if agreed, err := m.Recall(); err != nil || !agreed {
		return err
	}
	if m.OS != "linux" {
		return nil
	}
	if err := m.OwnHome(); err != nil {
		return err
	}
	return Put(ctx, m.ownStores(), say)
}

// ErrPending says that keys wait for their certificates, and without the agent's notes they cannot be finished.
var ErrPending = errors.New("keys wait for their certificates; what the agent knows of them would be lost")

// Pending counts the keys that wait.
func (m *Machine) Pending() (int, error) {
	return keystore.Waiting(filepath.Join(m.Data, agent.PendingFolder))
}

// Erase deletes what the agent keeps in its own folder, or gives [ErrPending] and leaves it alone. Key files
// are the person's and stay where they are, as does all else in the folder.
func (m *Machine) Erase(withPending bool) error {
	if !withPending {
		n, err := m.Pending()
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrPending
		}
	}
	for _, path := range []string{m.recordPath(), filepath.Join(m.Data, foldersFile), filepath.Join(m.Data, NoticeFile)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return agent.Erase(m.Data)
}

// NoticeFile is the name, in the agent's folder, of the page that says why it does not start.
const NoticeFile = "notice.html"

// SystemLeft tells whether parts of the whole machine are still there.
func (m *Machine) SystemLeft(ctx context.Context) (bool, error) {
	wanted, _ := m.systemStores()
	for _, p := range slices.Concat(wanted, m.policies(), m.Left(true)) {
		state, err := p.State(ctx)
		if err != nil {
			return false, err
		}
		if state != Absent {
			return true, nil
		}
	}
	return false, nil
}
