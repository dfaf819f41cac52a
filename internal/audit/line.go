package audit

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxLine bounds a line of an export. A record may have 32 details of 512 bytes, each byte six in JSON.
const maxLine = 512 << 10

// recordLine and statementLine are the lines of an export. The order of the fields is part of the form.
type recordLine struct {
	Node   string            `json:"node"`
	Seq    int64             `json:"seq"`
	At     int64             `json:"at"`
	Action string            `json:"action"`
	Actor  string            `json:"actor"`
	Object string            `json:"object"`
	Result string            `json:"result"`
	Detail map[string]string `json:"detail"`
	Prev   string            `json:"prev"`
	Hash   string            `json:"hash"`
}

type statementLine struct {
	Checkpoint string `json:"checkpoint"`
	Token      string `json:"token"`
}

// Line is one line of an export: a record or a checkpoint, the other is nil.
type Line struct {
	Record    *Record
	Statement *Statement
}

// AppendRecord adds the record's line: JSON in one way only, so that equal records are equal bytes.
func AppendRecord(b []byte, r Record) ([]byte, error) {
	detail := r.Detail
	if detail == nil {
		detail = map[string]string{}
	}
	return appendLine(b, recordLine{r.Node, r.Seq, r.At.UnixMilli(), r.Action, r.Actor, r.Object, r.Result, detail,
		hex.EncodeToString(r.Prev[:]), hex.EncodeToString(r.Hash[:])})
}

// AppendStatement adds the line of a checkpoint.
func AppendStatement(b []byte, s Statement) ([]byte, error) {
	return appendLine(b, statementLine{string(s.Note), base64.StdEncoding.EncodeToString(s.Token)})
}

func appendLine(b []byte, v any) ([]byte, error) {
	w := bytes.NewBuffer(b)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write an audit line: %w", err)
	}
	return w.Bytes(), nil
}

// Reader reads an export: lines of records and checkpoints. It checks form only; [Trail] checks that
// they belong together.
type Reader struct {
	r *bufio.Reader
	n int
}

// NewReader reads from r, never more than one line at a time.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReaderSize(r, maxLine)} }

// Next gives the next line, [io.EOF] after the last. A line that is too long, not written in the one
// way, or not ended is an error.
func (r *Reader) Next() (Line, error) {
	b, err := r.r.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(b) == 0 {
		return Line{}, io.EOF
	}
	r.n++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return Line{}, fmt.Errorf("line %d is longer than %d bytes", r.n, maxLine)
	case errors.Is(err, io.EOF):
		return Line{}, fmt.Errorf("line %d is cut off", r.n)
	case err != nil:
		return Line{}, fmt.Errorf("line %d: %w", r.n, err)
	}
	l, err := parseLine(b)
	if err != nil {
		return Line{}, fmt.Errorf("line %d: %w", r.n, err)
	}
	return l, nil
}

var errForm = errors.New("not written as an audit line is")

func parseLine(b []byte) (Line, error) {
	if bytes.HasPrefix(b, []byte(`{"checkpoint":`)) {
		return parseStatementLine(b)
	}
	var j recordLine
	if err := json.Unmarshal(b, &j); err != nil {
		return Line{}, errForm
	}
	r := Record{Node: j.Node, Seq: j.Seq, At: time.UnixMilli(j.At).UTC(), Event: Event{Action: j.Action, Actor: j.Actor, Object: j.Object, Result: j.Result, Detail: j.Detail}}
	for _, h := range []struct {
		dst  *[32]byte
		text string
	}{{&r.Prev, j.Prev}, {&r.Hash, j.Hash}} {
		if raw, err := hex.DecodeString(h.text); err != nil || copy(h.dst[:], raw) != len(h.dst) {
			return Line{}, errForm
		}
	}
	again, err := AppendRecord(nil, r)
	if err != nil || !bytes.Equal(again, b) {
		return Line{}, errForm
	}
	return Line{Record: &r}, nil
}

func parseStatementLine(b []byte) (Line, error) {
	var j statementLine
	if err := json.Unmarshal(b, &j); err != nil {
		return Line{}, errForm
	}
	token, err := base64.StdEncoding.DecodeString(j.Token)
	if err != nil {
		return Line{}, errForm
	}
	c, err := ReadNote([]byte(j.Checkpoint))
	if err != nil {
		return Line{}, err
	}
	s := Statement{Checkpoint: c, Note: []byte(j.Checkpoint)}
	if len(token) > 0 {
		s.Token = token
	}
	again, err := AppendStatement(nil, s)
	if err != nil || !bytes.Equal(again, b) {
		return Line{}, errForm
	}
	return Line{Statement: &s}, nil
}
