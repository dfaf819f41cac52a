package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"senim/dsig"
	"senim/internal/trust"
)

const xmldsig = "http://www.w3.org/2000/09/xmldsig#"

// checkXML verifies signatures over the whole document, or the one over an element or a SOAP body.
func (c *verify) checkXML(ctx context.Context, p *program, t *trusted, d *dsig.Document) ([]subject, error) {
	verified, err := verifyAny(d)
	if errors.Is(err, dsig.ErrUnsigned) {
		return nil, &hinted{fmt.Errorf("verify %s: %w", c.File, err), "senim inspect shows what is in it"}
	}
	var out []subject
	for _, v := range verified {
		covers := "the whole document"
		if v.ID != "" {
			covers = fmt.Sprintf("only the element %s with id %s", v.Element.Local, v.ID)
		}
		check := trust.Check{Name: "signature", Verdict: trust.Good, Evidence: map[string]string{"method": v.Method.String(), "covers": covers}}
		if v.Weak {
			check.Evidence["weak"] = "SHA-1"
		}
		s, err := c.signedXML(ctx, p, t, check, &v)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	if err == nil {
		return out, nil
	}
	// One bad signature refuses the document; who signed is only what it claims.
	claimed := d.Signers()
	if len(claimed) == 0 {
		return []subject{{Checks: append(trust.Report{bad(err)}, unmade()...)}}, nil
	}
	out = nil
	for _, cert := range claimed {
		s, cerr := t.signer(ctx, bad(err), cert)
		if cerr != nil {
			return nil, cerr
		}
		out = append(out, s)
	}
	return out, nil
}

// verifyAny chooses the profile by where the signatures stand.
func verifyAny(d *dsig.Document) ([]dsig.Verified, error) {
	signatures, err := d.Find("//Signature")
	if err != nil {
		return nil, err
	}
	if len(signatures) == 1 {
		if uri := reference(signatures[0]); uri != "" {
			return verifyPart(d, uri)
		}
	}
	return d.Verify()
}

func verifyPart(d *dsig.Document, uri string) ([]dsig.Verified, error) {
	roots, err := d.Find("/*")
	if err != nil || len(roots) != 1 {
		return nil, errors.Join(dsig.ErrProfile, err)
	}
	root := roots[0]
	var place dsig.Place
	walk(root, "/"+root.Local, func(e *dsig.Element, path string) {
		if e.ID() == strings.TrimPrefix(uri, "#") {
			place.Element = path
		}
		for _, child := range e.Children {
			if child.Space == xmldsig && child.Local == "Signature" {
				place.Parent = path
			}
		}
	})
	var v *dsig.Verified
	if place.Parent == "/Envelope/Header/Security" {
		v, err = d.VerifyBody()
	} else {
		v, err = d.VerifyElement(place)
	}
	if err != nil {
		return nil, err
	}
	return []dsig.Verified{*v}, nil
}

// reference is the address of what a signature covers, "" when that is the whole document. A
// reference with a type is to the signature's own properties.
func reference(signature *dsig.Element) string {
	info := signature.Child("SignedInfo")
	if info == nil {
		return ""
	}
	for _, r := range info.All("Reference") {
		if r.Attr("Type") == "" {
			return r.Attr("URI")
		}
	}
	return ""
}

func walk(e *dsig.Element, path string, visit func(*dsig.Element, string)) {
	visit(e, path)
	for _, child := range e.Children {
		walk(child, path+"/"+child.Local, visit)
	}
}
