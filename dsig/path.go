package dsig

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errPath = errors.New("path is of a kind that is not supported")

// atMostOne gives the child element of that local name, nil for none; two are refused.
func atMostOne(n *node, local string) (*node, error) {
	var found *node
	for _, c := range n.elements() {
		if c.local != local {
			continue
		}
		if found != nil {
			return nil, profile("element %s stands twice", local)
		}
		found = c
	}
	return found, nil
}

// onlyChild gives the child element of that local name; none or two are refused.
func onlyChild(n *node, local string) (*node, error) {
	found, err := atMostOne(n, local)
	if err == nil && found == nil {
		err = profile("no element %s in %s", local, n.local)
	}
	return found, err
}

// only follows a simple absolute path whose every step is the only one of its name.
func (d *Document) only(path string) (*node, error) {
	steps := strings.Split(path, "/")
	if len(steps) < 2 || steps[0] != "" || steps[1] != d.root.local {
		return nil, profile("root is not that of the path %q", path)
	}
	n := d.root
	for _, local := range steps[2:] {
		var err error
		if n, err = onlyChild(n, local); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// Find gives the elements at a path of the kind pages ask with: "/a/b", "//b", "*" for any name,
// "[@Id='x']" and "[2]" after a step. Names are local names; a prefix is dropped. It helps choose
// what to sign; nothing of the result is proved.
func (d *Document) Find(path string) ([]*Element, error) {
	found, err := d.find(path)
	if err != nil {
		return nil, err
	}
	var out []*Element
	for _, n := range found {
		out = append(out, view(n))
	}
	return out, nil
}

func (d *Document) find(path string) ([]*node, error) {
	if len(path) > maxName || !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("finding %.40q: %w", path, errPath)
	}
	top := &node{kind: element, children: []*node{d.root}}
	here := []*node{top}
	for rest := path; rest != ""; {
		s, after, ok := nextStep(rest)
		if !ok {
			return nil, fmt.Errorf("finding %.40q: %w", path, errPath)
		}
		here, rest = s.from(here), after
	}
	return here, nil
}

// step is one step of a path.
type step struct {
	deep     bool // "//": anywhere below
	name     string
	attr     string
	value    string
	position int // from 1; 0 for all
}

// nextStep reads one step off a path.
func nextStep(path string) (s step, rest string, ok bool) {
	rest, s.deep = strings.CutPrefix(path, "//")
	if !s.deep {
		if rest, ok = strings.CutPrefix(path, "/"); !ok {
			return s, "", false
		}
	}
	end := strings.IndexAny(rest, "/[")
	if end < 0 {
		end = len(rest)
	}
	s.name, rest = rest[:end], rest[end:]
	if i := strings.LastIndexByte(s.name, ':'); i >= 0 {
		s.name = s.name[i+1:]
	}
	if s.name == "" {
		return s, "", false
	}
	for strings.HasPrefix(rest, "[") {
		inner, after, closed := strings.Cut(rest[1:], "]")
		if !closed || !s.predicate(strings.TrimSpace(inner)) {
			return s, "", false
		}
		rest = after
	}
	return s, rest, true
}

// predicate reads what stands in brackets.
func (s *step) predicate(p string) bool {
	if attr, ok := strings.CutPrefix(p, "@"); ok && s.attr == "" {
		name, value, ok := strings.Cut(attr, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || len(value) < 2 || value[0] != '\'' && value[0] != '"' || value[len(value)-1] != value[0] {
			return false
		}
		if i := strings.LastIndexByte(name, ':'); i >= 0 {
			name = name[i+1:]
		}
		s.attr, s.value = name, value[1:len(value)-1]
		return true
	}
	n, err := strconv.Atoi(p)
	if err != nil || n < 1 || s.position != 0 {
		return false
	}
	s.position = n
	return true
}

// from gives what the step leads to, each node once, in document order.
func (s *step) from(here []*node) []*node {
	var out []*node
	seen := map[*node]bool{}
	for _, h := range here {
		if !s.deep {
			out = s.choose(out, h, seen)
			continue
		}
		h.walk(func(n *node) bool {
			if n.kind == element && !seen[n] {
				seen[n] = true
				out = s.choose(out, n, nil)
			}
			return true
		})
	}
	return out
}

// choose appends the children of one node that fit.
func (s *step) choose(out []*node, n *node, seen map[*node]bool) []*node {
	position := 0
	for _, c := range n.elements() {
		if s.name != "*" && c.local != s.name || !s.fits(c) {
			continue
		}
		position++
		if s.position != 0 && s.position != position || seen[c] {
			continue
		}
		out = append(out, c)
	}
	return out
}

func (s *step) fits(n *node) bool {
	if s.attr == "" {
		return true
	}
	for _, a := range n.attrs {
		if a.local == s.attr && a.value == s.value {
			return true
		}
	}
	return false
}
