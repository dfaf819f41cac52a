package qr

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"senim/internal/audit"
	"senim/internal/auth"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/pki"
)

// Invitation is the answer of API 1 to a phone that speaks a language. It says who asks and what for, and
// nothing about the person.
func (d *Desk) Invitation(ctx context.Context, id string, l lang.Tag) (mgov.Invitation, error) {
	r, err := d.find(ctx, id)
	if err == nil {
		err = r.open(d.c.Now())
	}
	if err != nil {
		return mgov.Invitation{}, err
	}
	w := mgov.Where{URI: d.documents(r), Auth: d.c.Auth}
	if w.Auth == mgov.Token {
		w.Token = secret(d.c.Key, "token", r.Handle)
	}
	return mgov.Invitation{Description: l.Text("qr.description", "site", d.name(l), "what", r.Ask.Words(l)),
		Expires: mgov.Time{Time: r.Expires.In(lang.Astana)}, Organisation: d.c.Organisation, Document: w}, nil
}

// documents is API 2 of a request.
func (d *Desk) documents(r Request) string {
	return d.c.Origin + "/" + mgov.Path + "/2/" + secret(d.c.Key, "id", r.Handle)
}

// Package is the answer of API 2 to a phone with the token.
func (d *Desk) Package(ctx context.Context, id, token string, l lang.Tag) (mgov.Package, error) {
	r, err := d.come(ctx, id, token)
	if err == nil && d.c.Auth == mgov.Eds {
		err = &auth.Refusal{Code: CodeToken} // these phones come with their signature
	}
	if err == nil {
		err = r.open(d.c.Now())
	}
	if err != nil {
		return mgov.Package{}, err
	}
	return d.pack(r, l), nil
}

// PackageFor is the answer of API 2 to a phone that signed its address ([mgov.Eds]).
func (d *Desk) PackageFor(ctx context.Context, id string, signed []byte, l lang.Tag) (mgov.Package, error) {
	r, err := d.come(ctx, id, "")
	if err == nil && d.c.Auth != mgov.Eds {
		err = &auth.Refusal{Code: CodeToken}
	}
	if err == nil {
		err = r.open(d.c.Now())
	}
	if err == nil {
		err = d.entrance(ctx, r, signed)
	}
	if err != nil {
		return mgov.Package{}, err
	}
	return d.pack(r, l), nil
}

// Put takes what a phone signed. A refusal leaves the request waiting; a good answer ends it for phones.
func (d *Desk) Put(ctx context.Context, id, token string, signed mgov.Package) error {
	r, err := d.come(ctx, id, token)
	if err == nil {
		err = r.open(d.c.Now())
	}
	if err != nil {
		return err
	}
	cert, answer, err := r.Ask.verify(signed)
	if err == nil {
		err = d.judge(ctx, r.Ask, cert, r.Ask.use())
	}
	var refused *auth.Refusal
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	return d.settle(ctx, r.Handle, cert, answer, refused)
}

// settle writes down what came of an answer.
func (d *Desk) settle(ctx context.Context, handle string, cert *pki.Certificate, answer []string, refused *auth.Refusal) error {
	err := d.c.Store.Update(ctx, func(tx Tx) error {
		r, err := tx.Request(ctx, handle)
		if err != nil {
			return err
		}
		e := audit.Event{Action: "qr.signed", Object: r.Name(), Result: "ok", Detail: d.about(r)}
		if cert != nil {
			e.Detail["serial"] = cert.SerialHex()
			if iin := cert.Holder().IIN; iin != "" {
				e.Actor = tx.Hash(iin)
			}
		}
		if refused != nil {
			e.Result = refused.Code
			return tx.Audit(ctx, e)
		}
		if r, err = r.sign(answer, d.c.Now()); err != nil {
			return err
		}
		return errors.Join(tx.Put(ctx, r), tx.Audit(ctx, e))
	})
	if err != nil {
		return fmt.Errorf("take what a phone signed: %w", err)
	}
	if refused != nil {
		d.c.Log.InfoContext(ctx, "signature by QR refused", "site", d.c.Site, "code", refused.Code)
		return refused
	}
	return nil
}

// find reads a request by the id of its addresses. An unknown one is told like one that is over: it may be.
func (d *Desk) find(ctx context.Context, id string) (Request, error) {
	var r Request
	err := d.c.Store.View(ctx, func(tx Tx) (err error) {
		r, err = tx.ByCode(ctx, hash("id", id))
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound), err == nil && r.Site != d.c.Site:
		return Request{}, &auth.Refusal{Code: CodeExpired}
	case err != nil:
		return Request{}, fmt.Errorf("find a request: %w", err)
	}
	return r, nil
}

// come finds a request for a phone at API 2: the token is asked for before anything is told.
func (d *Desk) come(ctx context.Context, id, token string) (Request, error) {
	r, err := d.find(ctx, id)
	if err == nil && d.c.Auth == mgov.Token && !same(r.Token, hash("token", token)) {
		err = &auth.Refusal{Code: CodeToken}
	}
	return r, err
}

// pack writes the documents as they are handed out, always anew from what is kept.
func (d *Desk) pack(r Request, l lang.Tag) mgov.Package {
	p := mgov.Package{Method: r.Ask.method(), Version: mgov.Version}
	host := d.c.Origin
	if u, err := url.Parse(d.c.Origin); err == nil {
		host = u.Host
	}
	meta := []mgov.Meta{{Name: l.Text("qr.meta.site"), Value: d.name(l)}, {Name: l.Text("qr.meta.address"), Value: host},
		{Name: l.Text("qr.meta.what"), Value: r.Ask.Words(l)}, {Name: l.Text("qr.meta.until"), Value: l.DateTime(r.Expires)}}
	for i, it := range r.Ask.Items {
		doc := mgov.Document{ID: i + 1, RU: r.Ask.Words(lang.RU), KK: r.Ask.Words(lang.KK), EN: r.Ask.Words(lang.EN), Meta: meta}
		if p.Method == mgov.Mix {
			doc.Method = it.Method
		}
		if it.Method != mgov.XML {
			doc.Document = &mgov.Attached{File: mgov.File{Mime: it.Mime}}
		}
		p.Documents = append(p.Documents, doc.With(it.Content))
	}
	return p
}

func (d *Desk) name(l lang.Tag) string {
	switch l {
	case lang.KK:
		return d.c.Organisation.KK
	case lang.EN:
		return d.c.Organisation.EN
	case lang.RU:
	}
	return d.c.Organisation.RU
}

// Words say what the signature is for.
func (a Ask) Words(l lang.Tag) string {
	if key := "qr.purpose." + a.Purpose; a.Purpose != "" && lang.Has(key) {
		return l.Text(key)
	}
	if a.What != "" {
		return a.What
	}
	return l.Text("qr.purpose.document")
}
