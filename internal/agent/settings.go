package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"senim/internal/keystore"
)

// saved is what the person set, as the file of mode 0600 holds it.
type saved struct {
	Folders []string      `json:"folders,omitempty"` // with key files, the one used last first
	Drivers []savedDriver `json:"drivers,omitempty"` // of tokens, of the person's choice
	Lang    string        `json:"lang,omitempty"`    // of the agent's own page
	// Plain accepts an index of certificates in a plain file where the system has no keychain.
	Plain bool `json:"plain,omitempty"`
	// NoMedia leaves plugged media alone, NoReminders says nothing about expiry.
	NoMedia     bool                 `json:"noMedia,omitempty"`
	NoReminders bool                 `json:"noReminders,omitempty"`
	Large       bool                 `json:"large,omitempty"` // the door for large documents is open
	Sites       map[string]savedSite `json:"sites,omitempty"` // by origin
	// Lost: the settings before these could not be read. Which sites were blocked nobody knows, until the person has said
	// that sites may ask again.
	Lost bool     `json:"lost,omitempty"`
	Seen []string `json:"seen,omitempty"` // names of broken files the person knows of
}

// savedSite is what is remembered of a site.
type savedSite struct {
	Blocked bool      `json:"blocked,omitempty"`
	Since   time.Time `json:"since"`
	Last    time.Time `json:"last,omitzero"` // it was answered
	Count   int       `json:"count,omitempty"`
}

// settings keeps them.
type settings struct {
	path string

	mu  sync.Mutex
	now saved // under mu
}

func settingsIn(data string) string { return filepath.Join(data, "settings.json") }

func openSettings(path string) (*settings, error) {
	s := &settings{path: path}
	b, err := keystore.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err == nil && json.Unmarshal(b, &s.now) == nil:
		return s, nil
	case err != nil && !errors.Is(err, keystore.ErrNotFile): // they may be read later
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	// A site that was blocked must stay so: settings that are broken are not those of a new agent.
	s.now = saved{}
	if err := keystore.SetAside(path); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	return s, s.change(func(c *saved) { c.Lost = true })
}

// get gives a copy to read.
func (s *settings) get() saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copy()
}

func (s *settings) copy() saved {
	c := s.now
	c.Folders, c.Seen, c.Drivers = slices.Clone(c.Folders), slices.Clone(c.Seen), slices.Clone(c.Drivers)
	c.Sites = make(map[string]savedSite, len(s.now.Sites))
	for origin, site := range s.now.Sites {
		c.Sites[origin] = site
	}
	return c
}

// change writes the settings down before they hold.
func (s *settings) change(f func(*saved)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.copy()
	f(&c)
	b, err := json.MarshalIndent(c, "", " ")
	if err == nil {
		err = keystore.Replace(s.path, b)
	}
	if err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	s.now = c
	return nil
}
