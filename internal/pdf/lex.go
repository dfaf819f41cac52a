package pdf

import (
	"fmt"
	"strconv"
)

// lexer reads objects out of a window on the file, or out of a decoded object stream.
type lexer struct {
	buf   []byte
	base  int64 // offset of buf in the file; -1: not in the file
	pos   int
	more  bool // the file goes on after buf
	short bool // something looked past the end of buf
	parts int
}

func (l *lexer) damaged(what string) error {
	if l.base < 0 {
		return fmt.Errorf("%w: %s in an object stream", ErrDamaged, what)
	}
	return fmt.Errorf("%w: %s at byte %d", ErrDamaged, what, l.base+int64(l.pos))
}

// peek gives the next byte, or -1 at the end.
func (l *lexer) peek() int { return l.at(0) }

func (l *lexer) at(i int) int {
	if l.pos+i >= len(l.buf) {
		l.short = true
		return -1
	}
	return int(l.buf[l.pos+i])
}

// offset is where the next byte stands in the file, or -1.
func (l *lexer) offset() int64 {
	if l.base < 0 {
		return -1
	}
	return l.base + int64(l.pos)
}

func isSpace(c int) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c int) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isRegular(c int) bool { return c >= 0 && !isSpace(c) && !isDelimiter(c) }

func isDigit(c int) bool { return c >= '0' && c <= '9' }

// space skips white space and comments.
func (l *lexer) space() {
	for {
		c := l.peek()
		switch {
		case isSpace(c):
			l.pos++
		case c == '%':
			for c >= 0 && c != '\n' && c != '\r' {
				l.pos++
				c = l.peek()
			}
		default:
			return
		}
	}
}

// word reads regular characters.
func (l *lexer) word() string {
	start := l.pos
	for isRegular(l.peek()) {
		l.pos++
	}
	return string(l.buf[start:l.pos])
}

// keyword reads white space and exactly this word.
func (l *lexer) keyword(want string) bool {
	l.space()
	start := l.pos
	if l.word() == want {
		return true
	}
	l.pos = start
	return false
}

// natural reads white space and a number without sign.
func (l *lexer) natural() (int64, bool) {
	l.space()
	start := l.pos
	for isDigit(l.peek()) {
		l.pos++
	}
	if l.pos == start || l.pos-start > 18 || isRegular(l.peek()) {
		l.pos = start
		return 0, false
	}
	n, err := strconv.ParseInt(string(l.buf[start:l.pos]), 10, 64)
	return n, err == nil
}

// object reads one object that is no stream.
func (l *lexer) object(depth int) (Object, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrTooMuch, maxDepth)
	}
	if l.parts++; l.parts > maxParts {
		return nil, fmt.Errorf("%w: more than %d parts in an object", ErrTooMuch, maxParts)
	}
	l.space()
	switch c := l.peek(); {
	case c == '/':
		return l.name()
	case c == '(':
		return l.literal()
	case c == '<' && l.at(1) == '<':
		return l.dict(depth)
	case c == '<':
		return l.hex()
	case c == '[':
		return l.array(depth)
	case isDigit(c):
		if ref, ok := l.ref(); ok {
			return ref, nil
		}
		return l.number()
	case c == '+' || c == '-' || c == '.':
		return l.number()
	}
	start := l.pos
	switch l.word() {
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	l.pos = start
	return nil, l.damaged("no object")
}

// ref reads "12 0 R" if it stands there.
func (l *lexer) ref() (Ref, bool) {
	start := l.pos
	num, ok1 := l.natural()
	gen, ok2 := int64(0), false
	if ok1 {
		gen, ok2 = l.natural()
	}
	if ok2 && num < maxNumber && gen <= 65535 && l.keyword("R") {
		return Ref{int(num), int(gen)}, true
	}
	l.pos = start
	return Ref{}, false
}

func (l *lexer) number() (Object, error) {
	start := l.pos
	if c := l.peek(); c == '+' || c == '-' {
		l.pos++
	}
	digits, points := 0, 0
	for c := l.peek(); isDigit(c) || c == '.'; c = l.peek() {
		if c == '.' {
			points++
		} else {
			digits++
		}
		l.pos++
	}
	if digits == 0 || points > 1 || isRegular(l.peek()) {
		return nil, l.damaged("no number")
	}
	text := string(l.buf[start:l.pos])
	if points == 0 {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	}
	return Real(text), nil
}

func unhex(c int) int {
	switch {
	case isDigit(c):
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return -1
}

func (l *lexer) name() (Object, error) {
	l.pos++
	var out []byte
	for c := l.peek(); isRegular(c); c = l.peek() {
		l.pos++
		if c == '#' {
			high, low := unhex(l.at(0)), unhex(l.at(1))
			if high < 0 || low < 0 {
				return nil, l.damaged("bad escape in a name")
			}
			c = high<<4 | low
			l.pos += 2
		}
		out = append(out, byte(c))
	}
	return Name(out), nil
}

// literal reads (…).
func (l *lexer) literal() (Object, error) {
	s := &String{Bytes: []byte{}, At: l.offset()}
	l.pos++
	for open := 1; ; {
		c := l.peek()
		if c < 0 {
			return nil, l.damaged("string without end")
		}
		l.pos++
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				s.End = l.offset()
				return s, nil
			}
		case '\\':
			s.Bytes = l.escape(s.Bytes)
			continue
		case '\r':
			if l.peek() == '\n' {
				l.pos++
			}
			c = '\n'
		}
		s.Bytes = append(s.Bytes, byte(c))
	}
}

// escape reads what follows a backslash, ISO 32000-1 table 3.
func (l *lexer) escape(out []byte) []byte {
	c := l.peek()
	if c < 0 {
		return out // the string has no end either
	}
	l.pos++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\r':
		if l.peek() == '\n' {
			l.pos++
		}
		return out
	case '\n':
		return out
	}
	if c < '0' || c > '7' {
		return append(out, byte(c))
	}
	n := c - '0'
	for range 2 {
		d := l.peek()
		if d < '0' || d > '7' {
			break
		}
		n = n<<3 | (d - '0')
		l.pos++
	}
	return append(out, byte(n))
}

// hex reads <…>.
func (l *lexer) hex() (Object, error) {
	s := &String{Bytes: []byte{}, At: l.offset()}
	l.pos++
	high := -1
	for {
		c := l.peek()
		l.pos++
		d := unhex(c)
		switch {
		case c == '>':
			if high >= 0 {
				s.Bytes = append(s.Bytes, byte(high<<4))
			}
			s.End = l.offset()
			return s, nil
		case isSpace(c):
		case d < 0:
			l.pos--
			return nil, l.damaged("no hexadecimal digit")
		case high < 0:
			high = d
		default:
			s.Bytes = append(s.Bytes, byte(high<<4|d))
			high = -1
		}
	}
}

func (l *lexer) array(depth int) (Object, error) {
	l.pos++
	out := Array{}
	for {
		l.space()
		if l.peek() == ']' {
			l.pos++
			return out, nil
		}
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
}

func (l *lexer) dict(depth int) (Object, error) {
	l.pos += 2
	d := &Dict{}
	for {
		l.space()
		if l.peek() == '>' && l.at(1) == '>' {
			l.pos += 2
			return d, nil
		}
		if l.peek() != '/' {
			return nil, l.damaged("no key of a dictionary")
		}
		key, err := l.name()
		if err != nil {
			return nil, err
		}
		value, err := l.object(depth + 1)
		if err != nil {
			return nil, err
		}
		d.Twice = d.add(key.(Name), value) || d.Twice
	}
}
