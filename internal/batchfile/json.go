package batchfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// readJSON reads one object a line. Empty lines are no rows.
func readJSON(in *bufio.Reader, s schema, delta bool, b Bounds, f func(*Row) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, min(b.Row, 64<<10)), b.Row)
	row := Row{at: map[string]int{}, json: true}
	for i, name := range append(s.columns[:len(s.columns):len(s.columns)], op) {
		row.at[name] = i
	}
	values := make([]string, len(s.columns)+1)
	for lines.Scan() {
		row.Line++
		line := bytes.TrimSpace(lines.Bytes())
		if row.Line == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) == 0 {
			continue
		}
		clear(values)
		row.values = values
		err := row.object(line, s, delta)
		if unknown, ok := errors.AsType[*Error](err); ok {
			unknown.Line = row.Line
			return unknown
		}
		row.Broken = err != nil
		row.settle(delta)
		if err := f(&row); err != nil {
			return err
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return &Error{Code: CodeTooBig, Line: row.Line + 1}
	} else if err != nil {
		return &Error{Code: CodeFile, Err: err}
	}
	return nil
}

var errObject = errors.New("not an object of texts")

// object reads a line into the row. An unknown name is an [Error].
func (r *Row) object(line []byte, s schema, delta bool) error {
	if !utf8.Valid(line) { // the reader of JSON would put something else in its place
		return errObject
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := r.members(d, s, delta, func(name string) (string, bool) { return name, s.known(name, delta) }, true); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errObject
	}
	return nil
}

// members reads an object whose names column turns into columns.
func (r *Row) members(d *json.Decoder, s schema, delta bool, column func(string) (string, bool), outer bool) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errObject
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return errObject
		}
		name, ok := t.(string)
		if !ok || seen[name] {
			return errObject
		}
		seen[name] = true
		if name == "leader" && outer && s.known("leader_iin", delta) {
			err := r.members(d, s, delta, func(name string) (string, bool) { c, ok := nested[name]; return c, ok }, false)
			if err != nil {
				return err
			}
			continue
		}
		to, ok := column(name)
		if !ok {
			return &Error{Code: CodeColumn, Column: shown(name)}
		}
		if t, err = d.Token(); err != nil {
			return errObject
		}
		text, ok := valueOf(t)
		if !ok || r.values[r.at[to]] != "" && text != "" {
			return errObject
		}
		r.values[r.at[to]] = text
	}
	_, err := d.Token() // the closing brace
	if err != nil {
		return errObject
	}
	return nil
}

// valueOf writes a JSON value as CSV would have it.
func valueOf(t json.Token) (string, bool) {
	switch v := t.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		if v {
			return "1", true
		}
		return "0", true
	case json.Number:
		return v.String(), true
	}
	return "", false
}
