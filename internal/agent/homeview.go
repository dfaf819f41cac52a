package agent

import (
	"cmp"
	"net"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// HomeView is all the agent's own page shows.
type HomeView struct {
	Lang      lang.Tag          `json:"lang"`
	Languages []Pair            `json:"languages"`
	Texts     map[string]string `json:"texts"`

	Groups  []KeyGroup   `json:"groups"`  // keys whose owner is known, and those whose is not
	Pending []PendingRow `json:"pending"` // keys that wait for their certificate
	Lists   []Comparison `json:"lists"`   // what the cabinet listed beside them
	Listed  int          `json:"listed"`  // how many lists came so far
	Turn    int          `json:"turn"`    // how often what is plugged in changed
	Due     []Due        `json:"due"`
	Months  []Month      `json:"months"`
	Sites   []SiteRow    `json:"sites"`
	Folders []FolderRow  `json:"folders"`
	Drivers []DriverRow  `json:"drivers"`           // of tokens
	Kinds   []Pair       `json:"kinds"`             // storages a driver can be added for, with their names
	Chooser *Listing     `json:"chooser,omitempty"` // of the file of a driver
	Usual   []string     `json:"usual"`             // folders that could be added

	Authorities []AuthorityRow `json:"authorities"`
	Offered     *AuthorityRow  `json:"offered,omitempty"` // read from a file, to be compared and added
	National    bool           `json:"national"`          // some authority of the national CA is missing

	Part   string   `json:"part,omitempty"`   // which the page begins with
	Broken []Remark `json:"broken,omitempty"` // files that could not be read, until the person has seen it

	Large *LargeView `json:"large,omitempty"` // nil: not the person's to switch

	Index     string `json:"index"` // keychain, plain or memory
	IndexText string `json:"indexText"`
	Plain     bool   `json:"plain"`
	Media     bool   `json:"media"`
	Reminders bool   `json:"reminders"`
	Acts      []Act  `json:"acts"`              // what the agent can do from here
	Cabinet   string `json:"cabinet,omitempty"` // where keys are renewed and revoked
	Version   string `json:"version"`
}

// LargeView is the switch of the door for large documents.
type LargeView struct {
	On  bool   `json:"on"`
	Why string `json:"why,omitempty"` // it is not open though it should be
}

// KeyGroup is the keys of one company or person together.
type KeyGroup struct {
	Name    string   `json:"name"` // "" of those nobody opened yet
	Company bool     `json:"company"`
	Keys    []KeyRow `json:"keys"`
}

// PendingRow is a key pair that waits for its certificate.
type PendingRow struct {
	ID     string `json:"id"`
	File   string `json:"file"`
	Folder string `json:"folder"`
	Made   string `json:"made"`
	Origin string `json:"origin"` // of the site that asked for it
	// Token is the label of the token it is on; what is typed is its PIN.
	Token string `json:"token,omitempty"`
	Left  string `json:"left,omitempty"` // what is known of a pair that a killed act left there, in words
}

// SiteRow is what a site may do.
type SiteRow struct {
	Site       SiteView   `json:"site"`
	Origin     string     `json:"origin"` // as it was sent
	Permission Permission `json:"permission"`
	Text       string     `json:"text"` // the same in words
	// Passing: nothing is remembered of it but the ten minutes.
	Passing bool `json:"passing,omitempty"`
}

// FolderRow is a place where keys are looked for.
type FolderRow struct {
	Path  string `json:"path"`
	Keys  int    `json:"keys"`
	There bool   `json:"there"`
	Kind  string `json:"kind"` // own (can be taken away), given, media
	Text  string `json:"text"`
}

// view builds the page's contents.
func (h *home) view() HomeView {
	a := h.agent
	h.mu.Lock()
	tag, chooser, offered := h.lang, h.chooser, h.offered
	h.mu.Unlock()
	// What the page is told it has seen is read first: what comes while it is drawn is news.
	seen, turn := a.seenTurn()
	lists, came := a.listsNow()
	found := a.scanner.Scan(a.looked())
	set, files := a.settings.get(), slices.Concat(seen.Files, found.Files)
	entries := a.known.all(files)
	v := HomeView{
		Part: h.part, Lists: []Comparison{}, Listed: came, Turn: turn,
		Lang: tag, Texts: homeTexts(tag), Groups: a.groups(files, entries, lists, tag), Pending: []PendingRow{}, Due: a.calendar(entries, tag), Sites: []SiteRow{},
		Folders: a.folderRows(found, tag), Usual: usual(), Index: a.known.index.shown(), Plain: set.Plain, Media: !set.NoMedia, Reminders: !set.NoReminders,
		Acts: a.offered(), Cabinet: a.config.Cabinet, Version: a.config.Version,
	}
	for _, l := range lists {
		v.Lists = append(v.Lists, a.comparison(l, files, entries, tag))
	}
	for _, l := range lang.All() {
		v.Languages = append(v.Languages, Pair{string(l), l.Name()})
	}
	v.Months, v.IndexText = months(v.Due, a.now()), tag.Text("home.index."+v.Index)
	for _, n := range append(a.keeper.Unfinished(), a.keeper.OnTokens()...) {
		r := PendingRow{ID: cmp.Or(n.KeyID, n.Name), File: cmp.Or(n.File, n.Token), Folder: n.Folder, Made: tag.Date(n.Made), Origin: cmp.Or(n.Origin, tag.Text("agent.site.program")), Token: n.Token}
		if n.State == keystore.Left {
			r.Left = tag.Text("home.pending.left", "token", n.Token)
		}
		v.Pending = append(v.Pending, r)
	}
	v.Drivers, v.Chooser = a.driverRows(seen, tag), chooser
	for _, s := range tokenStorages() {
		v.Kinds = append(v.Kinds, Pair{s, tag.Text("home.token." + s)})
	}
	v.Large, v.Broken = a.largeView(tag), a.brokenRemarks(tag)
	v.Authorities, v.National = a.authorityRows(tag)
	if offered != nil {
		row := authorityRow(offered, false, tag)
		v.Offered = &row
	}
	for _, origin := range a.sites() {
		v.Sites = append(v.Sites, a.siteRow(origin, tag))
	}
	return v
}

func (a *Agent) largeView(tag lang.Tag) *LargeView {
	if a.config.LargeSwitch == "" || a.config.LargeDocuments != "" {
		return nil
	}
	v := &LargeView{On: a.settings.get().Large}
	if a.LargeError() == nil {
		return v
	}
	v.Why = tag.Text("home.large.failed")
	_, text, _ := net.SplitHostPort(a.config.LargeSwitch)
	if port, err := strconv.Atoi(text); err == nil {
		if h, err := PortHolder(port); err == nil && h.Name != "" {
			v.Why = tag.Text("home.large.held", "program", h.Name)
		}
	}
	return v
}

func (a *Agent) siteRow(origin string, tag lang.Tag) SiteRow {
	permission, s := a.permission(origin)
	asker := siteOfKey(origin)
	r := SiteRow{Site: siteView(asker, tag), Origin: origin, Permission: permission, Passing: !asker.remembered()}
	until := a.blockedUntil(origin)
	switch {
	case permission == PermissionBlocked:
		r.Text = tag.Text("home.site.blocked")
	case !until.IsZero():
		r.Text = tag.Text("home.site.paused", "time", tag.DateTime(until))
	case s.Last.IsZero():
		r.Text = tag.Text("home.site.allowed")
	default:
		r.Text = tag.Text("home.site.used", "n", s.Count, "date", tag.DateTime(s.Last))
	}
	return r
}

func (a *Agent) folderRows(found keystore.Scanned, tag lang.Tag) []FolderRow {
	own, media := a.settings.get().Folders, a.media()
	rows := []FolderRow{}
	for _, folder := range a.looked() {
		r := FolderRow{Path: folder, Kind: "given", There: !slices.Contains(found.Away, folder) && keystore.CheckFolder(folder) == nil}
		switch {
		case slices.Contains(own, folder):
			r.Kind = "own"
		case slices.Contains(media, folder):
			r.Kind = "media"
		}
		for _, f := range found.Files {
			if f.Flaw == "" && inside(folder, f.Path) {
				r.Keys++
			}
		}
		r.Text = tag.Text("home.folder."+r.Kind) + ". " + tag.Text("home.folder.keys", "n", r.Keys)
		switch {
		case slices.Contains(found.Away, folder):
			r.Text = tag.Text("agent.folder.away", "name", folder)
		case !r.There:
			r.Text = tag.Text("home.folder.away")
		case slices.Contains(found.Cut, folder):
			r.Text += " " + tag.Text("agent.folder.cut", "name", folder)
		}
		rows = append(rows, r)
	}
	return rows
}

// groups puts the keys of a company together: first the companies and people by the nearest end, then
// the files whose owner nobody has seen.
func (a *Agent) groups(files []keystore.File, entries []keyEntry, lists []*listedKeys, tag lang.Tag) []KeyGroup {
	left, listed := a.leftovers(files, tag), map[string]keystore.File{}
	for _, f := range files {
		listed[f.ID] = f
	}
	var order []string
	groups := map[string]*KeyGroup{}
	for _, e := range entries {
		f, ok := listed[e.id]
		if !ok {
			f = keystore.File{ID: e.id, Path: e.path, Name: filepath.Base(e.path)}
		}
		r := KeyRow{ID: e.id, File: f.Name, Folder: f.Folder(), Copies: f.Copies, State: "known", Fits: ok, Card: a.card(e.cert, tag), Remarks: left[e.id]}
		if e.on != (seenOn{}) {
			r.File, r.Folder, r.Pin, r.On, r.About = e.on.label, "", true, e.on.label, tag.Text("home.on-token", "storage", tag.Text("home.token."+e.on.storage))
		}
		r.Remarks = append(r.Remarks, a.standing(e, tag)...)
		a.compared(&r, e.cert, lists, tag)
		if !ok {
			r.State = "away"
			away := Remark{"away", "info", tag.Text("home.left.away")}
			if r.On != "" {
				away = Remark{"token-away", "info", a.where(e, tag)}
			}
			r.Remarks = append(r.Remarks, away)
		}
		name, id := r.Card.Organization, r.Card.Organization+"/"+r.Card.BIN
		if name == "" {
			id, name = r.Card.Owner+"/"+r.Card.IIN, r.Card.Owner
		}
		g := groups[id]
		if g == nil {
			g = &KeyGroup{Name: name, Company: r.Card.Organization != ""}
			groups[id], order = g, append(order, id)
		}
		g.Keys = append(g.Keys, r)
	}
	list := make([]KeyGroup, 0, len(order)+1)
	for _, id := range order {
		list = append(list, *groups[id])
	}
	var locked []KeyRow
	for _, f := range files {
		if f.Token() == "" && a.known.find(f.ID) == nil {
			r := KeyRow{ID: f.ID, File: f.Name, Folder: f.Folder(), About: tag.Text("agent.about." + string(f.Kind)),
				Date: tag.Text("agent.file.dated", "date", tag.Date(f.Modified)), Copies: f.Copies, State: "locked", Fits: true, Remarks: left[f.ID]}
			if remark, flawed := flaw(f, tag); flawed {
				r.State, r.Fits, r.Remarks = "broken", false, append([]Remark{remark}, r.Remarks...)
			}
			locked = append(locked, r)
		}
	}
	if len(locked) > 0 {
		sort.SliceStable(locked, func(i, j int) bool {
			if locked[i].Fits != locked[j].Fits {
				return locked[i].Fits
			}
			return locked[i].Folder < locked[j].Folder
		})
		list = append(list, KeyGroup{Keys: locked})
	}
	return list
}

// where says on which token a key is, and whether it is plugged in; empty for a file.
func (a *Agent) where(e keyEntry, tag lang.Tag) string {
	switch {
	case e.on == seenOn{}:
		return ""
	case e.listed:
		return tag.Text("home.where.token", "token", e.on.label)
	}
	return tag.Text("home.where.token-away", "token", e.on.label)
}

// standing says of a remembered key what was known last: revocation with its time, and an issuer that is strange here.
func (a *Agent) standing(e keyEntry, tag lang.Tag) []Remark {
	var f fitness
	a.revoked(e.cert, wish{}, tag, &f)
	out := append(f.Reasons, f.Remarks...)
	if c := a.card(e.cert, tag); !c.IssuerKnown {
		out = append(out, Remark{"unknown-issuer", "amber", tag.Text("agent.reason.unknown-issuer", "issuer", c.Issuer)})
	}
	if !e.used.IsZero() {
		out = append(out, Remark{"used", "info", tag.Text("home.left.used", "date", tag.DateTime(e.used))})
	}
	return out
}

// inside tells whether a file is in a folder, at any depth.
func inside(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}

// homeTexts are the words of the page, by their last part.
func homeTexts(tag lang.Tag) map[string]string {
	out := texts(tag)
	for _, key := range lang.Keys("home.ui.") {
		out[strings.TrimPrefix(key, "home.ui.")] = tag.Text(key)
	}
	return out
}
