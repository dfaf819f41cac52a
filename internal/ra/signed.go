package ra

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"senim/dsig"
	"senim/internal/trust"
	"senim/pki"
)

// oneSignature verifies the one signature over the whole of a document.
func oneSignature(signed []byte) (*dsig.Verified, error) {
	invalid := func(err error) error { return &Refusal{Code: "SIGNATURE_INVALID", Err: err} }
	if len(signed) > maxDocument {
		return nil, invalid(errors.New("document is too large"))
	}
	v, err := verified(signed)
	if err != nil {
		return nil, invalid(err)
	}
	if v.ID != "" || v.Weak {
		return nil, invalid(errors.New("a part was signed, or with a weak digest"))
	}
	return v, nil
}

// signatureOn checks that signed is exactly a document of ours under one signature, and gives the
// signer's certificate, which nobody has judged yet.
func signatureOn(document string, signed []byte) (*pki.Certificate, error) {
	v, err := oneSignature(signed)
	if err != nil {
		return nil, err
	}
	want, err := dsig.Canonicalize([]byte(document), false)
	if err != nil {
		return nil, fmt.Errorf("read our own document: %w", err)
	}
	if !bytes.Equal(v.Signed, want) {
		return nil, &Refusal{Code: "SIGNATURE_INVALID", Err: errors.New("another document was signed")}
	}
	return v.Certificate, nil
}

// Fresh is the challenge under which a document was signed: opened for that document in the signer's own session minutes
// before, and taken by the caller, so that it serves once. auth.Challenge is the real one.
type Fresh interface {
	// In is the document as it is signed: with the challenge in it.
	In(document string) string
	// About reports that the challenge was opened for this document.
	About(document string) bool
}

// goodSignature is signatureOn under a challenge of its own, by a certificate that may sign now.
func (o *Office) goodSignature(ctx context.Context, under Fresh, document string, signed []byte) (*pki.Certificate, error) {
	if under == nil || !under.About(document) {
		return nil, refuse("CHALLENGE_STALE")
	}
	cert, err := signatureOn(under.In(document), signed)
	if err != nil {
		return nil, err
	}
	if report := o.c.Judge.Certificate(ctx, cert, trust.Signing); report.Verdict() != trust.Good {
		return nil, fromReport(report, cert)
	}
	return cert, nil
}

// element writes one XML element with text.
func element(b *strings.Builder, name, value string) {
	b.WriteString("<" + name + ">" + escape(value) + "</" + name + ">")
}
