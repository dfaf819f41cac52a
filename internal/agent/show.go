package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"senim/cms"
	"senim/dsig"
	"senim/internal/lang"
)

// Document is one thing to be signed, as the window shows it.
type Document struct {
	Kind    string   `json:"kind"`           // text, xml, pdf, binary or digest
	Name    string   `json:"name,omitempty"` // of a file: its path
	Text    string   `json:"text,omitempty"`
	Cut     bool     `json:"cut,omitempty"` // Text is only the beginning
	Size    int      `json:"size"`          // bytes
	Digest  string   `json:"digest"`        // SHA-256 in hex; of a digest, itself
	Signers []string `json:"signers,omitempty"`
	Note    string   `json:"note,omitempty"` // what the person should know
	// Purpose is set for a challenge: what signing it is for; Facts say in words what its text says.
	Purpose string `json:"purpose,omitempty"`
	Facts   []Pair `json:"facts,omitempty"`
	// Serial names the certificate that signs this one of many.
	Serial string `json:"serial,omitempty"`
}

// maxShown bounds the text of one document, maxDocuments the documents shown with their text.
const (
	maxShown     = 64 << 10
	maxDocuments = 50
)

// showContent describes bytes to be signed. cosigned is the message they are in, nil for a new one.
func showContent(content []byte, cosigned *cms.SignedData, tag lang.Tag) Document {
	sum := sha256.Sum256(content)
	d := Document{Kind: "binary", Size: len(content), Digest: hex.EncodeToString(sum[:]), Note: tag.Text("agent.document.binary")}
	switch {
	case bytes.HasPrefix(content, []byte("%PDF-")):
		d.Kind, d.Note = "pdf", tag.Text("agent.document.pdf")
	case legible(content):
		d.Kind, d.Note = "text", ""
		d.Text, d.Cut = cut(string(content))
		if strings.HasPrefix(strings.TrimSpace(d.Text), "<") {
			if _, err := dsig.Parse(content); err == nil {
				d.Kind, d.Text = "xml", pretty(d.Text)
			}
		}
		d.Purpose, d.Facts = readChallenge(content, tag)
	}
	if cosigned != nil {
		for _, c := range cosigned.Certificates() {
			d.Signers = append(d.Signers, c.Holder().CommonName)
		}
	}
	return d
}

// showXML describes a document that will carry the signature inside; part is what the signature
// covers when it is not the whole.
func showXML(xml string, doc *dsig.Document, part string, tag lang.Tag) Document {
	d := showContent([]byte(xml), nil, tag)
	if part != "" {
		d.Note = tag.Text("agent.document.part", "id", part)
	}
	for _, c := range doc.Signers() {
		d.Signers = append(d.Signers, c.Holder().CommonName)
	}
	return d
}

func showDigest(digest []byte, tag lang.Tag) Document {
	return Document{Kind: "digest", Size: len(digest), Digest: hex.EncodeToString(digest), Note: tag.Text("agent.document.digest")}
}

// legible tells whether bytes are text a person can be shown: no control characters, and none that
// turn the direction of writing and so could show something else than is signed.
func legible(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range string(b) {
		switch {
		case c == '\n' || c == '\r' || c == '\t' || c == 0xfeff:
		case unicode.IsControl(c), unicode.Is(unicode.Bidi_Control, c):
			return false
		}
	}
	return true
}

func cut(s string) (string, bool) {
	if len(s) <= maxShown {
		return s, false
	}
	at := maxShown
	for !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at], true
}

// pretty breaks lines between tags and indents them; it changes nothing but the white space there.
func pretty(xml string) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(xml); i++ {
		c := xml[i]
		b.WriteByte(c)
		if c == '<' && i+1 < len(xml) {
			switch xml[i+1] {
			case '/':
				depth--
			case '?', '!':
			default:
				depth++
			}
		}
		if c != '>' {
			continue
		}
		if i > 0 && xml[i-1] == '/' {
			depth--
		}
		if i+1 < len(xml) && xml[i+1] == '<' {
			indent := depth
			if i+2 < len(xml) && xml[i+2] == '/' {
				indent--
			}
			b.WriteByte('\n')
			b.WriteString(strings.Repeat("  ", min(max(indent, 0), 40)))
		}
	}
	return b.String()
}
