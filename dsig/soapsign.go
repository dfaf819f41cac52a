package dsig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"senim/pki"
)

func signBody(rand io.Reader, envelope []byte, o Options) ([]byte, error) {
	d, err := parse(envelope, Bounds{})
	if err != nil {
		return nil, err
	}
	out, err := d.signBody(rand, o)
	if err != nil {
		return nil, fmt.Errorf("signing a SOAP body: %w", err)
	}
	return out, nil
}

func (d *Document) signBody(rand io.Reader, o Options) ([]byte, error) {
	switch {
	case o.Wrapped:
		return nil, errors.New("the state bus takes no line breaks")
	case !o.SigningTime.IsZero():
		return nil, errors.New("a signature of the state bus has no properties, so no signing time")
	case len(d.allSignatures()) > 0:
		return nil, profile("message is signed already")
	}
	ready, err := d.readyBody(rand)
	if err != nil {
		return nil, err
	}
	_, security, body, err := ready.soapParts()
	if err != nil {
		return nil, err
	}
	id, _ := wsuID(body)
	return ready.sign(rand, o, plan{
		infoMethod: uriExclusive, uri: "#" + id, transforms: []string{uriExclusive}, target: body, parent: security,
		keyInfo: func(l layout, c *pki.Certificate) string { return l.keyIdentifier(security.prefix, c) },
	})
}

// readyBody gives the message with everything a signature needs: a header, a security element in it,
// and an id on the body. What is there already stays as it is.
func (d *Document) readyBody(rand io.Reader) (*Document, error) {
	header, security, body, err := d.soapParts()
	if err != nil {
		return nil, err
	}
	var edits []edit
	switch {
	case header == nil:
		name := qualified(d.root.prefix, "Header")
		edits = append(edits, edit{d.root.openEnd, d.root.openEnd, "<" + name + ">" + securityElement(d.root) + "</" + name + ">"})
	case security == nil:
		edits = append(edits, lastChild(header, securityElement(header)))
	}
	if id, ok := wsuID(body); ok && id == "" {
		return nil, profile("id of the body is empty")
	} else if !ok {
		id, err := uuid(rand)
		if err != nil {
			return nil, err
		}
		at := body.openEnd - len(">")
		if body.selfClosed {
			at--
		}
		edits = append(edits, edit{at, at, wsuAttribute(body, "id-"+id)})
	}
	return parse(d.edited(edits...), d.grown())
}

// securityElement writes an empty wsse:Security for a header; the prefix of SOAP is that of n.
func securityElement(n *node) string {
	prefix, declaration := n.prefix, ""
	if prefix == "" { // the default namespace does not serve attributes
		prefix = "soap"
		declaration = ` xmlns:soap="` + n.space + `"`
	}
	return `<wsse:Security xmlns:wsse="` + spaceWSSE + `"` + declaration + " " + prefix + `:mustUnderstand="1"></wsse:Security>`
}

// wsuID gives the wsu:Id of an element.
func wsuID(n *node) (string, bool) {
	for _, a := range n.attrs {
		if a.space == spaceWSU && a.local == "Id" {
			return a.value, true
		}
	}
	return "", false
}

// wsuAttribute writes a wsu:Id under a prefix that means it at n, or a new one that means nothing there.
func wsuAttribute(n *node, id string) string {
	scope := inScope(n)
	for _, b := range scope {
		if b.uri == spaceWSU && b.prefix != "" {
			return " " + b.prefix + `:Id="` + id + `"`
		}
	}
	prefix := "wsu"
	for i := 1; slices.ContainsFunc(scope, func(b binding) bool { return b.prefix == prefix }); i++ {
		prefix = "wsu" + strconv.Itoa(i)
	}
	return " xmlns:" + prefix + `="` + spaceWSU + `" ` + prefix + `:Id="` + id + `"`
}

// keyIdentifier writes the content of KeyInfo for the state bus; prefix is that of the security
// element around it.
func (l layout) keyIdentifier(prefix string, c *pki.Certificate) string {
	declaration := ""
	if prefix == "" {
		prefix, declaration = "wsse", ` xmlns:wsse="`+spaceWSSE+`"`
	}
	return l.tags("<"+prefix+":SecurityTokenReference"+declaration+">",
		"<"+prefix+`:KeyIdentifier EncodingType="`+base64Binary+`" ValueType="`+typeX509v3+`">`+
			base64.StdEncoding.EncodeToString(c.Raw)+"</"+prefix+":KeyIdentifier>",
		"</"+prefix+":SecurityTokenReference>")
}
