package dsig

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of security.md §3.
const (
	MaxSize       = 32 << 20 // bytes of a document
	maxDepth      = 100
	maxNodes      = 100_000
	maxAttributes = 256 // with namespace declarations, per element
	maxName       = 1 << 10
)

// Namespaces with a meaning here.
const (
	spaceXML      = "http://www.w3.org/XML/1998/namespace"
	spaceXMLNS    = "http://www.w3.org/2000/xmlns/"
	spaceXInclude = "http://www.w3.org/2001/XInclude"
	spaceWSU      = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
)

// isID tells the attributes that name an element, security.md §2 rule 3.
func isID(space, local string) bool {
	return space == "" && (local == "Id" || local == "ID" || local == "id") || space == spaceWSU && local == "Id"
}

// parser reads one document. Its first error stops it.
type parser struct {
	src   []byte
	pos   int
	nodes int
	scope map[string][]string // prefix: URIs declared, innermost last
	ids   map[string]*node
}

func parse(src []byte) (*Document, error) {
	if len(src) > MaxSize {
		return nil, fmt.Errorf("parsing XML: larger than %d bytes", MaxSize)
	}
	p := &parser{src: src, scope: map[string][]string{"xml": {spaceXML}}, ids: map[string]*node{}}
	if i := badChar(src); i >= 0 {
		p.pos = i
		return nil, p.fail("character that XML does not allow, or not UTF-8")
	}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		p.pos = 3
	}
	root, outer, err := p.document()
	if err != nil {
		return nil, err
	}
	return &Document{src: src, root: root, outer: outer, ids: p.ids}, nil
}

// fail makes the error at the current place.
func (p *parser) fail(format string, args ...any) error {
	before := p.src[:p.pos]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return &SyntaxError{Line: line, Column: column, Reason: fmt.Sprintf(format, args...)}
}

// at tells whether s comes next.
func (p *parser) at(s string) bool {
	return len(p.src)-p.pos >= len(s) && string(p.src[p.pos:p.pos+len(s)]) == s
}

// take moves over s when it comes next.
func (p *parser) take(s string) bool {
	if !p.at(s) {
		return false
	}
	p.pos += len(s)
	return true
}

// space moves over white space and tells whether there was any.
func (p *parser) space() bool {
	from := p.pos
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
	return p.pos > from
}

// until moves after the next end and gives what stands before it.
func (p *parser) until(end, what string) ([]byte, error) {
	i := bytes.Index(p.src[p.pos:], []byte(end))
	if i < 0 {
		p.pos = len(p.src)
		return nil, p.fail("%s is not closed", what)
	}
	out := p.src[p.pos : p.pos+i]
	p.pos += i + len(end)
	return out, nil
}

// count books one more node.
func (p *parser) count() error {
	if p.nodes++; p.nodes > maxNodes {
		return p.fail("more than %d nodes", maxNodes)
	}
	return nil
}

// document reads prolog, root and what follows it; outer are the comments and instructions around the root.
func (p *parser) document() (root *node, outer []*node, err error) {
	if err := p.declaration(); err != nil {
		return nil, nil, err
	}
	for {
		p.space()
		var n *node
		switch {
		case p.pos == len(p.src):
			if root == nil {
				return nil, nil, p.fail("no root element")
			}
			return root, outer, nil
		case p.at("<!--"):
			n, err = p.comment()
		case p.at("<?"):
			n, err = p.instruction()
		case p.at("<!"):
			err = p.fail("document type declarations are refused")
		case p.at("<") && root != nil:
			err = p.fail("second root element")
		case p.at("<"):
			n, err = p.element(nil, 1)
			root = n
		default:
			err = p.fail("text outside the root element")
		}
		if err != nil {
			return nil, nil, err
		}
		outer = append(outer, n)
	}
}

// declaration reads XMLDecl when there is one: version 1.0 and UTF-8 only.
func (p *parser) declaration() error {
	if !p.at("<?xml") || len(p.src) == p.pos+5 || !isSpace(p.src[p.pos+5]) {
		return nil
	}
	start := p.pos
	p.pos += len("<?xml")
	body, err := p.until("?>", "XML declaration")
	if err != nil {
		return err
	}
	end := p.pos
	p.pos = start
	fields, ok := pseudoAttributes(string(body))
	if !ok || len(fields) == 0 || fields[0] != [2]string{"version", "1.0"} {
		return p.fail("XML declaration is not of version 1.0")
	}
	order := 0
	for _, f := range fields[1:] {
		switch {
		case f[0] == "encoding" && order < 1:
			order = 1
			if !strings.EqualFold(f[1], "UTF-8") {
				return p.fail("encoding is not UTF-8")
			}
		case f[0] == "standalone" && order < 2 && (f[1] == "yes" || f[1] == "no"):
			order = 2
		default:
			return p.fail("XML declaration cannot be read")
		}
	}
	p.pos = end
	return nil
}

// pseudoAttributes splits ` a="b" c='d' `.
func pseudoAttributes(s string) ([][2]string, bool) {
	var out [][2]string
	const space = " \t\r\n"
	for {
		trimmed := strings.TrimLeft(s, space)
		if trimmed == "" {
			return out, true
		}
		if trimmed == s {
			return nil, false // no space before it
		}
		name, rest, ok := strings.Cut(trimmed, "=")
		rest = strings.TrimLeft(rest, space)
		if !ok || rest == "" || rest[0] != '"' && rest[0] != '\'' {
			return nil, false
		}
		value, after, ok := strings.Cut(rest[1:], rest[:1])
		if !ok {
			return nil, false
		}
		out = append(out, [2]string{strings.TrimRight(name, space), value})
		s = after
	}
}

// comment reads a comment, XML 1.0 §2.5.
func (p *parser) comment() (*node, error) {
	n := &node{kind: comment, start: p.pos}
	p.pos += len("<!--")
	body, err := p.until("--", "comment")
	if err != nil {
		return nil, err
	}
	if !p.take(">") {
		return nil, p.fail("two hyphens inside a comment")
	}
	n.text, n.end = lineEnds(string(body)), p.pos
	return n, p.count()
}

// instruction reads a processing instruction, XML 1.0 §2.6.
func (p *parser) instruction() (*node, error) {
	n := &node{kind: instruction, start: p.pos}
	p.pos += len("<?")
	target, err := p.ncName()
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(target, "xml") {
		return nil, p.fail("XML declaration not at the beginning")
	}
	if !p.at("?>") && !p.space() {
		return nil, p.fail("processing instruction cannot be read")
	}
	body, err := p.until("?>", "processing instruction")
	if err != nil {
		return nil, err
	}
	n.target, n.text, n.end = target, lineEnds(string(body)), p.pos
	return n, p.count()
}

// lineEnds makes every line end LF, XML 1.0 §2.11.
func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// ncName reads a name without a colon.
func (p *parser) ncName() (string, error) {
	from := p.pos
	for p.pos < len(p.src) {
		r, n := utf8.DecodeRune(p.src[p.pos:])
		if !(isNameStart(r) || p.pos > from && isNamePart(r)) {
			break
		}
		p.pos += n
		if p.pos-from > maxName {
			return "", p.fail("name is longer than %d bytes", maxName)
		}
	}
	if p.pos == from {
		return "", p.fail("a name was expected")
	}
	return string(p.src[from:p.pos]), nil
}

// qName reads a name with an optional prefix.
func (p *parser) qName() (prefix, local string, err error) {
	if local, err = p.ncName(); err != nil || !p.take(":") {
		return "", local, err
	}
	prefix = local
	local, err = p.ncName()
	return prefix, local, err
}

var errReference = errors.New("reference to an entity that is not one of the five, or not to a character")

// decode resolves references and line ends. In attributes white space written as such becomes
// spaces (XML 1.0 §3.3.3); written as a reference it stays.
func decode(raw string, inAttribute bool) (string, error) {
	if !strings.ContainsAny(raw, "&\r\t\n") {
		return raw, nil
	}
	raw = lineEnds(raw)
	var b strings.Builder
	for {
		i := strings.IndexByte(raw, '&')
		plain := raw
		if i >= 0 {
			plain = raw[:i]
		}
		if inAttribute {
			plain = strings.NewReplacer("\t", " ", "\n", " ").Replace(plain)
		}
		b.WriteString(plain)
		if i < 0 {
			return b.String(), nil
		}
		end := strings.IndexByte(raw[i:], ';')
		if end < 0 {
			return "", errReference
		}
		r, ok := reference(raw[i+1 : i+end])
		if !ok {
			return "", errReference
		}
		b.WriteRune(r)
		raw = raw[i+end+1:]
	}
}

// reference resolves what stands between & and ;.
func reference(s string) (rune, bool) {
	switch s {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, decimal := strings.CutPrefix(s, "#")
	base := rune(10)
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	if !decimal || digits == "" {
		return 0, false
	}
	var r rune
	for _, c := range strings.ToLower(digits) {
		d := strings.IndexRune("0123456789abcdef", c)
		if d < 0 || rune(d) >= base || r > 0x10ffff {
			return 0, false
		}
		r = r*base + rune(d)
	}
	return r, isChar(r)
}
