package dsig

import "strings"

// rawAttribute is an attribute before its prefix is resolved.
type rawAttribute struct{ prefix, local, value string }

// element reads an element with all inside it.
func (p *parser) element(parent *node, depth int) (*node, error) {
	if depth > p.bound.Depth {
		return nil, p.fail("elements nested deeper than %d", p.bound.Depth)
	}
	n := &node{kind: element, parent: parent, start: p.pos}
	p.pos++
	var err error
	if n.prefix, n.local, err = p.qName(); err != nil {
		return nil, err
	}
	raw, err := p.attributes(n)
	if err != nil {
		return nil, err
	}
	defer p.leave(n)
	if err := p.enter(n, raw); err != nil {
		return nil, err
	}
	n.openEnd, n.closeStart = p.pos, p.pos
	if !n.selfClosed {
		if err := p.content(n, depth); err != nil {
			return nil, err
		}
	}
	n.end = p.pos
	return n, p.count()
}

// attributes reads the rest of a start tag; namespace declarations go into n.
func (p *parser) attributes(n *node) ([]rawAttribute, error) {
	var out []rawAttribute
	for {
		spaced := p.space()
		switch {
		case p.take("/>"):
			n.selfClosed = true
			return out, nil
		case p.take(">"):
			return out, nil
		case p.pos == len(p.src):
			return nil, p.unclosed()
		case !spaced:
			return nil, p.fail("space expected before an attribute")
		case len(out)+len(n.bindings) >= maxAttributes:
			return nil, p.fail("more than %d attributes", maxAttributes)
		}
		a, err := p.attribute()
		if err != nil {
			return nil, err
		}
		switch {
		case a.prefix == "xmlns":
			err = p.declare(n, a.local, a.value)
		case a.prefix == "" && a.local == "xmlns":
			err = p.declare(n, "", a.value)
		default:
			out = append(out, a)
		}
		if err != nil {
			return nil, err
		}
	}
}

// attribute reads name="value".
func (p *parser) attribute() (a rawAttribute, err error) {
	if a.prefix, a.local, err = p.qName(); err != nil {
		return a, err
	}
	p.space()
	if !p.take("=") {
		return a, p.fail("= expected after the name of an attribute")
	}
	p.space()
	if !p.at(`"`) && !p.at("'") {
		return a, p.fail("value of an attribute is not in quotes")
	}
	quote := string(p.src[p.pos])
	p.pos++
	from := p.pos
	raw, err := p.until(quote, "value of an attribute")
	if err != nil {
		return a, err
	}
	value, err := decode(string(raw), true)
	if err != nil || strings.IndexByte(string(raw), '<') >= 0 {
		p.pos = from
		return a, p.fail("value of an attribute holds < or an unknown reference")
	}
	a.value = value
	return a, nil
}

// declare adds a namespace declaration, Namespaces in XML 1.0 §3.
func (p *parser) declare(n *node, prefix, uri string) error {
	switch {
	case prefix == "xmlns", uri == spaceXMLNS, (prefix == "xml") != (uri == spaceXML):
		return p.fail("declaration of a reserved prefix or namespace")
	case prefix != "" && uri == "":
		return p.fail("prefix declared without a namespace")
	}
	for _, b := range n.bindings {
		if b.prefix == prefix {
			return p.fail("namespace declared twice")
		}
	}
	n.bindings = append(n.bindings, binding{prefix, uri})
	return nil
}

// enter opens the scope of an element and resolves its names.
func (p *parser) enter(n *node, raw []rawAttribute) error {
	for _, b := range n.bindings {
		p.scope[b.prefix] = append(p.scope[b.prefix], b.uri)
	}
	var ok bool
	if n.space, ok = p.lookup(n.prefix); !ok {
		return p.fail("prefix %q is not declared", n.prefix)
	}
	if n.space == spaceXInclude {
		return p.fail("XInclude is refused")
	}
	seen := make(map[[2]string]bool, len(raw))
	for _, r := range raw {
		a := attribute{prefix: r.prefix, local: r.local, value: r.value}
		if a.prefix != "" {
			if a.space, ok = p.lookup(a.prefix); !ok {
				return p.fail("prefix %q is not declared", a.prefix)
			}
		}
		key := [2]string{a.space, a.local}
		if seen[key] {
			return p.fail("attribute %s stands twice", a.local)
		}
		seen[key] = true
		if a.space == spaceXML && a.local == "base" {
			return p.fail("xml:base is refused")
		}
		if isID(a.space, a.local) {
			if p.ids[a.value] != nil {
				return p.fail("the same id stands twice")
			}
			p.ids[a.value] = n
		}
		n.attrs = append(n.attrs, a)
	}
	return nil
}

// lookup resolves a prefix; the default namespace may be none.
func (p *parser) lookup(prefix string) (string, bool) {
	stack := p.scope[prefix]
	if len(stack) == 0 {
		return "", prefix == ""
	}
	return stack[len(stack)-1], true
}

// leave closes the scope of an element.
func (p *parser) leave(n *node) {
	for _, b := range n.bindings {
		if stack := p.scope[b.prefix]; len(stack) > 0 {
			p.scope[b.prefix] = stack[:len(stack)-1]
		}
	}
}

// content reads what stands between the tags, and the end tag.
func (p *parser) content(n *node, depth int) error {
	for {
		var c *node
		var err error
		switch {
		case p.pos == len(p.src):
			return p.unclosed()
		case p.at("</"):
			return p.endTag(n)
		case p.at("<!--"):
			c, err = p.comment()
		case p.at("<![CDATA["):
			c, err = p.cdata()
		case p.at("<?"):
			c, err = p.instruction()
		case p.at("<!"):
			err = p.fail("declarations are refused")
		case p.at("<"):
			c, err = p.element(n, depth+1)
		default:
			c, err = p.characters()
		}
		if err != nil {
			return err
		}
		c.parent = n
		n.children = append(n.children, c)
	}
}

// endTag reads the end tag, which must be of n.
func (p *parser) endTag(n *node) error {
	n.closeStart = p.pos
	p.pos += len("</")
	prefix, local, err := p.qName()
	if err != nil {
		return err
	}
	if prefix != n.prefix || local != n.local {
		return p.fail("element %s is closed as %s", n.name(), qualified(prefix, local))
	}
	p.space()
	if !p.take(">") {
		return p.fail("end tag is not closed")
	}
	return nil
}

// characters reads text up to the next markup.
func (p *parser) characters() (*node, error) {
	n := &node{kind: text, start: p.pos}
	for p.pos < len(p.src) && p.src[p.pos] != '<' {
		p.pos++
	}
	raw := string(p.src[n.start:p.pos])
	value, err := decode(raw, false)
	if err != nil || strings.Contains(raw, "]]>") {
		p.pos = n.start
		return nil, p.fail("text holds ]]> or an unknown reference")
	}
	n.text, n.end = value, p.pos
	return n, p.count()
}

// cdata reads a CDATA section: plain text afterwards.
func (p *parser) cdata() (*node, error) {
	n := &node{kind: text, start: p.pos}
	p.pos += len("<![CDATA[")
	raw, err := p.until("]]>", "CDATA section")
	if err != nil {
		return nil, err
	}
	n.text, n.end = lineEnds(string(raw)), p.pos
	return n, p.count()
}

// unclosed is the error of a document that ends inside an element.
func (p *parser) unclosed() error {
	err := p.fail("document ends inside an element")
	err.(*SyntaxError).Unclosed = true //nolint:errorlint,forcetypeassert // made one line above
	return err
}
