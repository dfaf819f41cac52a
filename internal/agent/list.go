package agent

import (
	"cmp"
	"context"
	"slices"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
	"senim/pki"
)

// list answers kz.senim.keys list: what the person ticks, of what is known here.
func (t *talk) list(ctx context.Context, r *ncalayer.Request) (any, *ncalayer.Refusal) {
	call, refusal := r.List()
	if refusal != nil {
		return nil, refusal
	}
	task := &listing{call: call, pending: t.agent.keeper.Waiting(t.site.Origin)}
	if call.IIN != "" || call.BIN != "" || len(call.EKU) > 0 {
		task.pending = nil // a key without a certificate matches no filter
	}
	out := t.agent.show(ctx, t.site, tag(call.Locale, lang.KK), task)
	if out.err != nil {
		return nil, asRefusal(out.err, ncalayer.CodeInvocation)
	}
	if !out.done {
		return nil, nil
	}
	return out.result, nil
}

// listing is the consent to tell a page which keys are here.
type listing struct {
	call    *ncalayer.ListCall
	pending []keystore.Note
}

func (*listing) kind() string { return "list" }

func (t *listing) wish() wish {
	return wish{files: true, others: []string{"*"}, iin: t.call.IIN, bin: t.call.BIN, eku: t.call.EKU, allowExpired: true, allowRevoked: true}
}

// matches tells whether a certificate passes the page's filters; dates and revocation do not matter here.
func (t *listing) matches(cert *pki.Certificate) bool {
	var f fitness
	t.wish().filters(cert, lang.EN, &f)
	return len(f.Reasons) == 0
}

// show gives the rows that would be told, then those that could be opened to be told too.
func (t *listing) show(w *window, v *View) {
	var told, locked []KeyRow
	for _, f := range w.files {
		r := w.row(f)
		cert := w.cert(f)
		switch {
		case cert != nil && w.opened[f.ID] == nil && !w.agent.known.openedOnce(f.ID) && t.matches(cert): // on a token
			r.State, r.Fits, r.Reasons = "locked", true, nil
			locked = append(locked, r)
		case cert == nil:
			locked = append(locked, r)
		case t.matches(cert):
			r.Fits, r.Reasons = true, nil
			told = append(told, r)
		}
	}
	for _, n := range t.pending {
		told = append(told, KeyRow{
			ID: n.KeyID, File: cmp.Or(n.File, n.Token), Folder: n.Folder, State: "pending", Fits: true, Date: w.lang.Text("agent.file.made", "date", w.lang.Date(n.Made)),
			About: w.lang.Text("agent.about.pending"),
		})
	}
	v.Keys = append(told, locked...)
}

func (t *listing) decide(_ context.Context, w *window, d Decision) (outcome, *Problem) {
	var files []keystore.File
	for _, f := range w.files {
		cert := w.cert(f)
		if cert != nil && (w.opened[f.ID] != nil || w.agent.known.openedOnce(f.ID)) && slices.Contains(d.Keys, f.ID) && t.matches(cert) {
			files = append(files, f)
		}
	}
	slices.SortStableFunc(files, func(a, b keystore.File) int { return w.cert(b).NotAfter.Compare(w.cert(a).NotAfter) })
	out := ncalayer.Listed{Keys: []ncalayer.ListedKey{}}
	for _, f := range files {
		out.Keys = append(out.Keys, w.agent.listed(w.cert(f), f.Storage))
	}
	for _, n := range t.pending {
		if slices.Contains(d.Keys, n.KeyID) {
			out.Keys = append(out.Keys, ncalayer.ListedKey{KeyID: n.KeyID, Algorithm: n.Algorithm, Usage: n.Usage, State: "pending"})
		}
	}
	return outcome{done: true, result: out}, nil
}

func (a *Agent) listed(c *pki.Certificate, storage string) ncalayer.ListedKey {
	now, holder := a.now(), c.Holder()
	k := ncalayer.ListedKey{
		KeyID: keyID(c), Storage: storage, Algorithm: c.Key.String(), Usage: "SIGNATURE", State: "active",
		SubjectDN: c.Subject.String(), IssuerDN: c.Issuer.String(), IIN: holder.IIN, BIN: holder.BIN, Organization: holder.Organization,
		Serial: c.SerialHex(), NotBefore: millis(c.NotBefore.UnixMilli()), NotAfter: millis(c.NotAfter.UnixMilli()),
		Certificate: c.Raw,
	}
	if k.Algorithm == "RSA" {
		k.Algorithm = "RSA2048"
	}
	if c.HasUsage(pki.ClientAuth) && !c.HasUsage(pki.EmailProtection) {
		k.Usage = "AUTHENTICATION"
	}
	switch {
	case now.Before(c.NotBefore):
		k.State = "notYetValid"
	case now.After(c.NotAfter):
		k.State = "expired"
	}
	for _, u := range c.ExtKeyUsage {
		if _, ok := pki.RoleByOID(u); ok {
			k.Roles = append(k.Roles, u.String())
		}
	}
	return k
}
