package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"senim/dsig"
	"senim/internal/lang"
	"senim/pki"
)

// Document is one thing to be signed, as the window shows it.
type Document struct {
	Kind    string   `json:"kind"`           // text, xml, pdf, binary or digest
	Name    string   `json:"name,omitempty"` // of a file: its path
	Text    string   `json:"text,omitempty"`
	Parts   []Part   `json:"parts,omitempty"` // instead of Text when only a part is signed
	Part    string   `json:"part,omitempty"`  // the Id of the part that is signed, when not the whole is
	Cut     bool     `json:"cut,omitempty"`   // Text is only the beginning
	Size    int      `json:"size"`            // bytes
	Digest  string   `json:"digest"`          // SHA-256 in hex; of a digest, itself
	Signers []string `json:"signers,omitempty"`
	Note    string   `json:"note,omitempty"` // what the person should know
	// Purpose is set for a challenge: what signing it is for; Facts say in words what its text says.
	Purpose string `json:"purpose,omitempty"`
	Facts   []Pair `json:"facts,omitempty"`
	// Serial names the certificate that signs this one of many.
	Serial string `json:"serial,omitempty"`
}

// maxShown bounds the text of one document, maxDocuments the documents shown with their text, maxListed those that one consent can cover.
const (
	maxShown     = 64 << 10
	maxDocuments = 50
	maxListed    = 5000
)

// showContent describes bytes to be signed; before says who signed them already.
func showContent(content []byte, before []string, tag lang.Tag) Document {
	return show(content, before, isXML, "", tag)
}

// show describes bytes of which xml tells whether they are a document that has parts; part is the one that is signed, when that
// is not the whole.
func show(content []byte, before []string, xml func([]byte) bool, part string, tag lang.Tag) Document {
	sum := sha256.Sum256(content)
	d := Document{Kind: "binary", Size: len(content), Digest: hex.EncodeToString(sum[:]), Note: tag.Text("agent.document.binary"), Signers: before}
	switch {
	case bytes.HasPrefix(content, []byte("%PDF-")):
		d.Kind, d.Note = "pdf", tag.Text("agent.document.pdf")
	case legible(content):
		d.Kind, d.Note = "text", ""
		d.Text, d.Cut = cut(string(content))
		if strings.HasPrefix(strings.TrimSpace(d.Text), "<") && xml(content) {
			d.Kind = "xml"
			d.lay(string(content), part)
		}
		d.Purpose, d.Facts = readChallenge(content, tag)
	}
	if isRequest(content) {
		d.Note = tag.Text("agent.document.request")
	}
	return d
}

// isRequest tells whether content is a certificate request: who has it signed can have a certificate issued.
func isRequest(content []byte) bool {
	if len(content) > maxRequest {
		return false
	}
	blocks, err := pki.Decode(content)
	if err != nil || len(blocks) != 1 {
		return false
	}
	_, err = pki.ParseRequest(blocks[0].DER)
	return err == nil
}

// maxRequest bounds what is tried as a certificate request.
const maxRequest = 64 << 10

// isXML tells whether a text that looks like XML is; of one that is larger than most it is told by what it looks like,
// which decides over white space only.
func isXML(content []byte) bool {
	if bytes.Count(content, []byte("<")) >= dsig.MaxNodes/2 {
		return true
	}
	_, err := dsig.Parse(content)
	return err == nil
}

// showXML describes a document that will carry the signature inside; part is what the signature
// covers when it is not the whole.
func (a *Agent) showXML(xml string, doc *dsig.Document, part string, tag lang.Tag) Document {
	d := show([]byte(xml), a.signedXML(doc, tag), func([]byte) bool { return true }, part, tag) // it was parsed just now
	if part != "" {
		d.Note, d.Part = tag.Text("agent.document.part"), shortened(part)
		if d.Kind != "xml" {
			d.lay(xml, part)
		}
	}
	return d
}

// lay writes XML out; id names the element that is signed, "" is the whole.
func (d *Document) lay(xml, id string) {
	parts, cut := cutParts(pretty(xml, id))
	d.Text, d.Parts, d.Cut = "", parts, cut
	if text, ok := wholeText(parts); ok {
		d.Text, d.Parts = text, nil
	}
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
