package agent

import (
	"context"
	"errors"
	"strings"

	"senim/internal/cabinet/client"
	"senim/internal/lang"
)

// comparing is the consent to sign in to the cabinet and read its list of the person's keys.
type comparing struct {
	site    site
	cabinet *client.Client
	by      string // the key that signed in
	got     *listedKeys
	text    string
}

func (*comparing) kind() string { return "compare" }
func (*comparing) wish() wish {
	return wish{files: true, others: []string{"*"}, keyType: "AUTHENTICATION"}
}

func (t *comparing) show(w *window, v *View) {
	v.Warnings = []Remark{{"compare", "info", w.lang.Text("agent.compare.what", "cabinet", t.site.Shown)}}
	w.rows(v)
}

// decide signs in, then reads the list: two steps, so that what failed is tried alone.
func (t *comparing) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	key := w.opened[d.Key]
	if key == nil {
		return outcome{}, &Problem{Code: "locked", Field: "password"}
	}
	if f := w.agent.fit(key.Certificate, t.wish().of(key.Storage), w.lang); len(f.Reasons) > 0 {
		return outcome{}, &Problem{Code: "does_not_fit", Text: f.Reasons[0].Text}
	}
	if t.cabinet == nil || t.by != d.Key {
		cabinet, err := w.signInTo(ctx, t.site, key)
		if err != nil {
			return outcome{}, w.cabinetProblem(err)
		}
		t.cabinet, t.by = cabinet, d.Key
		return outcome{at: 1, of: 2}, nil
	}
	list, err := t.cabinet.Keys(ctx)
	if err != nil {
		if _, refused := errors.AsType[*client.Refusal](err); refused {
			t.cabinet = nil // the session is over
		}
		return outcome{}, w.cabinetProblem(err)
	}
	if t.got, err = readListed(list, key.Certificate, w.agent.now()); err != nil {
		w.agent.log.Warn("the cabinet's list was not taken", "why", err)
		return outcome{}, &Problem{Code: "cabinet_list"}
	}
	for _, f := range w.files {
		if cert := f.Certificate(); cert != nil {
			t.got.onTokens[cert.Fingerprint()] = true
		}
	}
	w.agent.keepListed(t.got)
	t.text = t.tell(w.agent, w.lang)
	w.agent.chose(w.site, d.Key)
	return outcome{done: true, result: true}, nil
}

func (t *comparing) said(lang.Tag) string { return t.text }

// tell says what came of it: counts, then each key that is not here.
func (t *comparing) tell(a *Agent, tag lang.Tag) string {
	files := a.keyFiles()
	c := a.comparison(t.got, files, a.known.all(files), tag)
	lines := []string{tag.Text("agent.compare.sum", "listed", len(t.got.keys), "missing", len(c.Keys))}
	if c.More != "" {
		lines = append(lines, c.More)
	}
	for _, k := range c.Keys {
		name := k.Card.Organization
		if name == "" {
			name = k.Card.Owner
		}
		lines = append(lines, name+" · "+k.Card.Until+": "+k.Remarks[0].Text)
	}
	if len(c.Keys) > 0 {
		lines = append(lines, tag.Text("agent.compare.where"))
	}
	return strings.Join(lines, "\n")
}
