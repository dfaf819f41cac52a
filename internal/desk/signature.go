package desk

import (
	"bytes"
	"errors"
	"fmt"

	"senim/dsig"
	"senim/internal/auth"
	"senim/internal/ra"
	"senim/internal/registry"
	"senim/internal/trust"
	"senim/internal/web"
	"senim/pki"
)

// signed verifies a clerk's signature over a change and returns the signed document.
func (d *desk) signed(r *web.Request, c registry.Change, act string) ([]byte, error) {
	xml, _, err := d.signature(r, c.XML(act), "/desk/registry/"+c.ID, func(code string) error {
		return d.c.Book.Refused(r.Context(), c.ID, act, code, clerk(r))
	})
	return xml, err
}

// signedDesk verifies an operator's signature over a document of the office, and says who signed.
func (d *desk) signedDesk(r *web.Request, document, object, to string) ([]byte, ra.Operator, error) {
	by, err := operator(r)
	if err != nil {
		return nil, by, err
	}
	xml, cert, err := d.signature(r, []byte(document), to, func(code string) error {
		return d.c.Office.DeskRefused(r.Context(), by, object, code)
	})
	if err != nil {
		return nil, by, err
	}
	return xml, operatorOf(cert), nil
}

// purpose is what an operator's challenge is opened for: the document on the page he looks at.
const purpose = "desk"

// call asks the operator's agent for a signature over a document, under a challenge of its own.
func call(r *web.Request, document string) (web.AgentCall, error) {
	bound, err := r.Bind(purpose, document)
	return web.SignXML(r.Lang(), bound, web.Signer{IIN: r.Session().IIN, BIN: r.Session().BIN}), err
}

// signature verifies the agent's answer: it must be one signature over exactly our document under the challenge opened
// for it, which is taken whatever comes of it, by the
// person who is signed in, with an operator's certificate of the authority that is good for signing
// now. Refusals are written down by note.
func (d *desk) signature(r *web.Request, want []byte, back string, note func(code string) error) ([]byte, *pki.Certificate, error) {
	refuse := func(why error, code string) ([]byte, *pki.Certificate, error) {
		if err := note(code); err != nil {
			return nil, nil, fmt.Errorf("record a refusal: %w", err)
		}
		return nil, nil, why
	}
	xml, err := web.SignedXML(r.Field("answer"))
	if err != nil {
		return nil, nil, web.Refusal{Code: "AGENT_ANSWER", Retry: back}
	}
	under, err := r.TakeChallenge(purpose, back)
	if err == nil && !under.About(string(want)) {
		err = web.Refusal{Code: auth.CodeStale, Retry: back}
	}
	if err != nil {
		return refuse(err, auth.CodeStale)
	}
	cert, err := signer(xml, []byte(under.In(string(want))))
	if err != nil {
		return refuse(web.Refusal{Code: auth.CodeSignature, Retry: back}, auth.CodeSignature)
	}
	h := cert.Holder()
	switch {
	case h.IIN != r.Session().IIN:
		return refuse(&registry.Refusal{Code: "CERT_OTHER_PERSON"}, "CERT_OTHER_PERSON")
	case !d.operator(h):
		return refuse(&registry.Refusal{Code: "NOT_A_CLERK"}, "NOT_A_CLERK")
	}
	report := d.c.Judge.Certificate(r.Context(), cert, trust.Signing)
	if first, bad := report.First(); bad || report.Verdict() != trust.Good {
		code := first.Code
		if code == "" {
			code = trust.CodeUnavailable
		}
		return refuse(web.Refusal{Code: code, Report: report, Evidence: first.Evidence, Retry: back}, code)
	}
	return xml, cert, nil
}

var errOtherDocument = errors.New("what was signed is not the document asked for")

// signer reads who signed, and that the signed bytes are those of the document asked for.
func signer(signed, want []byte) (*pki.Certificate, error) {
	doc, err := dsig.Parse(signed)
	if err != nil {
		return nil, err
	}
	v, err := doc.VerifyOne()
	if err != nil {
		return nil, err
	}
	canonical, err := dsig.Canonicalize(want, false)
	if err != nil {
		return nil, err
	}
	if v.ID != "" || v.Weak || !bytes.Equal(v.Signed, canonical) {
		return nil, errOtherDocument
	}
	return v.Certificate, nil
}
