// Package phone is a phone with eGov Mobile for tests and demonstrations: it does exactly the steps of
// signing by QR, with a key of ours.
//
// [Phone.Look] walks API 1 and API 2 and gives a [Paper]: what the phone shows its person before it signs.
// [Phone.Sign] signs every document of it and puts the package back.
//
// Unlike the real app it knows no list of registered portals, and so it works with any address its person
// gives; it refuses addresses of documents on another host than the code's, and answers over their bound. What
// a portal refuses is a [*Refused] with the portal's own words.
package phone

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"senim/cms"
	"senim/dsig"
	"senim/internal/lang"
	"senim/internal/mgov"
	"senim/pki"
)

// Phone is a phone with a key in it.
type Phone struct {
	// Key and Certificate sign. Required.
	Key         crypto.Signer
	Certificate *pki.Certificate
	// Lang is the person's language; Russian by default.
	Lang lang.Tag
	// Client speaks to the portal; required.
	Client *http.Client
	// Now is the time of signing; time.Now by default.
	Now func() time.Time
}

// Paper is what a code leads to.
type Paper struct {
	Invitation mgov.Invitation
	Package    mgov.Package
}

// Refused is what the portal said instead of what was asked for.
type Refused struct {
	Status  int
	Message string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("the portal refuses (%d): %s", r.Status, r.Message)
}

// Look asks what the code, link or address leads to: who asks (API 1), and the documents (API 2).
func (p *Phone) Look(ctx context.Context, text string) (Paper, error) {
	var got Paper
	api1, err := mgov.Address(text)
	if err != nil {
		return got, fmt.Errorf("look at a code: %w", err)
	}
	b, err := p.call(ctx, http.MethodGet, api1, "", nil)
	if err != nil {
		return got, fmt.Errorf("look at a code: %w", err)
	}
	if got.Invitation, err = mgov.ReadInvitation(b); err != nil {
		return got, fmt.Errorf("look at a code: %w", err)
	}
	w := got.Invitation.Document
	if !sameHost(api1, w.URI) {
		return got, fmt.Errorf("look at a code: %w: its documents are elsewhere, at %s", mgov.ErrMessage, w.URI)
	}
	method, body := http.MethodGet, []byte(nil)
	if w.Auth == mgov.Eds {
		method = http.MethodPost
		if body, err = p.entrance(w.URI); err != nil {
			return got, fmt.Errorf("ask for documents: %w", err)
		}
	}
	if b, err = p.call(ctx, method, w.URI, w.Token, body); err != nil {
		return got, fmt.Errorf("ask for documents: %w", err)
	}
	if got.Package, err = mgov.ReadPackage(b); err != nil {
		return got, fmt.Errorf("ask for documents: %w", err)
	}
	return got, nil
}

// Sign signs every document of the paper and puts the package back.
func (p *Phone) Sign(ctx context.Context, paper Paper) error {
	signed, err := p.Signed(paper.Package)
	if err != nil {
		return err
	}
	return p.Put(ctx, paper.Invitation.Document, signed)
}

// Signed is the package with everything in it signed.
func (p *Phone) Signed(g mgov.Package) (mgov.Package, error) {
	documents := make([]mgov.Document, len(g.Documents))
	for i, d := range g.Documents {
		content, err := p.sign(g.MethodOf(d), d.Content())
		if err != nil {
			return g, fmt.Errorf("sign document %d: %w", d.ID, err)
		}
		documents[i] = d.With(content)
	}
	g.Documents = documents
	return g, nil
}

func (p *Phone) sign(m mgov.Method, content []byte) ([]byte, error) {
	if m == mgov.XML {
		return dsig.SignEnveloped(rand.Reader, content, dsig.Options{Key: p.Key, Certificate: p.Certificate})
	}
	now := time.Now
	if p.Now != nil {
		now = p.Now
	}
	return cms.Sign(rand.Reader, cms.Options{Key: p.Key, Certificate: p.Certificate, Content: content, Detached: m == mgov.CMSSignOnly,
		SigningTime: now().Truncate(time.Second)})
}

// Put brings a package back.
func (p *Phone) Put(ctx context.Context, w mgov.Where, g mgov.Package) error {
	body, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("put the signed package: %w", err)
	}
	if _, err := p.call(ctx, http.MethodPut, w.URI, w.Token, body); err != nil {
		return fmt.Errorf("put the signed package: %w", err)
	}
	return nil
}

// entrance is XML with the address, signed.
func (p *Phone) entrance(uri string) ([]byte, error) {
	b, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"login"`
		URL     string   `xml:"url"`
	}{URL: uri})
	if err != nil {
		return nil, err
	}
	return p.sign(mgov.XML, b)
}

// maxAnswer bounds what a portal answers.
const maxAnswer = mgov.MaxPackage

func (p *Phone) call(ctx context.Context, method, to, token string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	l := p.Lang
	if l == "" {
		l = lang.RU
	}
	req.Header.Set("Accept-Language", string(l))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	switch method {
	case http.MethodPut:
		req.Header.Set("Content-Type", "application/json")
	case http.MethodPost:
		req.Header.Set("Content-Type", "application/xml")
	}
	resp, err := p.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		var t mgov.Trouble
		if json.Unmarshal(b, &t) != nil || t.Message == "" {
			t.Message = http.StatusText(resp.StatusCode)
		}
		return nil, &Refused{Status: resp.StatusCode, Message: t.Message}
	}
	return b, nil
}

func sameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Host == y.Host && x.Scheme == y.Scheme
}
