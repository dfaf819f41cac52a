package ncalayer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of one message. The size of the text itself is bounded by the socket (64 MiB).
const (
	maxDepth  = 64
	maxValues = 1_000_000
)

// Number is a number as it was written: messages of NCALayer never calculate.
type Number string

// Object is a JSON object; names keep their order and none occurs twice.
type Object struct {
	names  []string
	values map[string]any
}

// Lookup gives a member; ok is false where there is none. A member that is null gives nil, true.
func (o *Object) Lookup(name string) (value any, ok bool) {
	if o == nil {
		return nil, false
	}
	value, ok = o.values[name]
	return value, ok
}

// Names lists the members in their order of writing.
func (o *Object) Names() []string { return append([]string(nil), o.names...) }

// Len is the number of members.
func (o *Object) Len() int { return len(o.names) }

// Read reads one value of lenient JSON and nothing after it. Values are nil, bool, [Number],
// string, []any and *[Object].
func Read(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("read message: not UTF-8")
	}
	r := &reader{text: string(text)}
	value, err := r.value(1)
	if err == nil {
		r.space()
		if r.at < len(r.text) {
			err = r.fault("something follows the value")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	return value, nil
}

type reader struct {
	text   string
	at     int
	values int
}

func (r *reader) fault(what string) error { return fmt.Errorf("%s at character %d", what, r.at+1) }

func (r *reader) space() {
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c <= ' ':
			r.at++
		case strings.HasPrefix(r.text[r.at:], "\u00a0"):
			r.at += 2
		case strings.HasPrefix(r.text[r.at:], "\ufeff"):
			r.at += 3
		default:
			return
		}
	}
}

// peek skips white space and gives the next byte, 0 at the end.
func (r *reader) peek() byte {
	r.space()
	if r.at >= len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *reader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, r.fault("nested too deeply")
	}
	if r.values++; r.values > maxValues {
		return nil, r.fault("too many values")
	}
	switch c := r.peek(); c {
	case '{':
		r.at++
		return r.object(depth)
	case '[':
		r.at++
		return r.array(depth)
	case '"', '\'':
		r.at++
		return r.quoted(c)
	case 0:
		return nil, r.fault("unexpected end")
	}
	word := r.word()
	switch word {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if !isNumber(word) {
		return nil, r.fault("not a value")
	}
	return Number(word), nil
}

func (r *reader) object(depth int) (any, error) {
	o := &Object{values: map[string]any{}}
	for {
		var name string
		var err error
		switch c := r.peek(); c {
		case '}':
			r.at++
			return o, nil
		case '"', '\'':
			r.at++
			name, err = r.quoted(c)
		default:
			name = r.word()
			if name == "" {
				err = r.fault("a member without a name")
			}
		}
		if err != nil {
			return nil, err
		}
		if r.peek() != ':' {
			return nil, r.fault("no colon after a name")
		}
		r.at++
		if _, twice := o.values[name]; twice {
			return nil, r.fault("a name given twice")
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o.names = append(o.names, name)
		o.values[name] = value
		switch r.peek() {
		case ',':
			r.at++
		case '}':
		default:
			return nil, r.fault("no comma or closing brace")
		}
	}
}

func (r *reader) array(depth int) (any, error) {
	list := []any{}
	for {
		if r.peek() == ']' {
			r.at++
			return list, nil
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
		switch r.peek() {
		case ',':
			r.at++
		case ']':
		default:
			return nil, r.fault("no comma or closing bracket")
		}
	}
}

// word takes what may stand without quotes: names, numbers, true, false, null.
func (r *reader) word() string {
	start := r.at
	for r.at < len(r.text) {
		c := r.text[r.at]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("_$.+-", c) >= 0 {
			r.at++
			continue
		}
		break
	}
	return r.text[start:r.at]
}

// quoted reads a string up to its closing quote. A raw line break or NUL is refused, as org.json does.
func (r *reader) quoted(quote byte) (string, error) {
	start := r.at
	for i := r.at; i < len(r.text); i++ { // the common case: no escape at all
		switch r.text[i] {
		case quote:
			r.at = i + 1
			return r.text[start:i], nil
		case 0, '\n', '\r':
			r.at = i
			return "", r.fault("a string that does not end")
		case '\\':
			return r.escaped(quote, start, i)
		}
	}
	r.at = len(r.text)
	return "", r.fault("a string that does not end")
}

func (r *reader) escaped(quote byte, start, firstEscape int) (string, error) {
	var b strings.Builder
	b.WriteString(r.text[start:firstEscape])
	r.at = firstEscape
	for r.at < len(r.text) {
		c := r.text[r.at]
		switch c {
		case quote:
			r.at++
			return b.String(), nil
		case 0, '\n', '\r':
			return "", r.fault("a string that does not end")
		case '\\':
			if err := r.escape(&b); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
			r.at++
		}
	}
	return "", r.fault("a string that does not end")
}

func (r *reader) escape(b *strings.Builder) error {
	r.at++
	if r.at >= len(r.text) {
		return r.fault("an escape that does not end")
	}
	c := r.text[r.at]
	r.at++
	if i := strings.IndexByte("btnfr", c); i >= 0 {
		b.WriteByte("\b\t\n\f\r"[i])
		return nil
	}
	switch c {
	case '"', '\'', '\\', '/':
		b.WriteByte(c)
		return nil
	case 'u':
		return r.unicode(b)
	}
	return r.fault("an unknown escape")
}

func (r *reader) unicode(b *strings.Builder) error {
	first, err := r.hex4()
	if err != nil {
		return err
	}
	if !utf16.IsSurrogate(first) {
		b.WriteRune(first)
		return nil
	}
	if !strings.HasPrefix(r.text[r.at:], `\u`) {
		return r.fault("half a surrogate pair")
	}
	r.at += 2
	second, err := r.hex4()
	if err != nil {
		return err
	}
	whole := utf16.DecodeRune(first, second)
	if whole == utf8.RuneError {
		return r.fault("half a surrogate pair")
	}
	b.WriteRune(whole)
	return nil
}

func (r *reader) hex4() (rune, error) {
	if len(r.text)-r.at < 4 {
		return 0, r.fault("an escape that does not end")
	}
	n, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	if err != nil {
		return 0, r.fault("not four hexadecimal digits")
	}
	r.at += 4
	return rune(n), nil
}

// isNumber follows the grammar of RFC 8259, section 6.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole := digits(s)
	if whole == 0 || whole > 1 && s[0] == '0' {
		return false
	}
	s = s[whole:]
	if strings.HasPrefix(s, ".") {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if s != "" && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		n := digits(s)
		return n > 0 && n == len(s)
	}
	return s == ""
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
