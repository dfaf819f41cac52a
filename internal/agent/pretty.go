package agent

import (
	"encoding/xml"
	"strings"
	"unicode/utf8"
)

// Part is a piece of a document's text; Signed marks what the signature covers when that is not all.
type Part struct {
	Text   string `json:"text"`
	Signed bool   `json:"signed,omitempty"`
}

// maxIndent bounds the white space before a line.
const maxIndent = 40

// pretty breaks lines between tags and indents them; it changes nothing but the white space there, and
// nothing inside text, comments and character data. id names the element that is signed, "" is the whole.
// What does not parse to its end is given as it is from there on; nothing is laid out after more than can be shown.
func pretty(text, id string) []Part {
	d := xml.NewDecoder(strings.NewReader(text))
	p := printer{id: id, text: text}
	for at := 0; p.begun <= maxShown; {
		token, err := d.RawToken()
		next := int(d.InputOffset())
		if err != nil || next > len(text) {
			p.add(text[at:], false)
			break
		}
		p.token(token, text[at:next], text[next:])
		at = next
	}
	parts := make([]Part, len(p.parts))
	for i, b := range p.parts {
		parts[i] = Part{b.text.String(), b.signed}
	}
	return parts
}

// printer lays tokens out; afterTag tells that the last one was a tag and not text.
type printer struct {
	id, text string
	parts    []*piece
	begun    int             // bytes since the signed part began, or of the whole
	meant    map[string]bool // what was found of prefixes
	depth    int
	signed   int  // depth of the signed element, 0 outside of it
	afterTag bool // the next tag begins a line
	opened   bool // the last tag opened an element: its end stays on the line
}

func (p *printer) add(s string, signed bool) {
	if s == "" {
		return
	}
	if n := len(p.parts); n == 0 || p.parts[n-1].signed != signed {
		p.parts = append(p.parts, &piece{signed: signed})
	}
	p.parts[len(p.parts)-1].text.WriteString(s)
	if signed || p.id == "" || p.begun > 0 {
		p.begun += len(s)
	}
}

// piece is a part that grows.
type piece struct {
	text   strings.Builder
	signed bool
}

func (p *printer) line() {
	p.add("\n"+strings.Repeat("  ", min(max(p.depth, 0), maxIndent)), p.signed > 0)
}

func (p *printer) token(token xml.Token, piece, rest string) {
	switch t := token.(type) {
	case xml.CharData:
		blank := strings.Trim(piece, " \t\r\n") == "" && !strings.HasPrefix(rest, "<![CDATA[")
		if blank && p.afterTag {
			return // ours takes its place
		}
		p.afterTag = false
		p.add(piece, p.signed > 0)
		return
	case xml.StartElement:
		if p.afterTag {
			p.line()
		}
		p.depth++
		if p.id != "" && p.signed == 0 && p.named(t) {
			p.signed = p.depth
		}
		p.add(piece, p.signed > 0)
		p.opened = true
	case xml.EndElement: // of a self-closed element the piece is empty
		p.depth--
		if p.afterTag && piece != "" && !p.opened {
			p.line()
		}
		p.add(piece, p.signed > 0)
		if p.signed > p.depth {
			p.signed = 0
		}
		p.opened = false
	default:
		if p.afterTag {
			p.line()
		}
		p.add(piece, p.signed > 0)
		p.opened = false
	}
	p.afterTag = true
}

// spaceWSU is the namespace whose Id names elements, too (WSS 1.1 section 4.3).
const spaceWSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

// named reports whether an element has the id by which signatures refer to it. What only looks so must not be
// shown as what is signed.
func (p *printer) named(e xml.StartElement) bool {
	for _, a := range e.Attr {
		if a.Value != p.id {
			continue
		}
		switch prefix := a.Name.Space; {
		case prefix == "" && (a.Name.Local == "Id" || a.Name.Local == "ID" || a.Name.Local == "id"):
			return true
		case prefix != "" && a.Name.Local == "Id":
			if p.means(prefix) {
				return true
			}
		}
	}
	return false
}

// means tells whether a prefix is that namespace's wherever it is declared: raw tokens have prefixes only.
func (p *printer) means(prefix string) bool {
	if yes, ok := p.meant[prefix]; ok {
		return yes
	}
	all := strings.Count(p.text, "xmlns:"+prefix)
	yes := all > 0 && all == strings.Count(p.text, "xmlns:"+prefix+`="`+spaceWSU+`"`)+strings.Count(p.text, "xmlns:"+prefix+`='`+spaceWSU+`'`)
	if p.meant == nil {
		p.meant = map[string]bool{}
	}
	p.meant[prefix] = yes
	return yes
}

// around is how much of what is not signed stays before a signed part that lies far inside.
const around = 1 << 10

// cutParts keeps the beginning of a long document, or, when a part of it is signed, of that part.
func cutParts(parts []Part) (out []Part, cut bool) {
	whole := 0
	for _, p := range parts {
		whole += len(p.Text)
	}
	left := maxShown
	for i, p := range parts {
		if whole > maxShown && !p.Signed && i+1 < len(parts) && parts[i+1].Signed && len(p.Text) > around {
			at := len(p.Text) - around
			for !utf8.RuneStart(p.Text[at]) {
				at++
			}
			p.Text, cut = "…\n"+p.Text[at:], true
		}
		if len(p.Text) > left {
			at := left
			for !utf8.RuneStart(p.Text[at]) {
				at--
			}
			p.Text = p.Text[:at]
			return append(out, p), true
		}
		left -= len(p.Text)
		out = append(out, p)
	}
	return out, cut
}

// wholeText joins parts when none of them is marked.
func wholeText(parts []Part) (text string, ok bool) {
	var b strings.Builder
	for _, p := range parts {
		if p.Signed {
			return "", false
		}
		b.WriteString(p.Text)
	}
	return b.String(), true
}
