package agent

import (
	"cmp"
	"slices"
	"strings"

	"senim/internal/lang"
)

// View is all a window shows. Absent members belong to other kinds.
type View struct {
	Kind     string            `json:"kind"`
	Lang     lang.Tag          `json:"lang"`
	Title    string            `json:"title"`
	Site     SiteView          `json:"site"`
	Queue    int               `json:"queue"` // requests that wait behind this one
	Waiting  string            `json:"waiting,omitempty"`
	Line     []Pair            `json:"line,omitempty"` // who waits, and with how many requests
	Warnings []Remark          `json:"warnings,omitempty"`
	Texts    map[string]string `json:"texts"` // the words of the page itself

	Documents []Document `json:"documents,omitempty"` // what is signed
	Count     int        `json:"count,omitempty"`     // of all documents
	More      string     `json:"more,omitempty"`      // said when there are more than are shown
	Logo      string     `json:"logo,omitempty"`      // base64 PNG of the site
	Wants     []string   `json:"wants,omitempty"`     // which keys the site takes, in words
	Keys      []KeyRow   `json:"keys,omitempty"`
	Places    []string   `json:"places,omitempty"`    // folders where keys may be, to be looked into, too
	CanKeep   bool       `json:"canKeep,omitempty"`   // passwords can be kept in the system's keychain
	Preselect string     `json:"preselect,omitempty"` // the one key that fits, or the one chosen last for this site

	Owner    []Pair   `json:"owner,omitempty"`    // generate: for whom
	Profiles []string `json:"profiles,omitempty"` // generate: which keys, in words
	Folder   string   `json:"folder,omitempty"`   // generate: proposed; install: where
	Folders  []string `json:"folders,omitempty"`  // generate: known folders
	Again    bool     `json:"again,omitempty"`    // generate: the same requests are given again

	Storage string     `json:"storage,omitempty"` // generate on a token: of which kind
	Tokens  []TokenRow `json:"tokens,omitempty"`  // generate on a token: those there are
	Token   string     `json:"token,omitempty"`   // install: the label of the token the keys are on

	Orders  []OrderView `json:"orders,omitempty"`  // generate-many
	Missing []string    `json:"missing,omitempty"` // sign-many: serials whose key file is not found or not opened yet

	NewPassword bool `json:"newPassword,omitempty"` // renew: new files are made, too, and need one

	Certificates []NewFile `json:"certificates,omitempty"` // install
	Sealed       bool      `json:"sealed,omitempty"`       // install: the password given when the key was made is asked for; generate: one must be given
	Confirm      string    `json:"confirm,omitempty"`      // install: must be ticked

	Chooser *Listing `json:"chooser,omitempty"` // choose
	Facts   []Pair   `json:"facts,omitempty"`   // read, save: which file
	Button  string   `json:"button,omitempty"`  // sign: what the button says when more than a signature follows; notice: when it leads somewhere
	SaveAs  string   `json:"saveAs,omitempty"`  // save, sign: proposed path of the file to be written

	Refusal string `json:"refusal,omitempty"` // refused: why
	Named   string `json:"named,omitempty"`   // what the page wrote in its request that the window speaks of: a path, an address, a name
	Block   string `json:"block,omitempty"`   // offer to block the site
}

// SiteView is who asks.
type SiteView struct {
	Origin  string `json:"origin"`            // as people read it, or the program
	ASCII   string `json:"ascii,omitempty"`   // the same as sent, when it differs
	Class   string `json:"class"`             // secure, local, insecure, opaque, extension, program
	Explain string `json:"explain"`           // what kind of asker this is
	Warning string `json:"warning,omitempty"` // red
	Known   string `json:"known,omitempty"`   // whether it asked before, in words
	Again   bool   `json:"again,omitempty"`   // it did, and was answered
}

// Pair is a line of a summary.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// NewFile is a certificate about to be installed.
type NewFile struct {
	File   string `json:"file"`
	Card   *Card  `json:"card"`
	ID     string `json:"id,omitempty"`     // install-many: of the key,
	Sealed bool   `json:"sealed,omitempty"` // whose password of the making is asked for
}

// view builds the page's contents; called in turn.
func (w *window) view() View {
	tag := w.lang
	v := View{
		Kind: w.task.kind(), Lang: tag, Title: tag.Text("agent.title." + w.task.kind()), Site: w.asker(),
		Queue: w.agent.desk.queue(), Texts: texts(tag), CanKeep: w.agent.recaller.chain != nil,
	}
	if v.Queue > 0 {
		v.Waiting = tag.Text("agent.ui.waiting", "n", v.Queue)
		v.Line = w.agent.desk.waiting(func(s site) string { return siteView(s, tag).Origin })
	}
	if !w.site.own() && w.agent.tiresome(w.site) {
		v.Block = tag.Text("agent.ui.block")
	}
	if w.task.wish().files {
		v.Places = usual()
	}
	w.task.show(w, &v)
	v.Warnings = append(slices.Clone(v.Warnings), w.agent.brokenRemarks(tag)...)
	if w.task.wish().files || len(w.task.wish().others) > 0 {
		v.Warnings = append(append(slices.Clone(v.Warnings), w.unreadable("")...), unseen(w.left, tag)...)
	}
	return v
}

// rows lists the keys of the watched folders: the one chosen last for this site, those of its owner,
// the others known to fit by owner, those not opened yet, those that do not fit; and preselects the one
// that fits when there is one only.
func (w *window) rows(v *View) {
	var fitting, locked, others []KeyRow
	left := w.agent.leftovers(w.files, w.lang)
	for _, f := range w.files {
		r := w.row(f)
		r.Remarks = append(r.Remarks, left[f.ID]...)
		switch {
		case !r.Fits:
			others = append(others, r)
		case r.Card == nil:
			locked = append(locked, r)
		default:
			fitting = append(fitting, r)
		}
	}
	last := w.agent.known.chosen(w.site.Origin)
	together(fitting, last)
	together(others, "")
	fitting = append(fitting, locked...)
	v.Keys = append(fitting, others...)
	for _, r := range fitting {
		if len(fitting) == 1 || r.ID == last {
			v.Preselect = r.ID
		}
	}
}

// together sorts rows so that a company's keys stand together, and those of the last key first.
func together(rows []KeyRow, last string) {
	owner := func(r KeyRow) string { return r.Card.Organization + "\x00" + r.Card.Owner }
	first := ""
	for _, r := range rows {
		if r.ID == last {
			first = owner(r)
		}
	}
	rank := func(r KeyRow) int {
		switch {
		case r.ID == last:
			return 0
		case r.Card == nil:
			return 3
		case owner(r) == first:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(rows, func(a, b KeyRow) int {
		if c := cmp.Compare(rank(a), rank(b)); c != 0 || a.Card == nil {
			return c
		}
		return cmp.Compare(owner(a), owner(b))
	})
}

// asker says who asks, and whether for the first time.
func (w *window) asker() SiteView {
	v := siteView(w.site, w.lang)
	if !w.site.remembered() {
		return v
	}
	v.Known = w.lang.Text("agent.site.first")
	if p, s := w.agent.permission(w.site.Origin); p == PermissionAllowed {
		v.Again, v.Known = true, w.lang.Text("agent.site.again", "date", w.lang.Date(s.Since), "n", s.Count)
	}
	return v
}

// How much of what a page wrote a window shows: paths and addresses that people have are shorter.
const namedHead, namedTail = 400, 120

// shortened cuts what a page wrote to its beginning and its end, where paths have their name.
func shortened(s string) string {
	if len(s) <= namedHead+namedTail {
		return s
	}
	return strings.ToValidUTF8(s[:namedHead], "") + " … " + strings.ToValidUTF8(s[len(s)-namedTail:], "")
}

func siteView(s site, tag lang.Tag) SiteView {
	view := SiteView{Origin: shortened(s.Shown), Class: s.Class, Explain: tag.Text("agent.site." + s.Class)}
	if s.Shown != s.Origin {
		view.ASCII = shortened(s.Origin)
	}
	if s.Class == "program" {
		view.Origin, view.ASCII = shortened(s.Program), ""
		if s.Program == "" {
			view.Origin = tag.Text("agent.site.unknown-program")
		}
	}
	if s.red() {
		view.Warning = tag.Text("agent.site.warning")
	}
	return view
}

// texts are the words of the page, by their last part.
func texts(tag lang.Tag) map[string]string {
	out := map[string]string{}
	for _, key := range lang.Keys("agent.ui.") {
		out[strings.TrimPrefix(key, "agent.ui.")] = tag.Text(key)
	}
	return out
}
