package agent

import (
	"context"

	"senim/internal/keystore"
	"senim/internal/lang"
)

// signing is the consent to sign documents, or (info) to tell a page which key was chosen.
type signing struct {
	wanted    wish
	wants     []string
	relayed   string // what is another site's, when it is no challenge
	documents []Document
	count     int
	warnings  []Remark
	logo      string
	info      bool
	// act makes the answer with the key; all documents or none. It ends early with ctx, when the person cancels.
	act func(ctx context.Context, key *keystore.Key) (any, error)
	// stamp is the last time-stamp that could not be had; the person may try again.
	stamp error
}

func (t *signing) kind() string {
	if t.info {
		return "info"
	}
	return "sign"
}

func (t *signing) wish() wish { return t.wanted }

func (t *signing) show(w *window, v *View) {
	t.documentsIn(w, v)
	v.Warnings, v.Logo, v.Wants = t.warnings, t.logo, t.wants
	if key := "agent.purpose." + t.purpose(); lang.Has(key) {
		v.Title = w.lang.Text(key)
	}
	w.rows(v)
}

// documentsIn shows the documents, and says of how many the text is not.
func (t *signing) documentsIn(w *window, v *View) {
	v.Documents, v.Count = t.documents, t.count
	if t.count > maxDocuments {
		v.More = w.lang.Text("agent.document.more", "n", t.count-maxDocuments)
	}
}

// purpose is what the challenge to be signed is for, when one is all that is signed; else empty.
func (t *signing) purpose() string {
	if t.info || t.count != 1 || len(t.documents) != 1 {
		return ""
	}
	return t.documents[0].Purpose
}

func (t *signing) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	if w.run != nil {
		return t.step(ctx, w, d.Key)
	}
	key := w.opened[d.Key]
	if key == nil {
		return outcome{}, &Problem{Code: "locked", Field: "password"}
	}
	// Judged again now: a window may have been open for long.
	if f := w.agent.fit(key.Certificate, t.wanted.of(key.Storage), w.lang); len(f.Reasons) > 0 {
		return outcome{}, &Problem{Code: "does_not_fit", Text: f.Reasons[0].Text}
	}
	if t.count > 1 {
		w.run = start(ctx, key, t.count, t.act)
		return t.step(ctx, w, d.Key)
	}
	result, err := t.act(ctx, key)
	if ctx.Err() != nil { // cancelled meanwhile: nothing was signed
		return outcome{}, &Problem{Code: "over"}
	}
	return t.ended(w, d.Key, result, err)
}

// step is a step of what is being signed: the outcome so far, or the end.
func (t *signing) step(ctx context.Context, w *window, key string) (outcome, *Problem) {
	so, run, p := w.goOn(ctx)
	if run == nil {
		return so, p
	}
	return t.ended(w, key, run.result, run.err)
}

// ended makes the outcome of what was signed.
func (t *signing) ended(w *window, key string, result any, err error) (outcome, *Problem) {
	if p := t.unstamped(err, w.lang); p != nil {
		return outcome{}, p
	}
	if err != nil {
		return outcome{err: w.agent.withoutDriver(err)}, nil
	}
	w.agent.chose(w.site, key)
	return outcome{done: true, result: result}, nil
}
