package setup

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// foldersFile notes, in the agent's folder, which folders of the person were made for what is put.
const foldersFile = "folders.json"

// folders gives the folders that were made. They are not known when a build that did not note them installed the agent.
func (m *Machine) folders() (made []string, known bool, err error) {
	b, err := readLimited(filepath.Join(m.Data, foldersFile), 1<<20)
	if errors.Is(err, os.ErrNotExist) {
		return nil, !exists(m.recordPath()), nil
	}
	if err == nil {
		err = json.Unmarshal(b, &made)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read which folders were made: %w", err)
	}
	return made, true, nil
}

// prepare makes a folder of the person's for something that is put, and notes it first when it was not there.
func (m *Machine) prepare(dir string, mode os.FileMode) error {
	made, known, err := m.folders()
	if err != nil {
		return err
	}
	if known {
		for d := dir; m.atHome(d) && !lies(d); d = filepath.Dir(d) {
			made = append(made, d)
		}
		b, err := json.Marshal(append([]string{}, made...))
		if err != nil {
			return err
		}
		if err := replace(filepath.Join(m.Data, foldersFile), append(b, '\n'), 0o600); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, mode)
}

// discard deletes a file of the person's, and then the folders above it that were made for it and are empty. Where it is
// not known which were made, every empty one goes.
func (m *Machine) discard(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	made, known, err := m.folders()
	if err != nil {
		return err
	}
	for dir := filepath.Dir(path); m.atHome(dir) && (!known || slices.Contains(made, dir)); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil { // not empty, or not ours to delete
			break
		}
	}
	return nil
}

// atHome tells whether a path is below the person's home.
func (m *Machine) atHome(path string) bool {
	return strings.HasPrefix(path, filepath.Clean(m.Home)+string(filepath.Separator))
}
