package qr

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"senim/dsig"
	"senim/internal/auth"
	"senim/internal/mgov"
	"senim/internal/trust"
	"senim/pki"
)

// verify holds what came back against what was handed out: the same documents, each with one signature
// over exactly our bytes, all by one certificate. It gives that certificate, not yet judged, and the
// answers as the signing agent would write them.
func (a Ask) verify(signed mgov.Package) (*pki.Certificate, []string, error) {
	if len(signed.Documents) != len(a.Items) {
		return nil, nil, &auth.Refusal{Code: CodeMessage, Err: fmt.Errorf("%d documents, %d were handed out", len(signed.Documents), len(a.Items))}
	}
	var by *pki.Certificate
	answers := make([]string, len(a.Items))
	for _, doc := range signed.Documents {
		i := doc.ID - 1
		if i < 0 || i >= len(a.Items) || answers[i] != "" || (a.Items[i].Method == mgov.XML) != (doc.Document == nil) {
			return nil, nil, &auth.Refusal{Code: CodeMessage, Err: fmt.Errorf("document %d was not handed out", doc.ID)}
		}
		cert, answer, err := a.Items[i].verify(doc.Content())
		if err == nil && by != nil && !bytes.Equal(by.Raw, cert.Raw) {
			err = errors.New("documents were signed by several certificates")
		}
		if err != nil {
			return nil, nil, &auth.Refusal{Code: auth.CodeSignature, Err: err}
		}
		by, answers[i] = cert, answer
	}
	return by, answers, nil
}

func (i Item) verify(got []byte) (*pki.Certificate, string, error) {
	if i.Method == mgov.XML {
		cert, err := enveloped(i.Content, got)
		return cert, string(got), err
	}
	cert, attached, err := auth.Signer(i.Content, got)
	if err == nil && attached != (i.Method == mgov.CMSWithData) {
		err = errors.New("the content stands where it should not, or does not where it should")
	}
	return cert, base64.StdEncoding.EncodeToString(got), err
}

// enveloped gives the certificate behind one signature over the whole of exactly our document.
func enveloped(ours, got []byte) (*pki.Certificate, error) {
	v, err := one(got)
	if err != nil {
		return nil, err
	}
	canonical, err := dsig.Canonicalize(ours, false)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, v.Signed) {
		return nil, errors.New("another document was signed")
	}
	return v.Certificate, nil
}

func one(got []byte) (*dsig.Verified, error) {
	doc, err := dsig.Parse(got)
	if err != nil {
		return nil, err
	}
	v, err := doc.VerifyOne()
	if err != nil {
		return nil, err
	}
	if v.Weak || v.ID != "" {
		return nil, errors.New("a weak signature, or one over a part")
	}
	return v, nil
}

// judge asks whether the certificate is good now for its use, and is of who was asked.
func (d *Desk) judge(ctx context.Context, a Ask, cert *pki.Certificate, use trust.Purpose) error {
	report := d.c.Judge.Certificate(ctx, cert, use)
	if first, bad := report.First(); bad || report.Verdict() != trust.Good {
		code := first.Code
		if code == "" {
			code = trust.CodeUnavailable
		}
		return &auth.Refusal{Code: code, Report: report, Evidence: first.Evidence, Certificate: cert}
	}
	h := cert.Holder()
	switch {
	case a.IIN != "" && h.IIN != a.IIN:
		return &auth.Refusal{Code: "CERT_OTHER_PERSON", Certificate: cert}
	case a.BIN != "" && h.BIN != a.BIN:
		return &auth.Refusal{Code: "CERT_NOT_OF_ENTERPRISE", Certificate: cert}
	}
	return nil
}

// entrance lets a phone in that signed XML with the address of the documents in it.
func (d *Desk) entrance(ctx context.Context, r Request, signed []byte) error {
	v, err := one(signed)
	if err == nil && !names(v.Element, d.documents(r)) {
		err = errors.New("the address is not in it")
	}
	if err != nil {
		return &auth.Refusal{Code: CodeToken, Err: err}
	}
	return d.judge(ctx, Ask{IIN: r.Ask.IIN}, v.Certificate, trust.SignIn) // that key need not be the company's
}

// names reports whether an element or one inside has exactly the text.
func names(e *dsig.Element, text string) bool {
	if e == nil {
		return false
	}
	if strings.TrimSpace(e.Text) == text {
		return true
	}
	return slices.ContainsFunc(e.Children, func(c *dsig.Element) bool { return names(c, text) })
}
