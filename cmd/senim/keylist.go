package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"senim/internal/keystore"
	"senim/pki"
)

type keyList struct {
	PasswordFile []string `sep:"none" help:"File with a password in its first line; may be given several times, and each is tried on every key file." placeholder:"FILE"`
	keeping
	JSON bool     `name:"json" help:"Answer in JSON."`
	Dirs []string `arg:"" optional:"" name:"dir" help:"Folders, searched three levels deep; this folder by default."`
}

// Help is what --help adds.
func (*keyList) Help() string {
	return `A key file tells nothing of its owner before it is opened; without a password only its name speaks. Keys
that wait for their certificate are listed after the files.

  senim key list
  senim key list --password-file pw.txt ~/keys /media/stick`
}

// keyRow is one key file, or one key that waits.
type keyRow struct {
	flaw string // of a file that is no key by its form

	File        string   `json:"file"`
	Copies      []string `json:"copies,omitempty"`
	State       string   `json:"state"` // locked, open, unreadable, waiting
	Kind        string   `json:"kind"`  // by its name
	Certificate *card    `json:"certificate,omitempty"`
	Owner       string   `json:"owner,omitempty"` // of a key that waits, as its request says
	Error       string   `json:"error,omitempty"`
}

func (c *keyList) run(_ context.Context, p *program) error {
	if len(c.Dirs) == 0 {
		c.Dirs = []string{"."}
	}
	var folders, passwords []string
	for _, dir := range c.Dirs {
		if info, err := os.Stat(p.path(dir)); err != nil {
			return fmt.Errorf("read %s: %w", dir, plain(err))
		} else if !info.IsDir() {
			return &hinted{fmt.Errorf("read %s: not a folder", dir), "senim inspect shows one key file"}
		}
		folders = append(folders, p.path(dir))
	}
	for _, name := range c.PasswordFile {
		password, err := p.password(name)
		if err != nil {
			return err
		}
		passwords = append(passwords, password)
	}
	rows := []keyRow{}
	for _, f := range keystore.Scan(folders) {
		rows = append(rows, c.row(p, f, passwords))
	}
	waiting, err := c.waiting(p, folders)
	if err != nil {
		return err
	}
	rows = append(rows, waiting...)
	if c.JSON {
		p.json(struct {
			Keys []keyRow `json:"keys"`
		}{rows})
		return nil
	}
	c.print(p, rows)
	return nil
}

// flaws say what is wrong with a file that only looks like a key by its name.
var flaws = map[keystore.Flaw]string{
	keystore.FlawEmpty: "empty", keystore.FlawCut: "cut short", keystore.FlawForeign: "not a key file",
}

// row opens a key file with the first password that fits.
func (c *keyList) row(p *program, f keystore.File, passwords []string) keyRow {
	r := keyRow{File: p.shown(f.Path), State: "locked", Kind: string(f.Kind)}
	for _, copied := range f.Copies {
		r.Copies = append(r.Copies, p.shown(copied))
	}
	if why := flaws[f.Flaw]; why != "" { // whatever the password
		r.State, r.Error, r.flaw = "unreadable", why, why
		return r
	}
	for _, password := range passwords {
		key, err := keystore.Unlock(f, password)
		switch {
		case errors.Is(err, keystore.ErrPassword):
			continue
		case err != nil:
			r.State, r.Error = "unreadable", err.Error()
			return r
		}
		r.State, r.Certificate = "open", newCard(key.Certificate)
		return r
	}
	return r
}

// shown is a path as the caller would write it.
func (p *program) shown(path string) string {
	if p.Dir != "" {
		if rel, err := filepath.Rel(p.Dir, path); err == nil {
			return rel
		}
	}
	return path
}

// waiting lists the keys without a certificate that lie in these folders. Looking makes no notes.
func (c *keyList) waiting(p *program, folders []string) ([]keyRow, error) {
	dir, err := c.folder(p)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "pending.json")); err != nil {
		return nil, nil
	}
	keeper, release, err := c.open(p)
	if err != nil {
		return nil, err
	}
	defer release()
	var rows []keyRow
	for _, n := range keeper.Waiting("") {
		for _, folder := range folders {
			whole, err := filepath.Abs(folder)
			if err != nil || n.Folder != whole {
				continue
			}
			r := keyRow{File: p.shown(filepath.Join(folder, n.File)), State: "waiting", Kind: n.Algorithm}
			if request, err := pki.ParseRequest(n.Request); err == nil {
				r.Owner = owner(request.Holder())
			}
			rows = append(rows, r)
			break
		}
	}
	return rows, nil
}

// kinds are what the name of a key file says, in words.
var kinds = map[string]string{
	string(keystore.Combined): "sign-in and signing", string(keystore.Signing): "signing", string(keystore.SignIn): "sign-in", string(keystore.OldGOST): "old GOST",
}

func (c *keyList) print(p *program, rows []keyRow) {
	where := "in " + strings.Join(c.Dirs, ", ")
	if where == "in ." {
		where = "here"
	}
	if len(rows) == 0 {
		p.line("No key files %s.", where)
		return
	}
	keys, locked := 0, 0
	for _, r := range rows {
		if r.flaw == "" {
			keys++
		}
	}
	p.line("%s %s.", count(keys, "key"), where)
	table := [][4]string{{"Owner", "Role", "Certificate", "File"}}
	for _, r := range rows {
		if len(c.Dirs) == 1 { // it was said where they are
			if short, err := filepath.Rel(c.Dirs[0], r.File); err == nil {
				r.File = short
			}
		}
		switch k := r.Certificate; {
		case k != nil:
			table = append(table, [4]string{joined(", ", k.Owner, k.Organization), k.role(), p.expiry(k), r.File})
		case r.State == "waiting":
			table = append(table, [4]string{r.Owner, "", "awaited", r.File})
		case r.State == "locked":
			locked++
			table = append(table, [4]string{"locked", kinds[r.Kind], "", r.File})
		default:
			table = append(table, [4]string{"cannot be read", kinds[r.Kind], r.flaw, r.File})
		}
	}
	p.table(table)
	switch {
	case locked > 0 && len(c.PasswordFile) == 0:
		p.line("hint: --password-file FILE opens them and shows whose they are")
	case locked > 0:
		p.line("hint: no password given opens %d of them; --password-file may be given several times", locked)
	}
}

// expiry says in words how long a certificate lives.
func (p *program) expiry(k *card) string {
	now := p.Now()
	switch {
	case now.After(k.to):
		return "expired " + day(k.to)
	case now.Before(k.from):
		return "from " + day(k.from)
	}
	return k.left(now)
}

// table writes columns under their names. On a terminal they keep to its width: the file gives way
// first, from its middle, then the role, then the owner, from their ends.
func (p *program) table(rows [][4]string) {
	var widths [4]int
	for _, r := range rows {
		for i, s := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(s))
		}
	}
	const gaps, least = 2 + 3*2, 22
	if whole := p.Width - 1; p.Width > 0 && gaps+widths[0]+widths[1]+widths[2]+widths[3] > whole {
		room := whole - gaps - widths[2] - min(least, widths[3])
		widths[1] = min(widths[1], max(room/3, room-widths[0]))
		widths[0] = min(widths[0], room-widths[1])
		widths[3] = whole - gaps - widths[2] - widths[0] - widths[1]
	}
	for i, r := range rows {
		var b strings.Builder
		for j, s := range r {
			cut := ending
			if j == 3 {
				cut = shorten
			}
			s = cut(printable(s), widths[j])
			b.WriteString(s + strings.Repeat(" ", widths[j]-utf8.RuneCountInString(s)+2))
		}
		text := strings.TrimRight(b.String(), " ")
		if i == 0 {
			text = p.bold(text)
		}
		p.line("  %s", text)
	}
}

// ending cuts the end off a text that is too wide.
func ending(s string, width int) string {
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:width-1]) + "…"
}
