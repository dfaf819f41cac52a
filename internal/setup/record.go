package setup

import (
	"cmp"
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

// Erasing is how what the agent keeps is taken away.
type Erasing struct {
	Pending  bool              // also what keys need that wait
	Keychain keystore.Keychain // nil: none
	// Before takes away what else there is, while nobody works with the agent's folder; when it fails, the folder stays.
	Before func() error
}

// Erase takes away what the agent keeps in its own folder and in the keychain, or gives [ErrPending] and leaves all alone. Key files
// are the person's and stay where they are, as does all else in the folder. While an agent, or the window of an act, works
// with the folder, it waits until ctx ends, and gives [keystore.ErrInUse].
func (m *Machine) Erase(ctx context.Context, e Erasing) error {
	return agent.Erase(ctx, m.Data, agent.Erasing{
		Keychain: e.Keychain, Files: []string{filepath.Base(m.recordPath()), foldersFile, NoticeFile},
		Before: func() error {
			if n, err := m.Pending(); !e.Pending && (err != nil || n > 0) { // counted now, when nobody makes any
				return cmp.Or(err, ErrPending)
			}
			if e.Before == nil {
				return nil
			}
			return e.Before()
		},
	})
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
