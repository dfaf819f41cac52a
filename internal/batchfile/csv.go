package batchfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// readCSV reads RFC 4180 with semicolons: a header, then rows. A byte order mark and DOS lines are allowed.
func readCSV(in *bufio.Reader, s schema, delta bool, b Bounds, f func(*Row) error) error {
	if mark, err := in.Peek(3); err == nil && string(mark) == "\ufeff" {
		if _, err := in.Discard(3); err != nil {
			return &Error{Code: CodeFile, Err: err}
		}
	}
	// The reader of CSV gathers a row however long it is, as after a quote that nobody closes.
	leash := &leash{r: in, most: b.Row + readAhead}
	r := csv.NewReader(leash)
	r.Comma, r.ReuseRecord, r.FieldsPerRecord = ';', true, -1
	header, err := r.Read()
	if err != nil {
		return headerError(err)
	}
	row := Row{at: map[string]int{}}
	for i, name := range header {
		if _, twice := row.at[name]; twice || !s.known(name, delta) {
			return &Error{Code: CodeColumn, Column: shown(name), Line: 1}
		}
		row.at[strings.Clone(name)] = i
	}
	width := len(header)
	for _, name := range s.must(delta) {
		if _, ok := row.at[name]; !ok {
			return &Error{Code: CodeColumn, Column: name, Line: 1}
		}
	}
	for {
		leash.used = 0
		row.values, err = r.Read()
		row.Broken = len(row.values) != width
		syntax, bad := errors.AsType[*csv.ParseError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLeash):
			return &Error{Code: CodeTooBig, Line: row.Line + 1}
		case bad:
			row.Broken, row.Line = true, syntax.StartLine
		case err != nil:
			return &Error{Code: CodeFile, Err: err}
		default:
			row.Line, _ = r.FieldPos(0)
		}
		row.settle(delta)
		if err := f(&row); err != nil {
			return err
		}
	}
}

func headerError(err error) error {
	switch {
	case errors.Is(err, errLeash):
		return &Error{Code: CodeTooBig, Line: 1}
	case errors.Is(err, io.EOF):
		return &Error{Code: CodeColumn, Line: 1, Err: errors.New("no header")}
	}
	return &Error{Code: CodeColumn, Line: 1, Err: err}
}

// must lists the columns a file has to have.
func (s schema) must(delta bool) []string {
	all := append(s.columns[:s.keys:s.keys], s.needed...)
	if delta {
		all = append(all, op)
	}
	return all
}

// settle reads the op of a delta's row.
func (r *Row) settle(delta bool) {
	r.End = false
	if !delta || r.Broken {
		return
	}
	switch r.Get(op) {
	case "U":
	case "D":
		r.End = true
	default:
		r.Broken = true
	}
}

// readAhead is how much the reader of CSV may take beyond a row.
const readAhead = 8 << 10

var errLeash = errors.New("longer than the bound")

// leash ends a read of more than most bytes since used was set to 0.
type leash struct {
	r          io.Reader
	used, most int
}

func (l *leash) Read(p []byte) (int, error) {
	if l.used >= l.most {
		return 0, errLeash
	}
	n, err := l.r.Read(p[:min(len(p), l.most-l.used)])
	l.used += n
	return n, err
}
