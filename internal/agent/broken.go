package agent

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// Broken is a file of the agent's that could not be read. The agent goes on without it; what it was is kept beside.
type Broken struct {
	Kind string // settings, pending, remembered or authority
	Path string // of what was kept; of the file itself before the agent starts
}

// ofData lists the files of a data folder that an agent needs to start, by kind.
func ofData(data string) []Broken {
	return []Broken{
		{"settings", settingsIn(data)}, {"remembered", rememberedIn(data)}, {"pending", filepath.Join(pendingIn(data), keystore.NotesFile)},
		{"authority", filepath.Join(data, AuthorityFile)}, {"authority", filepath.Join(data, AuthorityKeyFile)},
	}
}

// FindBroken lists what was broken in a data folder and what is, but for what the person was told and has seen. It changes
// nothing.
func FindBroken(data string) []Broken {
	var now saved
	b, err := os.ReadFile(settingsIn(data))
	if err == nil && json.Unmarshal(b, &now) != nil {
		now = saved{}
	}
	return findBroken(data, now.Seen)
}

func findBroken(data string, seen []string) (list []Broken) {
	for _, f := range ofData(data) {
		if strings.HasSuffix(f.Path, ".json") {
			if b, err := os.ReadFile(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && !json.Valid(b) {
				list = append(list, f)
			}
		}
		kept, err := filepath.Glob(globbed(f.Path) + keystore.Aside + "*")
		if err != nil {
			continue
		}
		for _, path := range kept {
			if !slices.Contains(seen, filepath.Base(path)) {
				list = append(list, Broken{f.Kind, path})
			}
		}
	}
	return list
}

// globbed is a path as a pattern that is that path alone.
func globbed(path string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "*", `\*`, "?", `\?`).Replace(path)
}

// brokenRemarks says what was lost, once for each kind, until the person has seen it.
func (a *Agent) brokenRemarks(tag lang.Tag) (list []Remark) {
	for _, f := range a.brokenNow() {
		if !slices.ContainsFunc(list, func(r Remark) bool { return r.Code == "broken-"+f.Kind }) {
			list = append(list, Remark{"broken-" + f.Kind, "amber", tag.Text("agent.broken." + f.Kind)})
		}
	}
	return list
}

func (a *Agent) brokenNow() []Broken { return findBroken(a.config.Data, a.settings.get().Seen) }

// brokenSeen notes that the person knows: sites may ask again, and nothing is said of these files any more.
func (a *Agent) brokenSeen() error {
	var names []string
	for _, f := range a.brokenNow() {
		names = append(names, filepath.Base(f.Path))
	}
	return a.settings.change(func(c *saved) {
		c.Lost = false
		c.Seen = append(c.Seen, names...)
	})
}

// unsure tells whether a site may be one that the person had blocked, which nobody knows any more: no window opens for it
// until the person says so, on the agent's page.
func (a *Agent) unsure(s site) bool {
	if !s.remembered() {
		return false
	}
	now := a.settings.get()
	_, known := now.Sites[s.Origin]
	return now.Lost && !known
}
