package dsig

// kind tells nodes apart.
type kind uint8

const (
	element kind = iota
	text         // character data, decoded
	comment
	instruction
)

// node is one node of the only tree there is: verification, canonical forms and views all come
// from it. Offsets are into the source.
type node struct {
	kind   kind
	parent *node
	start  int // of the first byte
	end    int // after the last byte

	// elements
	prefix, local, space string
	attrs                []attribute
	bindings             []binding // namespace declarations, in source order
	openEnd              int       // after the start tag
	closeStart           int       // of the end tag; equal to openEnd when selfClosed
	selfClosed           bool
	children             []*node

	// character data of text and comments; target and data of instructions
	text, target string
}

// attribute is an attribute that is not a namespace declaration; value is normalized.
type attribute struct{ prefix, local, space, value string }

// binding is a namespace declaration: prefix "" is the default, uri "" undeclares it.
type binding struct{ prefix, uri string }

// name is the qualified name as written.
func (n *node) name() string { return qualified(n.prefix, n.local) }

func qualified(prefix, local string) string {
	if prefix == "" {
		return local
	}
	return prefix + ":" + local
}

// is tells whether the node is the element of that name.
func (n *node) is(space, local string) bool {
	return n.kind == element && n.space == space && n.local == local
}

// elements are the element children.
func (n *node) elements() []*node {
	var out []*node
	for _, c := range n.children {
		if c.kind == element {
			out = append(out, c)
		}
	}
	return out
}

// walk calls f for the node and all below it, in document order, until f says stop.
func (n *node) walk(f func(*node) bool) bool {
	if !f(n) {
		return false
	}
	for _, c := range n.children {
		if !c.walk(f) {
			return false
		}
	}
	return true
}

// inside tells whether n is a or stands somewhere in it.
func (n *node) inside(a *node) bool {
	for ; n != nil; n = n.parent {
		if n == a {
			return true
		}
	}
	return false
}
