package agent

import (
	"context"
	"slices"
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

func (t *talk) signMany(ctx context.Context, r *ncalayer.Request) (any, *ncalayer.Refusal) {
	call, refusal := r.SignMany()
	if refusal != nil {
		return nil, refusal
	}
	window := tag(call.Locale, lang.KK)
	task := &signingMany{}
	for _, d := range call.Documents {
		if another, bad := relayedApplication(d.XML, t.site); bad {
			return nil, t.refuse(ctx, window, &ncalayer.Refusal{Code: ncalayer.CodeSigning, Details: "application_elsewhere: it is for " + another})
		}
		_, shown, err := t.agent.lookXML(ctx, d.XML, nil, window)
		if err != nil {
			return nil, &ncalayer.Refusal{Code: ncalayer.CodeParams, Details: "data: " + err.Error()}
		}
		shown.Serial = plainSerial(d.Serial)
		task.documents, task.shown = append(task.documents, d), append(task.shown, shown)
	}
	return t.many(ctx, window, task, ncalayer.CodeSigning)
}

// signingMany is the consent to sign many documents, each with the key its certificate names. Every
// key is opened by its own password; one step signs one document.
type signingMany struct {
	documents []ncalayer.ManyDocument
	shown     []Document
	out       ncalayer.SignedMany
}

func (*signingMany) kind() string { return "sign-many" }
func (*signingMany) wish() wish   { return wish{files: true, others: []string{"*"}} } // serial numbers name the keys

// plainSerial makes serial numbers comparable.
func plainSerial(s string) string { return strings.TrimLeft(s, "0") }

func serialOf(c *pki.Certificate) string { return plainSerial(c.SerialHex()) }

func (t *signingMany) wants(serial string) bool {
	return slices.ContainsFunc(t.shown, func(d Document) bool { return d.Serial == serial })
}

// show lists the keys the documents name, then, while some of those are not found, the files whose
// owner is not known yet.
func (t *signingMany) show(w *window, v *View) {
	v.Documents = t.shown
	var locked []KeyRow
	found := map[string]bool{}
	for _, f := range w.files {
		r := w.row(f)
		if r.Card == nil {
			locked = append(locked, r)
			continue
		}
		serial := plainSerial(r.Card.Serial)
		if t.wants(serial) && !found[serial] {
			found[serial] = true
			v.Keys = append(v.Keys, r)
		}
	}
	v.Missing = []string{}
	for _, d := range t.shown {
		if !found[d.Serial] && !slices.Contains(v.Missing, d.Serial) {
			v.Missing = append(v.Missing, d.Serial)
		}
	}
	if len(v.Missing) > 0 {
		v.Keys = append(v.Keys, locked...)
	}
}

// opened finds the unlocked key of a certificate.
func (t *signingMany) opened(w *window, serial string) *keystore.Key {
	for _, k := range w.opened {
		if serialOf(k.Certificate) == serial {
			return k
		}
	}
	return nil
}

func (t *signingMany) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	if len(t.out.Documents) == 0 {
		ready := 0
		for _, doc := range t.shown {
			if t.opened(w, doc.Serial) != nil {
				ready++
			}
		}
		switch {
		case ready == 0:
			return outcome{}, &Problem{Code: "locked", Field: "password"}
		case ready < len(t.shown) && !d.Confirm:
			return outcome{}, &Problem{Code: "some_locked", Field: "confirm", Text: w.lang.Text("agent.problem.some_locked", "n", len(t.shown)-ready)}
		}
	}
	at := len(t.out.Documents)
	t.out.Documents = append(t.out.Documents, t.sign(ctx, w, t.documents[at], t.shown[at].Serial))
	return steps(at+1, len(t.documents), t.out), nil
}

// sign signs one document. What is wrong with one key does not stop the others.
func (t *signingMany) sign(ctx context.Context, w *window, d ncalayer.ManyDocument, serial string) ncalayer.SignedOne {
	no := func(details string) ncalayer.SignedOne {
		return ncalayer.SignedOne{ID: d.ID, Error: &ncalayer.ManyError{Code: ncalayer.CodeSigning, Details: details}}
	}
	key := t.opened(w, serial)
	if key == nil {
		return no("not_unlocked: the key was not opened")
	}
	// Judged again now: a window may have been open for long.
	if f := w.agent.fit(key.Certificate, t.wish(), w.lang); len(f.Reasons) > 0 {
		return no("does_not_fit: " + f.Reasons[0].Code)
	}
	out, err := w.agent.signXML(ctx, key, element{xml: d.XML}, false)
	if err != nil {
		return no("internal: the document was not signed")
	}
	return ncalayer.SignedOne{ID: d.ID, XML: string(out)}
}
