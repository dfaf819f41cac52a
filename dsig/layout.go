package dsig

import (
	"encoding/base64"
	"strings"

	"senim/pki"
)

// layout writes a Signature, compact or as old portals know it (agent.md §3.1).
type layout struct{ wrapped bool }

// line ends a tag.
func (l layout) line() string {
	if l.wrapped {
		return "\n"
	}
	return ""
}

// tags writes tags, each on a line of its own when wrapped.
func (l layout) tags(list ...string) string {
	return strings.Join(list, l.line()) + l.line()
}

// text is base64, in lines of 76 columns when wrapped.
func (l layout) text(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	if !l.wrapped {
		return s
	}
	var lines []string
	for len(s) > 76 {
		lines, s = append(lines, s[:76]), s[76:]
	}
	return strings.Join(append(lines, s), "\n")
}

// pointer is a Reference as it is written.
type pointer struct {
	kind       string // its Type; "" for none
	uri        string
	transforms []string
	digest     []byte
}

// signedInfo writes SignedInfo; its prefix is declared on Signature.
func (l layout) signedInfo(infoMethod string, m algorithms, pointers []pointer) string {
	var b strings.Builder
	add := func(tag string) { b.WriteString(tag + l.line()) }
	add("<ds:SignedInfo>")
	add(`<ds:CanonicalizationMethod Algorithm="` + infoMethod + `"/>`)
	add(`<ds:SignatureMethod Algorithm="` + m.uri + `"/>`)
	for _, p := range pointers {
		kind := ""
		if p.kind != "" {
			kind = ` Type="` + p.kind + `"`
		}
		add("<ds:Reference" + kind + ` URI="` + attributeEscapes.Replace(p.uri) + `">`)
		add("<ds:Transforms>")
		for _, t := range p.transforms {
			add(`<ds:Transform Algorithm="` + t + `"/>`)
		}
		add("</ds:Transforms>")
		add(`<ds:DigestMethod Algorithm="` + m.digestURI + `"/>`)
		add("<ds:DigestValue>" + l.text(p.digest) + "</ds:DigestValue>")
		add("</ds:Reference>")
	}
	add("</ds:SignedInfo>")
	return b.String()
}

// x509Data writes the content of KeyInfo that documents carry.
func (l layout) x509Data(cert *pki.Certificate) string {
	return l.tags("<ds:X509Data>", "<ds:X509Certificate>", l.text(cert.Raw), "</ds:X509Certificate>", "</ds:X509Data>")
}

// markup is a Signature in its parts.
type markup struct {
	layout
	id      string // "" for none
	info    string
	value   []byte
	keyInfo string // inside KeyInfo
	object  string // "" for none
}

// bytes writes the whole element.
func (m markup) bytes() []byte {
	id := ""
	if m.id != "" {
		id = ` Id="` + m.id + `"`
	}
	return []byte(m.tags(`<ds:Signature xmlns:ds="`+spaceDS+`"`+id+`>`) + m.info +
		m.tags("<ds:SignatureValue>", m.text(m.value), "</ds:SignatureValue>", "<ds:KeyInfo>") + m.keyInfo +
		m.tags("</ds:KeyInfo>") + m.object + "</ds:Signature>")
}
