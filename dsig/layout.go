package dsig

import (
	"encoding/base64"
	"strings"
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

// signedInfo writes SignedInfo; its prefix is declared on Signature.
func (l layout) signedInfo(ref plan, uri, digestURI string, digest []byte) string {
	var b strings.Builder
	add := func(tag string) { b.WriteString(tag + l.line()) }
	add("<ds:SignedInfo>")
	add(`<ds:CanonicalizationMethod Algorithm="` + ref.infoMethod + `"/>`)
	add(`<ds:SignatureMethod Algorithm="` + uri + `"/>`)
	add(`<ds:Reference URI="` + attributeEscapes.Replace(ref.uri) + `">`)
	add("<ds:Transforms>")
	for _, t := range ref.transforms {
		add(`<ds:Transform Algorithm="` + t + `"/>`)
	}
	add("</ds:Transforms>")
	add(`<ds:DigestMethod Algorithm="` + digestURI + `"/>`)
	add("<ds:DigestValue>" + l.text(digest) + "</ds:DigestValue>")
	add("</ds:Reference>")
	add("</ds:SignedInfo>")
	return b.String()
}

// signature writes the whole element.
func (l layout) signature(info string, value, cert []byte) []byte {
	var b strings.Builder
	add := func(tag string) { b.WriteString(tag + l.line()) }
	add(`<ds:Signature xmlns:ds="` + spaceDS + `">`)
	b.WriteString(info)
	add("<ds:SignatureValue>")
	add(l.text(value))
	add("</ds:SignatureValue>")
	add("<ds:KeyInfo>")
	add("<ds:X509Data>")
	add("<ds:X509Certificate>")
	add(l.text(cert))
	add("</ds:X509Certificate>")
	add("</ds:X509Data>")
	add("</ds:KeyInfo>")
	b.WriteString("</ds:Signature>")
	return []byte(b.String())
}
