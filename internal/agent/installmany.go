package agent

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

// certificates parses the certificates of one set.
func certificates(call ncalayer.InstallCall) ([]*pki.Certificate, *ncalayer.Refusal) {
	var certs []*pki.Certificate
	for _, data := range call.Certificates {
		blocks, err := pki.Decode(data)
		if err != nil || len(blocks) != 1 {
			return nil, &ncalayer.Refusal{Code: ncalayer.CodeNotImportable, Details: "not_a_certificate: one certificate is expected"}
		}
		cert, err := pki.ParseCertificate(blocks[0].DER)
		if err != nil {
			return nil, &ncalayer.Refusal{Code: ncalayer.CodeNotImportable, Details: "not_a_certificate: it does not parse"}
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

func (t *talk) installMany(ctx context.Context, r *ncalayer.Request) (any, *ncalayer.Refusal) {
	call, refusal := r.InstallMany()
	if refusal != nil {
		return nil, refusal
	}
	window := tag(call.Locale, lang.KK)
	task := &installingMany{origin: t.site.Origin}
	var first *ncalayer.Refusal
	matched := 0
	for _, one := range call.Orders {
		certs, refusal := certificates(one)
		if refusal != nil {
			return nil, refusal
		}
		set := installSet{requestID: one.RequestID, certs: certs}
		var err error
		if set.matches, err = t.agent.keeper.Match(certs, t.agent.looked()...); err != nil {
			refusal := asRefusal(err, ncalayer.CodeImporting)
			set.refusal = refusal
			if first == nil {
				first = refusal
			}
		} else if slices.ContainsFunc(set.matches, func(m keystore.Match) bool { return m.Note.OnToken() }) {
			set.matches, set.refusal = nil, &ncalayer.Refusal{Code: ncalayer.CodeImporting, Details: "several_places: the key is on a token: its certificate is installed alone"}
			first = cmp.Or(first, set.refusal)
		} else {
			matched++
		}
		task.sets = append(task.sets, set)
	}
	if matched == 0 {
		return nil, t.refuse(ctx, window, first)
	}
	return t.many(ctx, window, task, ncalayer.CodeImporting)
}

// installSet is the certificates of one request, with their keys or why there are none.
type installSet struct {
	requestID string
	certs     []*pki.Certificate
	matches   []keystore.Match
	refusal   *ncalayer.Refusal
}

// installingMany is the consent to finish the key files of many requests under one new password; one
// step finishes one request's.
type installingMany struct {
	origin string
	sets   []installSet
	out    ncalayer.InstalledMany
	kept   bool // as of installing
}

func (t *installingMany) said(tag lang.Tag) string { return saidInstalled(tag, t.kind(), t.kept) }

// agrees tells whether one password can be that of all files: asked before the first of them is made.
func (t *installingMany) agrees(w *window, password string) bool {
	return len(t.out.Orders) > 0 || !slices.ContainsFunc(t.sets, func(set installSet) bool {
		return set.refusal == nil && otherPassword(w.agent.keeper.Agrees(set.certs, password))
	})
}

// replaced are the keys that are replaced, asked for before the first file is made.
func (t *installingMany) replaced() func(*pki.Certificate) bool {
	if len(t.out.Orders) > 0 {
		return replacedBy()
	}
	var certs []*pki.Certificate
	for _, set := range t.sets {
		if set.refusal == nil {
			certs = append(certs, set.certs...)
		}
	}
	return replacedBy(certs...)
}

func (*installingMany) kind() string { return "install-many" }
func (*installingMany) wish() wish   { return wish{} }

// strange is as of installing.
func (t *installingMany) strange() (m keystore.Match, is bool) {
	for _, set := range t.sets {
		if m, is := strangeTo(t.origin, set.matches); is {
			return m, true
		}
	}
	return m, false
}

func (t *installingMany) show(w *window, v *View) {
	var all []keystore.Match
	for _, set := range t.sets {
		all = append(all, set.matches...)
	}
	w.showFinished(v, all)
	for i, m := range all { // each may be under a password of its own
		v.Certificates[i].ID, v.Certificates[i].Sealed = m.Note.KeyID, isSealed(m)
	}
	v.warnOfStranger(w.lang, t.strange)
}

func (t *installingMany) decide(ctx context.Context, w *window, d Decision) (outcome, *Problem) {
	if p := w.newPasswords(ctx, d, t.replaced()); p != nil {
		return outcome{}, p
	}
	if p := unconfirmed(d, t.strange); p != nil {
		return outcome{}, p
	}
	if !t.agrees(w, d.NewPassword) {
		return outcome{}, &Problem{Code: "first_password", Field: "new-password"}
	}
	set := t.sets[len(t.out.Orders)]
	one := ncalayer.InstalledOne{RequestID: set.requestID}
	if set.refusal != nil {
		one.Error = set.refusal.Part()
	} else if slices.ContainsFunc(set.matches, func(m keystore.Match) bool { return isSealed(m) && slices.Contains(d.Skip, m.Note.KeyID) }) {
		one.Error = (&ncalayer.Refusal{Code: ncalayer.CodeImporting, Details: "not_unlocked: the key was not opened"}).Part()
	} else if err := w.agent.keeper.Adopt(set.certs, w.agent.looked(), t.origin); err != nil {
		one.Error = asRefusal(err, ncalayer.CodeImporting).Part()
	} else if files, err := w.agent.keeper.InstallSealed(set.certs, d.NewPassword, d.Passwords); err != nil {
		if f, is := errors.AsType[*keystore.Failure](err); is && f.Reason == "pending_password" {
			return outcome{}, &Problem{Code: "pending_password", Field: "pending-" + f.Key}
		}
		one.Error = asRefusal(err, ncalayer.CodeImporting).Part()
	} else {
		one.Files = w.agent.told(files, set.certs)
		t.kept = t.kept || keptPassword(files)
	}
	t.out.Orders = append(t.out.Orders, one)
	return steps(len(t.out.Orders), len(t.sets), t.out), nil
}

// told are finished files as a page is told of them; from now on the agent knows whose they are.
func (a *Agent) told(files []keystore.Installed, certs []*pki.Certificate) []ncalayer.InstalledFile {
	var out []ncalayer.InstalledFile
	for i, f := range files {
		c := certs[i]
		out = append(out, ncalayer.InstalledFile{
			KeyID: f.KeyID, FileName: f.FileName, Serial: c.SerialHex(), NotAfter: millis(c.NotAfter.UnixMilli()), Created: f.Created,
		})
		if f.Path != "" {
			a.remember(f.Path, c)
		}
	}
	return out
}
