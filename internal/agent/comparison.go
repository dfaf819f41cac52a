package agent

import (
	"net/url"
	"slices"
	"strings"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/pki"
)

// Comparison is the cabinet's list of one person beside the keys here: those of it that are not here.
type Comparison struct {
	Text string   `json:"text"` // whose list, of when, how many
	More string   `json:"more,omitempty"`
	Keys []KeyRow `json:"keys"`
}

// comparison lists the keys that the cabinet has and this machine does not show: each says first why it
// may not be here, and leads to its revocation.
func (a *Agent) comparison(l *listedKeys, files []keystore.File, entries []keyEntry, tag lang.Tag) Comparison {
	c := Comparison{Keys: []KeyRow{}}
	for _, k := range l.keys {
		if l.onTokens[k.cert.Fingerprint()] || slices.ContainsFunc(entries, func(e keyEntry) bool { return e.cert.Fingerprint() == k.cert.Fingerprint() }) {
			continue
		}
		r := KeyRow{ID: k.cert.SerialHex(), State: "cabinet", Card: a.card(k.cert, tag), Revoke: a.revokePage(k.cert)}
		r.Remarks = append([]Remark{a.whyAway(k.cert, files, tag)}, a.ofList(l, k.cert, tag)...)
		if !r.Card.IssuerKnown {
			r.Remarks = append(r.Remarks, Remark{"unknown-issuer", "amber", tag.Text("agent.reason.unknown-issuer", "issuer", r.Card.Issuer)})
		}
		c.Keys = append(c.Keys, r)
	}
	c.Text = tag.Text("home.compare.done", "owner", l.owner, "time", tag.DateTime(l.at), "n", len(l.keys))
	if l.more {
		c.More = tag.Text("home.compare.more", "n", len(l.keys))
	}
	return c
}

// whyAway says what a key that is only in the cabinet's list may be: one that waits here to be installed,
// one in a file nobody opened, one on a token, or one the person knows nothing of.
func (a *Agent) whyAway(cert *pki.Certificate, files []keystore.File, tag lang.Tag) Remark {
	id, closed := keyID(cert), 0
	for _, n := range a.keeper.Unfinished() {
		if n.KeyID == id {
			return Remark{"waits", "info", tag.Text("home.compare.waits", "file", n.File)}
		}
	}
	for _, f := range files {
		switch {
		case a.known.find(f.ID) != nil:
		case strings.Contains(strings.ToLower(f.Name), id):
			return Remark{"closed", "info", tag.Text("home.compare.closed", "file", f.Name)}
		case f.Flaw == "": // else no key is in it
			closed++
		}
	}
	switch {
	case len(cert.Storage) > 0 && !cert.Storage.Equal(pki.StoragePKCS12) && !cert.Storage.Equal(pki.StorageJKS):
		return Remark{"carrier", "amber", tag.Text("home.compare.carrier")}
	case closed > 0:
		return Remark{"unknown", "amber", tag.Text("home.compare.unknown-closed", "n", closed)}
	}
	return Remark{"unknown", "amber", tag.Text("home.compare.unknown")}
}

// ofList says of a key in a list what the list tells.
func (a *Agent) ofList(l *listedKeys, cert *pki.Certificate, tag lang.Tag) (list []Remark) {
	if k := l.find(cert); k != nil && k.held {
		list = append(list, Remark{"held", "amber", tag.Text("home.compare.held")})
	}
	if n := l.newer(cert); n != nil {
		list = append(list, Remark{"replaced", "amber", tag.Text("home.left.replaced", "date", tag.Date(n.NotBefore), "until", tag.Date(cert.NotAfter))})
	}
	return list
}

// compared adds to the row of a key here what the cabinet's list says of it.
func (a *Agent) compared(r *KeyRow, cert *pki.Certificate, lists []*listedKeys, tag lang.Tag) {
	now := a.now()
	for _, l := range lists {
		if !l.about(cert) || now.After(cert.NotAfter) {
			continue
		}
		if l.find(cert) == nil {
			if !l.more {
				r.Remarks = append(r.Remarks, Remark{"not-listed", "amber", tag.Text("home.compare.not-listed", "time", tag.DateTime(l.at))})
			}
			return
		}
		for _, remark := range append([]Remark{{"listed", "info", tag.Text("home.compare.listed", "time", tag.DateTime(l.at))}}, a.ofList(l, cert, tag)...) {
			if !slices.ContainsFunc(r.Remarks, func(old Remark) bool { return old.Code == remark.Code }) {
				r.Remarks = append(r.Remarks, remark)
			}
		}
		if slices.ContainsFunc(r.Remarks, func(old Remark) bool { return old.Code == "replaced" }) {
			r.Revoke = a.revokePage(cert)
		}
		return
	}
}

// revokePage is the cabinet's page where a key is revoked.
func (a *Agent) revokePage(cert *pki.Certificate) string {
	return a.config.Cabinet + "/keys/revoke?serial=" + url.QueryEscape(cert.SerialHex())
}
