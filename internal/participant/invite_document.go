package participant

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"senim/dsig"
	"senim/internal/audit"
	"senim/internal/auth"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/trust"
	"senim/pki"
)

// Documents signed about users of an enterprise. Like the agreement they are made of stored facts
// alone: the server makes the same bytes again and trusts nothing that comes back.
type (
	invitationXML struct {
		XMLName xml.Name `xml:"invitation"`
		ID      string   `xml:"id"`
		TIN     string   `xml:"tin"`
		Org     string   `xml:"organisation"`
		Head    string   `xml:"head"`
		IIN     string   `xml:"iin"`
		Email   string   `xml:"email"`
		grantXML
		Time   string `xml:"time"`
		Origin string `xml:"origin"`
	}
	acceptanceXML struct {
		XMLName    xml.Name `xml:"acceptance"`
		Invitation string   `xml:"invitation"`
		TIN        string   `xml:"tin"`
		Org        string   `xml:"organisation"`
		Head       string   `xml:"head"`
		IIN        string   `xml:"iin"`
		grantXML
		Time   string `xml:"time"`
		Origin string `xml:"origin"`
	}
	usersXML struct {
		XMLName xml.Name  `xml:"users"`
		Action  string    `xml:"action"`
		TIN     string    `xml:"tin"`
		Org     string    `xml:"organisation"`
		Head    string    `xml:"head"`
		Users   []userXML `xml:"user"`
		Origin  string    `xml:"origin"`
	}
	// userXML names the status and since when: once the act is done the same document cannot be made
	// again, so it cannot be used twice.
	userXML struct {
		Profile string `xml:"profile"`
		IIN     string `xml:"iin"`
		Name    string `xml:"name"`
		grantXML
		Status    string `xml:"status"`
		Since     string `xml:"since"`
		Reconfirm string `xml:"reconfirmBy"`
	}
	grantXML struct {
		Permissions string `xml:"permissions"`
		Proxy       string `xml:"proxy"`
		From        string `xml:"from"`
		To          string `xml:"to"`
	}
)

func (g Grant) xml() grantXML {
	names := make([]string, len(g.Permissions))
	for i, p := range g.Permissions {
		names[i] = string(p)
	}
	return grantXML{Permissions: strings.Join(names, " "), Proxy: g.Proxy, From: day(g.From), To: day(g.LastDay())}
}

func day(t time.Time) string { return t.In(lang.Astana).Format(time.DateOnly) }

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func writeDocument(v any) ([]byte, error) {
	body, err := xml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write document: %w", err)
	}
	return append([]byte(`<?xml version="1.0" encoding="UTF-8" standalone="no"?>`), body...), nil
}

// offer is what the head signs.
func (i Invitation) offer(origin string) ([]byte, error) {
	return writeDocument(invitationXML{ID: i.ID, TIN: i.TIN, Org: i.Org, Head: string(i.Head), IIN: string(i.IIN), Email: i.Email,
		grantXML: i.Grant.xml(), Time: moment(i.Made), Origin: origin})
}

// acceptance is what the invited person signs.
func (i Invitation) acceptance(origin string) ([]byte, error) {
	return writeDocument(acceptanceXML{Invitation: i.ID, TIN: i.TIN, Org: i.Org, Head: string(i.Head), IIN: string(i.IIN),
		grantXML: i.Grant.xml(), Time: moment(i.Sent), Origin: origin})
}

// usersDocument is what the head signs to confirm users, or to take their access.
func usersDocument(head Profile, action UserAction, users []User, origin string) ([]byte, error) {
	d := usersXML{Action: string(action), TIN: head.TIN, Org: head.Name, Head: string(head.IIN), Origin: origin}
	for _, u := range users {
		d.Users = append(d.Users, userXML{Profile: u.ID, IIN: string(u.IIN), Name: u.Person, grantXML: u.Grant.xml(),
			Status: string(u.Status), Since: moment(u.Since), Reconfirm: moment(u.ReconfirmBy)})
	}
	return writeDocument(d)
}

// verifyDocument checks a signed document: one enveloped signature over the whole of it, whose
// canonical bytes are exactly those of ours. It gives the signer's certificate, not yet judged.
func verifyDocument(signed, ours []byte) (*pki.Certificate, error) {
	if len(signed) > maxSigned || auth.IsChallenge(signed) {
		return nil, errors.New("read signed document: too large, or a challenge")
	}
	doc, err := dsig.Parse(signed)
	if err != nil {
		return nil, fmt.Errorf("read signed document: %w", err)
	}
	v, err := doc.VerifyOne()
	if err != nil {
		return nil, fmt.Errorf("verify signed document: %w", err)
	}
	if v.Weak || v.ID != "" {
		return nil, errors.New("verify signed document: a weak signature, or one over a part")
	}
	canonical, err := dsig.Canonicalize(ours, false)
	if err != nil {
		return nil, fmt.Errorf("write document: %w", err)
	}
	if !bytes.Equal(canonical, v.Signed) {
		return nil, errors.New("verify signed document: another text was signed")
	}
	return v.Certificate, nil
}

// signerIs is who must have signed: a person, and for a head with the key of the company.
type signerIs struct {
	iin ident.IIN
	bin string // "" any
	act string // for the words of the refusal
}

// signer is who signs for the profile of a head: a person who trades in his own name has no BIN.
func (p Profile) signer() signerIs {
	s := signerIs{iin: p.IIN, act: "head"}
	if p.Type.Enterprise() {
		s.bin = p.TIN
	}
	return s
}

// signing is a document that was signed, by whom, and the proof of it.
type signing struct {
	ours, signed []byte
	cert         *pki.Certificate
	proved
}

// signedDocument verifies the document, judges its signer and gathers the proof: SIGNATURE_INVALID,
// CERT_OTHER_PERSON, CERT_WRONG_BIN, or a closed gate with what is wrong with the certificate.
func (o *Office) signedDocument(ctx context.Context, signed, ours []byte, who signerIs) (signing, error) {
	s := signing{ours: ours, signed: signed}
	var err error
	if s.cert, err = verifyDocument(signed, ours); err != nil {
		return s, deny("SIGNATURE_INVALID")
	}
	if err := who.is(s.cert); err != nil {
		return s, err
	}
	e, err := o.judged(ctx, s.cert)
	if err != nil {
		return s, err
	}
	if !e.Passed() {
		return s, &GateClosed{Evidence: e}
	}
	s.proved, err = o.prove(ctx, signed, s.cert, e)
	return s, err
}

// is refuses another person's certificate, and one of another company: CERT_OTHER_PERSON, CERT_WRONG_BIN.
func (who signerIs) is(cert *pki.Certificate) error {
	h := cert.Holder()
	switch {
	case h.IIN == "" || ident.IIN(h.IIN) != who.iin:
		return deny("CERT_OTHER_PERSON", "act", who.act)
	case who.bin != "" && h.BIN != who.bin:
		return deny("CERT_WRONG_BIN", "act", who.act, "a", h.BIN, "b", who.bin)
	}
	return nil
}

// judged is what is found about a certificate that signed, G1 to G4.
func (o *Office) judged(ctx context.Context, cert *pki.Certificate) (Evidence, error) {
	id, err := newID(o.c.Random)
	if err != nil {
		return Evidence{}, fmt.Errorf("judge certificate: %w", err)
	}
	return Evidence{ID: id, At: o.now(), Checks: fromReport(o.c.Judge.Certificate(ctx, cert, trust.Signing))}, nil
}

// keepSigned writes down a document that was signed and what it did, and gives its id.
func (o *Office) keepSigned(ctx context.Context, tx Tx, k Kind, iin ident.IIN, s signing) (string, error) {
	id, err := newID(o.c.Random)
	if err != nil {
		return "", err
	}
	return id, o.keepAnswer(ctx, tx, SignedAct{ID: id, Kind: k, IIN: iin, Act: string(s.ours), Answer: s.signed, Certificate: s.cert.Raw, At: o.now()}, s.proved)
}

// keepAnswer writes down a signed act with its proof.
func (o *Office) keepAnswer(ctx context.Context, tx Tx, s SignedAct, p proved) error {
	if err := tx.PutSignedAct(ctx, s); err != nil {
		return err
	}
	if err := tx.AddProofs(ctx, s.ID, p.proofs); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Event{Action: "act.signed", Actor: tx.Hash(string(s.IIN)), Object: s.ID, Result: "ok", Detail: p.detail})
}
