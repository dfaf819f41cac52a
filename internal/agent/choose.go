package agent

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// Bounds of one folder in a chooser: what is shown, and what is read.
const (
	maxEntries = 2000
	maxRead    = 10_000
)

// Listing is one folder in the chooser.
type Listing struct {
	Folder  string   `json:"folder"`
	Parent  string   `json:"parent,omitempty"`
	Places  []string `json:"places"` // folders known here
	Entries []Entry  `json:"entries"`
	More    string   `json:"more,omitempty"` // said when there are more than are shown
}

// Entry is one file or folder in the chooser.
type Entry struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	Folder bool   `json:"isFolder,omitempty"`
	About  string `json:"about,omitempty"` // of a file: what its name tells, size, date
}

// choosing lets the person pick one file; the page learns its path and nothing else.
type choosing struct {
	keys   bool   // a key file is wanted
	suffix string // ".p12"; "" for any
	start  string // the page's hint
}

// choose shows the chooser. "" and false: nothing was picked.
func (t *talk) choose(ctx context.Context, window lang.Tag, c choosing) (string, bool) {
	out := t.agent.show(ctx, t.site, window, &c)
	path, ok := out.result.(string)
	if !out.done || !ok {
		return "", false
	}
	if t.picked == nil {
		t.picked = map[string]bool{}
	}
	t.picked[path] = true
	if c.keys {
		t.agent.watch(filepath.Dir(path))
	}
	return path, true
}

// suffixOf reads the extension a page wants: "P12", "cms", "ALL", "".
func suffixOf(extension string) string {
	e := strings.ToLower(strings.TrimPrefix(extension, "."))
	if e == "" || e == "all" || e == "*" || strings.ContainsAny(e, `/\*?`) {
		return ""
	}
	return "." + e
}

func (*choosing) kind() string { return "choose" }
func (*choosing) wish() wish   { return wish{} }

// show begins in the folder the page names when it is one here, else in a known one, else at home.
func (c *choosing) show(w *window, v *View) {
	list := w.agent.list(c.start, c, w.lang)
	if list == nil {
		for _, folder := range append(w.agent.watched(), homeFolder()) {
			if list = w.agent.list(folder, c, w.lang); list != nil {
				break
			}
		}
	}
	if list == nil {
		list = &Listing{Places: w.agent.watched(), Entries: []Entry{}}
	}
	v.Chooser = list
	if c.suffix != "" {
		v.Wants = []string{"*" + c.suffix}
	}
}

func homeFolder() string {
	dir, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return dir
}

// list reads one folder for the chooser; nil when it cannot be read.
func (a *Agent) list(folder string, c *choosing, tag lang.Tag) *Listing {
	if !filepath.IsAbs(folder) || keystore.Foreign(folder) {
		return nil
	}
	folder = filepath.Clean(folder)
	if a.own(folder) {
		return nil
	}
	entries, whole := entriesOf(folder)
	if entries == nil {
		return nil
	}
	l := &Listing{Folder: folder, Places: a.watched(), Entries: []Entry{}}
	if h := homeFolder(); h != "" && !slices.Contains(l.Places, h) {
		l.Places = append(l.Places, h)
	}
	if up := filepath.Dir(folder); up != folder {
		l.Parent = up
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(folder, e.Name())
		if e.IsDir() {
			l.Entries = append(l.Entries, Entry{Name: e.Name(), Path: path, Folder: true})
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || c.suffix != "" && !strings.EqualFold(filepath.Ext(path), c.suffix) {
			continue
		}
		about := tag.Text("agent.file.bytes", "n", info.Size()) + " · " + tag.Date(info.ModTime())
		if c.keys {
			about = tag.Text("agent.about."+string(keystore.KindOf(e.Name()))) + " · " + about
		}
		l.Entries = append(l.Entries, Entry{Name: e.Name(), Path: path, About: about})
	}
	sort.SliceStable(l.Entries, func(i, j int) bool { return l.Entries[i].Folder && !l.Entries[j].Folder })
	more := len(l.Entries) - maxEntries
	l.Entries = l.Entries[:min(len(l.Entries), maxEntries)]
	switch {
	case !whole:
		l.More = tag.Text("agent.file.many")
	case more > 0:
		l.More = tag.Text("agent.file.more", "n", more)
	}
	return l
}

// entriesOf reads a folder by name, as far as maxRead; nil when it cannot be read.
func entriesOf(folder string) (entries []os.DirEntry, whole bool) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, false
	}
	defer func() { _ = f.Close() }() // it was only read
	entries, err = f.ReadDir(maxRead + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false
	}
	whole = len(entries) <= maxRead
	entries = append([]os.DirEntry{}, entries[:min(len(entries), maxRead)]...)
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, whole
}

func (c *choosing) decide(_ context.Context, w *window, d Decision) (outcome, *Problem) {
	l, err := w.agent.locate(d.File)
	if err != nil {
		return outcome{}, &Problem{Code: "no_file", Field: "chooser"}
	}
	return outcome{done: true, result: l.path}, nil
}

// goTo answers the chooser's page that goes to another folder.
func (w *window) goTo(rw http.ResponseWriter, body []byte) {
	var in struct {
		Folder string `json:"folder"`
	}
	if !read(rw, body, &in) {
		return
	}
	c, ok := w.task.(*choosing)
	if !ok {
		http.Error(rw, "not a chooser", http.StatusNotFound)
		return
	}
	list := w.agent.list(in.Folder, c, w.lang)
	if list == nil {
		w.problem(rw, "no_folder", "folder")
		return
	}
	reply(rw, http.StatusOK, struct {
		Chooser *Listing `json:"chooser"`
	}{list})
}
