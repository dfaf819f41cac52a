package agent

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// maxFolders bounds the folders the person adds.
const maxFolders = 64

// watch adds a folder to those looked into, before the others: it was used last.
func (a *Agent) watch(folder string) {
	full, err := filepath.Abs(folder)
	if err != nil {
		return
	}
	if list := a.settings.get().Folders; len(list) > 0 && list[0] == full {
		return
	}
	if err := a.settings.change(func(c *saved) {
		c.Folders = slices.DeleteFunc(c.Folders, func(f string) bool { return f == full })
		c.Folders = slices.Insert(c.Folders, 0, full)
		c.Folders = c.Folders[:min(len(c.Folders), maxFolders)]
	}); err != nil {
		a.log.Error("settings", "err", err)
		a.mu.Lock() // it holds at least until the agent ends
		a.given = append(a.given, full)
		a.mu.Unlock()
	}
}

// unwatch takes a folder of the person's choice away.
func (a *Agent) unwatch(folder string) error {
	return a.settings.change(func(c *saved) {
		c.Folders = slices.DeleteFunc(c.Folders, func(f string) bool { return f == folder })
	})
}

// watched lists the folders looked into: the person's own, the one used last first, then those the
// agent was started with.
func (a *Agent) watched() []string {
	list := a.settings.get().Folders
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.given {
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// looked lists where keys are looked for now: the folders, and media that are plugged in.
func (a *Agent) looked() []string {
	list := a.watched()
	for _, m := range a.media() {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}

// proposeFolder shows the folders that new files may go into; the one a page names is proposed when it is there.
func (w *window) proposeFolder(v *View, hint string) {
	v.Folders = w.agent.watched()
	if hint != "" && !keystore.Foreign(hint) && keystore.CheckFolder(hint) == nil {
		v.Folder = filepath.Clean(hint)
	} else if len(v.Folders) > 0 {
		v.Folder = v.Folders[0]
	}
}

// folder is the one the person chose for new files.
func (d Decision) folder() (string, *Problem) {
	folder := filepath.Clean(strings.TrimSpace(d.Folder))
	if keystore.CheckFolder(folder) != nil {
		return "", &Problem{Code: "no_folder", Field: "folder"}
	}
	return folder, nil
}

// media lists what is plugged in, unless the person does not want it looked at.
func (a *Agent) media() []string {
	if a.config.Media == nil || a.settings.get().NoMedia {
		return nil
	}
	return a.config.Media()
}

// unseen says which folders could not be looked through, so that nobody wonders where a key is.
func unseen(found keystore.Scanned, tag lang.Tag) (list []Remark) {
	for _, folder := range found.Away {
		list = append(list, Remark{"folder-away", "amber", tag.Text("agent.folder.away", "name", folder)})
	}
	for _, folder := range found.Cut {
		list = append(list, Remark{"folder-cut", "amber", tag.Text("agent.folder.cut", "name", folder)})
	}
	return list
}

// changed takes what came and went: in a folder, with a medium, with a token; called in turn.
func (w *window) changed() bool {
	if w.run != nil || w.stamp == "" {
		return false
	}
	seen, turn := w.agent.seenTurn()
	if turn == w.look && w.agent.scanner.Stamp(w.agent.looked()) == w.stamp {
		return false
	}
	before, tokens, away := w.ids(), len(w.tokens), len(w.left.Away)
	w.take(seen, turn)
	return !slices.Equal(before, w.ids()) || tokens != len(w.tokens) || away != len(w.left.Away)
}

// take lists the files again, with what a look at the tokens showed; called in turn. A key whose token was pulled out stays in
// the list, greyed, and is closed.
func (w *window) take(seen keystore.Seen, turn int) {
	folders, was := w.agent.looked(), w.files
	w.stamp, w.look, w.tokens = w.agent.scanner.Stamp(folders), turn, seen.Tokens
	w.files = slices.Clone(seen.Files)
	there := map[string]bool{}
	for _, f := range w.files {
		there[f.ID] = true
	}
	gone := map[string]bool{}
	for _, f := range was {
		if f.Token() == "" || there[f.ID] {
			continue
		}
		w.files = append(w.files, f)
		if seen.Unsure(f) { // the driver failed just now, which says nothing
			continue
		}
		gone[f.ID] = true
		if key := w.opened[f.ID]; key != nil {
			delete(w.opened, f.ID)
			if err := key.Close(); err != nil {
				w.agent.log.Warn("a token was not let go", "err", err)
			}
		}
	}
	w.pulled, w.left = gone, w.agent.scanner.Scan(folders)
	w.files = append(w.files, w.left.Files...)
}

// ids names the keys of the list, and which are gone.
func (w *window) ids() []string {
	list := ids(w.files)
	for i, id := range list {
		if w.pulled[id] {
			list[i] = "gone " + id
		}
	}
	return list
}

func ids(files []keystore.File) []string {
	list := make([]string, 0, len(files))
	for _, f := range files {
		list = append(list, f.ID)
	}
	return list
}

// addFolder answers the person who keeps keys somewhere else.
func (w *window) addFolder(rw http.ResponseWriter, body []byte) {
	var in struct {
		Folder string `json:"folder"`
	}
	if !read(rw, body, &in) {
		return
	}
	folder, ok := typedFolder(in.Folder)
	if !ok {
		w.problem(rw, "no_folder", "other-folder")
		return
	}
	w.agent.watch(folder)
	before := len(w.files)
	w.scan()
	if len(w.files) == before && len(w.agent.scanner.Scan([]string{folder}).Files) == 0 {
		w.problem(rw, "no_keys_there", "other-folder")
		return
	}
	reply(rw, http.StatusOK, struct {
		View View `json:"view"`
	}{w.view()})
}

// typedFolder reads a folder as a person writes it: in quotes, as the system's file manager copies it,
// or with ~ for the home.
func typedFolder(text string) (string, bool) {
	text = strings.Trim(strings.TrimSpace(text), `"`)
	if rest, ok := strings.CutPrefix(text, "~"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			text = home + rest
		}
	}
	if !filepath.IsAbs(text) {
		return "", false
	}
	info, err := os.Stat(text)
	return filepath.Clean(text), err == nil && info.IsDir()
}

// usual lists the folders where people keep keys, of those that are there.
func usual() []string {
	list := []string{}
	home, err := os.UserHomeDir()
	if err != nil {
		return list
	}
	for _, name := range []string{"Documents", "Документы", "Құжаттар", "Desktop", "Рабочий стол", "Жұмыс үстелі", "Downloads", "Загрузки", "Жүктемелер"} {
		if info, err := os.Stat(filepath.Join(home, name)); err == nil && info.IsDir() {
			list = append(list, filepath.Join(home, name))
		}
	}
	return list
}
