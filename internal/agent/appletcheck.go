package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"senim/algid"
	"senim/cms"
	"senim/dsig"
	"senim/internal/ncalayer"
	"senim/pki"
)

// What is verified here is the page's own: it learns nothing of the person, so no window asks.

// appletHash digests a text.
func appletHash(call *ncalayer.AppletCall) (any, error) {
	h, ok := map[string]algid.Hash{"SHA1": algid.SHA1, "SHA256": algid.SHA256, "GOST34311": algid.GOST34311}[strings.ToUpper(strings.ReplaceAll(call.Hash, "-", ""))]
	if !ok {
		return nil, errors.New("no such hash")
	}
	return base64.StdEncoding.EncodeToString(h.Sum([]byte(call.Text))), nil
}

// appletVerifyCMS verifies every signature of a message over this content.
func appletVerifyCMS(signature string, content []byte) (any, error) {
	der, err := ncalayer.DecodeBase64(signature)
	if err != nil {
		return nil, appletError(ncalayer.AppletSignature)
	}
	sd, err := cms.Parse(der)
	if err != nil {
		return nil, appletError(ncalayer.AppletSignature)
	}
	over := content
	if !sd.Detached() {
		if !bytes.Equal(sd.Content(), content) {
			return false, nil
		}
		over = nil
	}
	verdicts, err := sd.Verify(over)
	if err != nil {
		return false, nil //nolint:nilerr // a signature that cannot be verified is not good
	}
	for _, v := range verdicts {
		if v.Err != nil {
			return false, nil
		}
	}
	return len(verdicts) > 0, nil
}

// appletVerifyPlain verifies a bare signature with the certificate of an open file.
func appletVerifyPlain(cert *pki.Certificate, call *ncalayer.AppletCall) (any, error) {
	signature, err := ncalayer.DecodeBase64(call.Signature)
	if err != nil {
		return nil, appletError(ncalayer.AppletSignature)
	}
	algorithm, err := algid.SignatureFor(cert.PublicKey)
	if err != nil {
		return nil, err
	}
	return algorithm.Verify(cert.PublicKey, []byte(call.Text), signature) == nil, nil
}

// appletVerifyXML verifies all signatures of a document, or, with the name of the element around it,
// the only one there over the element with the id it names.
func (a *Agent) appletVerifyXML(ctx context.Context, call *ncalayer.AppletCall) (any, error) {
	leave, err := a.crowd.take(ctx, call.Text)
	if err != nil {
		return nil, err
	}
	defer leave()
	doc, err := dsig.ParseWithin([]byte(call.Text), xmlBounds)
	if err != nil {
		return nil, appletError(ncalayer.AppletXML)
	}
	if call.IDAttribute == "" && call.Parent == "" {
		_, err = doc.Verify()
	} else {
		err = verifyPart(doc, call)
	}
	if errors.Is(err, dsig.ErrUnsigned) {
		return nil, appletError(ncalayer.AppletSignature)
	}
	return err == nil, nil
}

func verifyPart(doc *dsig.Document, call *ncalayer.AppletCall) error {
	root, err := doc.Find("/*")
	if err != nil {
		return err
	}
	signatures := pathsTo(root[0], "", func(e *dsig.Element) bool { return e.Local == "Signature" })
	if len(signatures) == 0 {
		return dsig.ErrUnsigned
	}
	around := signatures[0][:strings.LastIndexByte(signatures[0], '/')]
	if call.Parent != "" && !strings.HasSuffix(around, "/"+call.Parent) {
		return errors.New("the signature stands elsewhere")
	}
	references, err := doc.Find("//Signature/SignedInfo/Reference")
	if err != nil || len(references) != 1 {
		return errors.New("not one reference")
	}
	id, _ := strings.CutPrefix(references[0].Attr("URI"), "#")
	targets := pathsTo(root[0], "", func(e *dsig.Element) bool { return id != "" && e.ID() == id && e.Attr(call.IDAttribute) == id })
	if len(targets) != 1 {
		return errors.New("no element with that id")
	}
	_, err = doc.VerifyElement(dsig.Place{Element: targets[0], Parent: around})
	return err
}

// pathsTo gives the paths of the elements that are meant.
func pathsTo(e *dsig.Element, above string, meant func(*dsig.Element) bool) []string {
	path := above + "/" + e.Local
	if meant(e) {
		return []string{path}
	}
	var out []string
	for _, c := range e.Children {
		out = append(out, pathsTo(c, path, meant)...)
	}
	return out
}
