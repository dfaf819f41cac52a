package agent

import (
	"time"

	"senim/internal/ident"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// Card is a certificate as a person recognises it.
type Card struct {
	Owner        string   `json:"owner"`
	IIN          string   `json:"iin,omitempty"` // grouped
	Organization string   `json:"organization,omitempty"`
	BIN          string   `json:"bin,omitempty"` // grouped
	Roles        []string `json:"roles"`         // in words
	Can          []string `json:"can"`           // what the key is for, in words
	Issuer       string   `json:"issuer"`
	IssuerKnown  bool     `json:"issuerKnown"`
	Serial       string   `json:"serial"`
	Algorithm    string   `json:"algorithm"`
	NotBefore    string   `json:"notBefore"` // RFC 3339
	NotAfter     string   `json:"notAfter"`
	From         string   `json:"from"`  // the same as people write them
	Until        string   `json:"until"` // in words, with the days left
	Used         int      `json:"used"`  // percent of the validity that has passed, 0 to 100
	Expiry       string   `json:"expiry"`
}

// KeyRow is one key in the window's list.
type KeyRow struct {
	ID      string   `json:"id"`
	File    string   `json:"file"`
	Folder  string   `json:"folder"`
	About   string   `json:"about"`            // what the name of the file tells
	Date    string   `json:"date,omitempty"`   // in words: of what
	Copies  []string `json:"copies,omitempty"` // other paths with the same in them
	State   string   `json:"state"`            // locked, known (certificate remembered), unlocked, pending, away, cabinet (not here)
	Fits    bool     `json:"fits"`             // false only when that is known
	Reasons []Remark `json:"reasons,omitempty"`
	Remarks []Remark `json:"remarks,omitempty"`
	Kept    bool     `json:"kept,omitempty"`   // its password is in the system's keychain
	Pin     bool     `json:"pin,omitempty"`    // a key on a token: what is typed is its PIN
	On      string   `json:"on,omitempty"`     // the token it is on: its keys have one PIN
	Revoke  string   `json:"revoke,omitempty"` // where the cabinet revokes it, when it had better be
	Card    *Card    `json:"card,omitempty"`
}

func (a *Agent) card(cert *pki.Certificate, tag lang.Tag) *Card {
	now, holder := a.now(), cert.Holder()
	c := &Card{
		Owner: holder.CommonName, IIN: ident.FormatIIN(holder.IIN), Organization: holder.Organization, BIN: ident.FormatIIN(holder.BIN),
		Roles: []string{}, Can: []string{}, Issuer: issuerName(cert), Serial: cert.SerialHex(), Algorithm: cert.Key.String(),
		NotBefore: cert.NotBefore.Format(time.RFC3339), NotAfter: cert.NotAfter.Format(time.RFC3339),
		From: tag.Date(cert.NotBefore), Until: until(cert.NotAfter, now, tag), Used: passed(cert, now), Expiry: expiry(cert, now),
	}
	if holder.Given != "" {
		c.Owner += " " + holder.Given
	}
	_, err := a.trust.pool().Chain(cert, trust.Within(cert, now))
	c.IssuerKnown = err == nil
	for _, r := range holder.Roles {
		if key := "agent.role." + r.String(); lang.Has(key) {
			c.Roles = append(c.Roles, tag.Text(key))
		}
	}
	if cert.ForSignIn() {
		c.Can = append(c.Can, tag.Text("agent.can.sign-in"))
	}
	if cert.ForSigning() {
		c.Can = append(c.Can, tag.Text("agent.can.sign"))
	}
	return c
}

func until(end, now time.Time, tag lang.Tag) string {
	if now.After(end) {
		return tag.Text("agent.until.over", "date", tag.Date(end))
	}
	return tag.Text("agent.until.days", "date", tag.Date(end), "n", lang.DaysLeft(now, end))
}

// passed is the part of the validity that is over, in percent.
func passed(cert *pki.Certificate, now time.Time) int {
	whole := cert.NotAfter.Sub(cert.NotBefore)
	if whole <= 0 {
		return 100
	}
	return int(min(max(float64(now.Sub(cert.NotBefore))/float64(whole), 0), 1) * 100)
}

func expiry(cert *pki.Certificate, now time.Time) string {
	switch stage(cert.NotAfter, now) {
	case "over":
		return "over"
	case "ok":
		return "ok"
	}
	return "soon"
}

// row describes one file: only what its name tells, until it was opened once.
func (w *window) row(f keystore.File) KeyRow {
	a, tag := w.agent, w.lang
	r := KeyRow{
		ID: f.ID, File: f.Name, Folder: f.Folder(), About: tag.Text("agent.about." + string(f.Kind)),
		Date: tag.Text("agent.file.dated", "date", tag.Date(f.Modified)), Copies: f.Copies, State: "locked", Fits: true, Kept: a.recaller.has(f.ID),
	}
	wanted := w.task.wish().of(f.Storage)
	cert := a.known.find(f.ID)
	if f.Certificate() != nil {
		cert, r.About, r.Pin, r.On = f.Certificate(), tag.Text("agent.about.token"), true, f.Token()
		r.Date = "" // there is no file; the certificate says its own
	}
	if key := w.opened[f.ID]; key != nil {
		r.State, cert = "unlocked", key.Certificate
	} else if cert != nil {
		r.State = "known"
	}
	if cert != nil {
		fit := a.fit(cert, wanted, tag)
		r.Card, r.Reasons, r.Remarks, r.Fits = a.card(cert, tag), fit.Reasons, fit.Remarks, len(fit.Reasons) == 0
	} else if !wanted.files {
		r.Fits = false
		r.Reasons = []Remark{{"storage", "red", tag.Text("agent.reason.storage")}}
	}
	if remark, flawed := flaw(f, tag); flawed {
		r.Fits, r.Reasons = false, []Remark{remark}
	}
	if w.pulled[f.ID] {
		r.Fits, r.Reasons = false, []Remark{{"token-away", "amber", tag.Text("agent.reason.token-away", "token", f.Name)}}
	}
	return r
}

// flaw says why no password opens a file.
func flaw(f keystore.File, tag lang.Tag) (Remark, bool) {
	return Remark{"flaw-" + string(f.Flaw), "red", tag.Text("agent.reason.flaw-" + string(f.Flaw))}, f.Flaw != ""
}
