package dsig

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

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
	if p.nodes++; p.nodes > p.bound.Nodes {
		return p.fail("more than %d nodes", p.bound.Nodes)
	}
	return nil
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
		if !isNameStart(r) && (p.pos == from || !isNamePart(r)) {
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
		r, ok := entity(raw[i+1 : i+end])
		if !ok {
			return "", errReference
		}
		b.WriteRune(r)
		raw = raw[i+end+1:]
	}
}

// entity resolves what stands between & and ;.
func entity(s string) (rune, bool) {
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
