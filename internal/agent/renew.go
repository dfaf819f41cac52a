package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"senim/internal/cabinet/client"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/pki"
)

// dueWithin is how long before its end a key is due for renewal: the first of the reminders.
const dueWithin = 30 * 24 * time.Hour

// ErrNoCabinet says that no cabinet was named.
var ErrNoCabinet = errors.New("no cabinet is named")

// Renewed is what a renewal came to, key by key.
type Renewed struct {
	Done, Waiting, Failed int
}

// Renew opens the window in which the person renews every key that is due, through the cabinet's own
// doors and without its pages, and returns when the window is over; ok is false when it was closed.
func (a *Agent) Renew(ctx context.Context, tag lang.Tag) (result Renewed, ok bool, err error) {
	return a.renewFor(ctx, self(), tag)
}

func (a *Agent) renewFor(ctx context.Context, asker site, tag lang.Tag) (result Renewed, ok bool, err error) {
	at, err := a.cabinet()
	if err != nil {
		return Renewed{}, false, err
	}
	release, err := a.hold()
	if err != nil {
		return Renewed{}, false, err
	}
	defer release()
	t := &renewing{site: at}
	if asker.own() {
		asker.Shown = t.site.Shown
	}
	out := a.show(ctx, asker, tag, t)
	switch {
	case out.err != nil:
		return Renewed{}, false, out.err
	case !out.done:
		return Renewed{}, false, nil
	}
	return t.sum(), true, nil
}

// CheckCabinet tells what is wrong with the origin of a cabinet: keys are renewed by https, or on this machine. None is one, too.
func CheckCabinet(origin string) error {
	u, err := url.Parse(origin)
	switch s := siteOf(origin); {
	case origin == "":
		return nil
	case err != nil || s.Class != "secure" && s.Class != "local" && s.Class != "insecure" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the cabinet is named by its origin, as https://cabinet.example.kz")
	case s.Class == "insecure":
		return errors.New("the cabinet is reached by https")
	}
	return nil
}

// cabinet is the site that was named.
func (a *Agent) cabinet() (site, error) {
	if a.config.Cabinet == "" {
		return site{}, ErrNoCabinet
	}
	return siteOf(a.config.Cabinet), CheckCabinet(a.config.Cabinet)
}

// renewing is the consent to renew keys: their passwords, and one new password for the new files. Each
// step does one thing, so that the page shows how far it is.
type renewing struct {
	site     site
	password string
	groups   []*renewal // of one person each, in turn
	results  []renewedKey
	at, of   int
}

// renewedKey is the end of one key's renewal.
type renewedKey struct{ owner, state, why string }

func (*renewing) kind() string { return "renew" }
func (*renewing) wish() wish   { return wish{files: true, others: []string{"*"}} }

// show lists the keys that are due, then the files nobody opened yet, any of which may be.
func (t *renewing) show(w *window, v *View) {
	v.Warnings = []Remark{{"renew", "info", w.lang.Text("agent.renew.what", "cabinet", t.site.Shown)}}
	var locked, other, own []KeyRow
	company, personal, onToken := false, false, false
	for _, f := range w.files {
		r := w.row(f)
		cert := w.cert(f)
		switch {
		case cert == nil:
			locked = append(locked, r)
		case !r.Fits && w.opened[f.ID] != nil:
			other = append(other, r)
		case !r.Fits:
		case w.due(cert) == "":
			v.Keys = append(v.Keys, r)
			onToken = onToken || r.Pin
			company, personal = company || cert.Holder().BIN != "", personal || cert.Holder().BIN == ""
		case cert.Holder().BIN == "" && w.due(cert) == "later" && cert.ForSignIn():
			r.Remarks = append(r.Remarks, Remark{"sign-in-only", "info", w.lang.Text("agent.renew.sign-in-only")})
			own = append(own, r)
		case w.opened[f.ID] != nil:
			why := w.due(cert)
			r.Fits, r.Reasons = false, []Remark{{why, "info", w.lang.Text("agent.renew."+why, "date", w.lang.Date(cert.NotAfter.Add(-dueWithin)))}}
			other = append(other, r)
		}
	}
	if company && !personal { // an organisation's keys are renewed in the session of who looks after them
		v.Keys = append(v.Keys, own...)
	} else {
		own = slices.DeleteFunc(own, func(r KeyRow) bool { return w.opened[r.ID] == nil })
		for i := range own {
			own[i].Fits, own[i].Remarks = false, nil
			own[i].Reasons = []Remark{{"later", "info", w.lang.Text("agent.renew.later", "date", w.lang.Date(w.opened[own[i].ID].Certificate.NotAfter.Add(-dueWithin)))}}
		}
		other = append(other, own...)
	}
	v.Keys = append(append(v.Keys, locked...), other...)
	for _, e := range w.agent.known.all(w.files) {
		if (!e.listed || w.pulled[e.id]) && e.on != (seenOn{}) && w.agent.now().Before(e.cert.NotAfter) && w.due(e.cert) == "" {
			v.Warnings = append(v.Warnings, Remark{"renew-away", "amber", w.lang.Text("agent.renew.away", "token", e.on.label, "date", w.lang.Date(e.cert.NotAfter))})
		}
	}
	if onToken {
		v.Warnings = append(v.Warnings, Remark{"renew-token", "info", w.lang.Text("agent.renew.token")})
	}
	v.NewPassword = slices.ContainsFunc(v.Keys, func(r KeyRow) bool { return r.Fits && !r.Pin })
	if len(v.Keys) == 0 {
		v.Warnings = append(v.Warnings, Remark{"none", "info", w.lang.Text("agent.renew.none")})
	}
}

// due says why a key is not to be renewed now: later, or replaced. Empty: it is due.
func (w *window) due(cert *pki.Certificate) string {
	if cert.NotAfter.Sub(w.agent.now()) > dueWithin {
		return "later"
	}
	if w.agent.isRenewing(cert) {
		return ""
	}
	h := cert.Holder()
	for _, f := range w.files {
		next := w.cert(f)
		if next == nil || !next.NotBefore.After(cert.NotBefore) || next.Key != cert.Key || next.ForSigning() != cert.ForSigning() {
			continue
		}
		if n := next.Holder(); n.IIN == h.IIN && n.BIN == h.BIN {
			return "replaced"
		}
	}
	return ""
}

func (t *renewing) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	if t.groups == nil {
		if p := t.begin(ctx, w, d); p != nil {
			return outcome{}, p
		}
	}
	if len(t.groups) > 0 {
		g := t.groups[0]
		over, p := g.advance(ctx, w, strings.TrimSpace(d.Code))
		if p != nil {
			return outcome{}, p
		}
		if over {
			t.results = append(t.results, g.results...)
			t.groups = t.groups[1:]
		}
	}
	if len(t.groups) == 0 {
		return outcome{done: true, result: t.sum()}, nil
	}
	t.at++
	t.of = max(t.of, t.at+1)
	return outcome{at: t.at, of: t.of}, nil
}

// begin checks what the person chose and divides the keys by who answers for them: a person's own keys
// are renewed in his own session, an organisation's in the first.
func (t *renewing) begin(ctx context.Context, w *window, d Decision) *Problem {
	var ready []oldKey
	locked := 0
	for _, f := range w.files {
		key, cert := w.opened[f.ID], w.cert(f)
		switch {
		case key == nil && cert != nil && w.due(cert) == "" && len(w.agent.fit(cert, t.wish(), w.lang).Reasons) == 0:
			locked++
		case key != nil && w.due(cert) == "" && len(w.agent.fit(cert, t.wish(), w.lang).Reasons) == 0:
			ready = append(ready, oldKey{file: f, key: key, begun: w.agent.isRenewing(cert)})
		}
	}
	switch {
	case len(ready) == 0:
		return &Problem{Code: "locked", Field: "password"}
	case locked > 0 && !d.Confirm:
		return &Problem{Code: "some_locked", Field: "confirm", Text: w.lang.Text("agent.problem.some_locked", "n", locked)}
	}
	if p := t.passwords(ctx, w, ready, d); p != nil {
		return p
	}
	own := map[string]*renewal{}
	var companies []oldKey
	for _, k := range ready {
		h := k.key.Certificate.Holder()
		if h.BIN != "" {
			companies = append(companies, k)
			continue
		}
		if own[h.IIN] == nil {
			own[h.IIN] = &renewal{task: t, by: k.key}
			t.groups = append(t.groups, own[h.IIN])
		}
		own[h.IIN].keys = append(own[h.IIN].keys, k)
	}
	if len(t.groups) == 0 {
		by := companies[0].key
		for _, f := range w.files {
			if k := w.opened[f.ID]; k != nil && k.Certificate.Holder().BIN == "" && k.Certificate.ForSignIn() && len(w.agent.fit(k.Certificate, t.wish(), w.lang).Reasons) == 0 {
				by = k
				break
			}
		}
		t.groups = []*renewal{{task: t, by: by}}
	}
	t.groups[0].keys = append(t.groups[0].keys, companies...)
	for _, k := range ready {
		w.agent.setRenewing(k.key.Certificate, true)
	}
	t.password, t.of = d.NewPassword, 4*len(t.groups)+3*len(ready)
	return nil
}

// passwords checks the new password, when a new file will have it: none of the keys that are renewed has it.
func (*renewing) passwords(ctx context.Context, w *window, ready []oldKey, d Decision) *Problem {
	if !slices.ContainsFunc(ready, func(k oldKey) bool { return k.key.Place() == nil }) {
		return nil
	}
	return w.newPasswords(ctx, d, func(old *pki.Certificate) bool {
		return slices.ContainsFunc(ready, func(k oldKey) bool { return bytes.Equal(k.key.Certificate.Raw, old.Raw) })
	})
}

// oldKey is a key to be renewed, open.
type oldKey struct {
	file  keystore.File
	key   *keystore.Key
	begun bool // by a window before
}

func (k oldKey) serial() string { return serialOf(k.key.Certificate) }

func (k oldKey) owner() string {
	h := k.key.Certificate.Holder()
	if h.Organization != "" {
		return h.Organization
	}
	return h.CommonName
}

func (t *renewing) sum() Renewed {
	var r Renewed
	for _, k := range t.results {
		switch k.state {
		case "done":
			r.Done++
		case "not":
			r.Failed++
		default:
			r.Waiting++
		}
	}
	return r
}

// said tells the person at the end what became of each key.
func (t *renewing) said(tag lang.Tag) string {
	r := t.sum()
	lines := []string{tag.Text("agent.renew.done", "n", r.Done)}
	if r.Done > 0 {
		lines = append(lines, tag.Text("agent.renew.old"))
	}
	for _, k := range t.results {
		if k.state == "done" {
			continue
		}
		line := k.owner + ": " + tag.Text("agent.renew.state."+k.state)
		if k.why != "" {
			line += " – " + k.why
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// isRenewing tells whether the renewal of a key goes on: its new file may stand here before the cabinet knows.
func (a *Agent) isRenewing(cert *pki.Certificate) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.renewal[serialOf(cert)]
}

func (a *Agent) setRenewing(cert *pki.Certificate, on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.renewal[serialOf(cert)] = on
}

// transport reaches the cabinet.
func (a *Agent) transport() http.RoundTripper { return a.config.CabinetTransport }

// cabinetProblem says what the cabinet or the way to it refused; the window stays and may try again.
func (w *window) cabinetProblem(err error) *Problem {
	if no, ok := errors.AsType[*client.Refusal](err); ok {
		p := &Problem{Code: strings.ToLower(no.Code), Text: no.Text}
		if slices.Contains([]string{"CODE_WRONG", "CODE_EXPIRED", "CODE_USED", "CODE_SOON"}, no.Code) {
			p.Field = "code"
		}
		return p
	}
	w.agent.log.Warn("the cabinet was not reached", "err", fmt.Sprintf("%T", err))
	return &Problem{Code: "cabinet_unreachable"}
}
