package dsig

import (
	"bytes"
	"slices"
	"strings"
)

// method is a canonicalization: inclusive Canonical XML 1.0 (RFC 3076) or exclusive (RFC 3741).
type method struct {
	exclusive bool
	comments  bool
	prefixes  string // exclusive only: prefixes handled as in the inclusive form, space-separated
}

// canonicalize gives the canonical form of an element and all in it but the elements in skip.
// Inclusive form of an element inside a document takes over the namespaces and xml: attributes of
// what stands around it (RFC 3076 §2.4).
func (m method) canonicalize(apex *node, skip ...*node) []byte {
	w := writer{method: m, skip: skip, rendered: map[string]string{}}
	w.element(apex, true)
	return w.out.Bytes()
}

// writer writes one canonical form.
type writer struct {
	method
	out      bytes.Buffer
	skip     []*node
	rendered map[string]string // namespaces in force in the output
}

func (w *writer) node(n *node) {
	switch n.kind {
	case element:
		if !slices.Contains(w.skip, n) {
			w.element(n, false)
		}
	case text:
		_, _ = textEscapes.WriteString(&w.out, n.text) // a buffer does not fail
	case comment:
		if w.comments {
			w.out.WriteString("<!--" + n.text + "-->")
		}
	case instruction:
		w.out.WriteString("<?" + n.target)
		if n.text != "" {
			w.out.WriteString(" " + n.text)
		}
		w.out.WriteString("?>")
	}
}

var (
	textEscapes      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	attributeEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")
)

func (w *writer) element(n *node, apex bool) {
	w.out.WriteString("<" + n.name())
	var undo []binding // what the prefixes meant outside; uri "" also means nothing
	for _, b := range w.namespaces(n, apex) {
		undo = append(undo, binding{b.prefix, w.rendered[b.prefix]})
		w.rendered[b.prefix] = b.uri
		name := "xmlns"
		if b.prefix != "" {
			name += ":" + b.prefix
		}
		w.attribute(name, b.uri)
	}
	for _, a := range w.attributes(n, apex) {
		w.attribute(qualified(a.prefix, a.local), a.value)
	}
	w.out.WriteByte('>')
	for _, c := range n.children {
		w.node(c)
	}
	w.out.WriteString("</" + n.name() + ">")
	for _, b := range undo {
		w.rendered[b.prefix] = b.uri
	}
}

func (w *writer) attribute(name, value string) {
	w.out.WriteString(" " + name + `="`)
	_, _ = attributeEscapes.WriteString(&w.out, value) // a buffer does not fail
	w.out.WriteByte('"')
}

// namespaces gives the declarations to write, sorted by prefix.
func (w *writer) namespaces(n *node, apex bool) []binding {
	wanted := n.bindings
	switch {
	case w.exclusive:
		wanted = w.listed(n, apex, used(n))
	case apex:
		wanted = inScope(n)
	}
	var out []binding
	for _, b := range wanted {
		// The prefix xml is never written; xmlns="" only against another default in force.
		if b.prefix != "xml" && w.rendered[b.prefix] != b.uri {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b binding) int { return strings.Compare(a.prefix, b.prefix) })
	return out
}

// used gives the namespaces an element visibly uses, RFC 3741 §3.
func used(n *node) []binding {
	out := []binding{{n.prefix, n.space}}
	for _, a := range n.attrs {
		b := binding{a.prefix, a.space}
		if a.prefix != "" && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// listed adds the namespaces of the prefix list that are declared here (in force, at the apex).
func (w *writer) listed(n *node, apex bool, out []binding) []binding {
	if w.prefixes == "" {
		return out
	}
	from := n.bindings
	if apex {
		from = inScope(n)
	}
	list := strings.Fields(w.prefixes)
	for _, b := range from {
		name := b.prefix
		if name == "" {
			name = "#default"
		}
		if slices.Contains(list, name) && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// inScope gives every namespace in force at an element.
func inScope(n *node) []binding {
	seen := map[string]bool{}
	var out []binding
	for ; n != nil; n = n.parent {
		for _, b := range n.bindings {
			if !seen[b.prefix] {
				seen[b.prefix] = true
				out = append(out, b)
			}
		}
	}
	return out
}

// attributes gives the attributes to write, sorted by namespace and local name.
func (w *writer) attributes(n *node, apex bool) []attribute {
	out := slices.Clone(n.attrs)
	if apex && !w.exclusive {
		for a := n.parent; a != nil; a = a.parent {
			out = append(out, inherited(a, out)...)
		}
	}
	slices.SortFunc(out, func(a, b attribute) int {
		if c := strings.Compare(a.space, b.space); c != 0 {
			return c
		}
		return strings.Compare(a.local, b.local)
	})
	return out
}

// inherited gives the xml: attributes of a that are not in have yet.
func inherited(a *node, have []attribute) []attribute {
	var out []attribute
	for _, x := range a.attrs {
		same := func(h attribute) bool { return h.space == x.space && h.local == x.local }
		if x.space == spaceXML && !slices.ContainsFunc(have, same) {
			out = append(out, x)
		}
	}
	return out
}

// canonicalizeWhole is Canonicalize: the document node, with instructions around the root on
// lines of their own.
func canonicalizeWhole(xml []byte, exclusive bool) ([]byte, error) {
	d, err := parse(xml, Bounds{})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	after := false
	for _, n := range d.outer {
		switch n.kind {
		case element:
			out.Write(method{exclusive: exclusive}.canonicalize(n))
			after = true
		case instruction:
			w := writer{}
			w.node(n)
			if after {
				out.WriteByte('\n')
			}
			out.Write(w.out.Bytes())
			if !after {
				out.WriteByte('\n')
			}
		case text, comment:
		}
	}
	return out.Bytes(), nil
}
