package dsig

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
)

// Bounds of security.md §3.
const (
	MaxSize       = 32 << 20 // bytes of a document
	MaxDepth      = 100
	MaxNodes      = 100_000
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
	bound Bounds
	pos   int
	nodes int
	scope map[string][]string // prefix: URIs declared, innermost last
	ids   map[string]*node
}

func parse(src []byte, b Bounds) (*Document, error) {
	b = Bounds{Size: cmp.Or(b.Size, MaxSize), Depth: cmp.Or(b.Depth, MaxDepth), Nodes: cmp.Or(b.Nodes, MaxNodes)}
	if len(src) > b.Size {
		return nil, fmt.Errorf("parsing XML: larger than %d bytes", b.Size)
	}
	p := &parser{src: src, bound: b, scope: map[string][]string{"xml": {spaceXML}}, ids: map[string]*node{}}
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
	return &Document{src: src, bound: b, nodes: p.nodes, root: root, outer: outer, ids: p.ids}, nil
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
