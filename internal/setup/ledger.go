package setup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ledger is what the machine's own parts have to remember: several people of one machine may have put theirs.
type ledger struct {
	Portals map[string][]string `json:"portals,omitempty"` // by installation
	Made    []string            `json:"made,omitempty"`    // folders that were not there before
}

// installation tells this person's parts of the machine from another's, by the agent's folder.
func (m *Machine) installation() string {
	sum := sha256.Sum256([]byte(m.Data))
	return hex.EncodeToString(sum[:6])
}

func (m *Machine) ledgerPath() string { return m.path("/etc/senim-agent", "installed.json") }

func (m *Machine) ledger() (l ledger, err error) {
	l.Portals = map[string][]string{}
	b, err := m.read(m.ledgerPath(), 1<<20)
	if errors.Is(err, os.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err != nil {
		return l, fmt.Errorf("read %s: %w", m.ledgerPath(), err)
	}
	if l.Portals == nil {
		l.Portals = map[string][]string{}
	}
	return l, nil
}

// write keeps the ledger, and deletes it when nothing is in it.
func (l ledger) write(m *Machine) error {
	if len(l.Portals) == 0 && len(l.Made) == 0 {
		if err := m.unlink(m.ledgerPath()); err != nil {
			return err
		}
		_ = os.Remove(filepath.Dir(m.ledgerPath())) // a folder of our name: it stays when it is not empty
		return nil
	}
	b, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return m.write(m.ledgerPath(), append(b, '\n'))
}

// sites are those of all installations, sorted.
func (l ledger) sites() []string {
	all := slices.Concat(slices.Collect(maps.Values(l.Portals))...)
	slices.Sort(all)
	return slices.Compact(all)
}

// lies tells whether there is anything of that name, also a link that leads nowhere.
func lies(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// place writes a file among others' and notes the folders that are made for it.
func (m *Machine) place(path string, content []byte) error {
	if _, err := m.firm(path); err != nil { // before anything is noted
		return err
	}
	l, err := m.ledger()
	if err != nil {
		return err
	}
	for dir := filepath.Dir(path); strings.HasPrefix(dir, m.path("/etc")+string(filepath.Separator)) && !lies(dir); dir = filepath.Dir(dir) {
		l.Made = append(l.Made, strings.TrimPrefix(dir, m.Root))
	}
	if err := l.write(m); err != nil { // before they are: a folder that is not noted stays for good
		return err
	}
	return m.write(path, content)
}

// displace deletes a file, and the folders above it that are empty and were made for it.
func (m *Machine) displace(path string) error {
	l, err := m.ledger()
	if err != nil {
		return err
	}
	if err := m.unlink(path); err != nil {
		return err
	}
	for dir := filepath.Dir(path); slices.Contains(l.Made, strings.TrimPrefix(dir, m.Root)); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil && exists(dir) { // something else is in it
			break
		}
		l.Made = slices.DeleteFunc(l.Made, func(made string) bool { return made == strings.TrimPrefix(dir, m.Root) })
	}
	return l.write(m)
}
