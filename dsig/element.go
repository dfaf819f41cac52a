package dsig

import "slices"

// Element is a read-only view of an element: namespaces resolved, comments and processing
// instructions gone, character data of the element itself joined.
type Element struct {
	Space    string     // namespace URI, "" when none
	Local    string     // name without a prefix
	Attrs    []Attr     // without namespace declarations
	Children []*Element // elements only, in the order of the document
	Text     string     // the element's own character data, joined
}

// Attr is an attribute of an Element.
type Attr struct {
	Space string // namespace URI, "" when none
	Local string // name without a prefix
	Value string // normalised (XML 1.0, 3.3.3)
}

// Attr gives the value of the attribute without a namespace, "" when it is absent.
func (e *Element) Attr(local string) string {
	for _, a := range e.Attrs {
		if a.Space == "" && a.Local == local {
			return a.Value
		}
	}
	return ""
}

// ID gives the id of the element (Id, ID, id or wsu:Id), "" when it has none.
func (e *Element) ID() string {
	for _, a := range e.Attrs {
		if isID(a.Space, a.Local) {
			return a.Value
		}
	}
	return ""
}

// All gives the children of that local name, in any namespace.
func (e *Element) All(local string) []*Element {
	var out []*Element
	for _, c := range e.Children {
		if c.Local == local {
			out = append(out, c)
		}
	}
	return out
}

// Child gives the only child of that local name; nil when there is none or more than one, so that
// a doubled element is never read by chance.
func (e *Element) Child(local string) *Element {
	if found := e.All(local); len(found) == 1 {
		return found[0]
	}
	return nil
}

// At follows local names downwards with Child; nil when a step is missing or doubled.
func (e *Element) At(locals ...string) *Element {
	for _, l := range locals {
		if e == nil {
			return nil
		}
		e = e.Child(l)
	}
	return e
}

// view makes the Element of a node, without the elements in skip.
func view(n *node, skip ...*node) *Element {
	e := &Element{Space: n.space, Local: n.local}
	for _, a := range n.attrs {
		e.Attrs = append(e.Attrs, Attr{Space: a.space, Local: a.local, Value: a.value})
	}
	var joined []byte
	for _, c := range n.children {
		switch c.kind {
		case text:
			joined = append(joined, c.text...)
		case element:
			if !slices.Contains(skip, c) {
				e.Children = append(e.Children, view(c, skip...))
			}
		case comment, instruction:
		}
	}
	e.Text = string(joined)
	return e
}

func (d *Document) rootWithoutSignatures() *Element { return view(d.root, d.rootSignatures()...) }
