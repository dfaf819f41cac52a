package batchfile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path"
)

// Row is one row of a file. It is good until the next one is read.
type Row struct {
	// Line is where it begins, from 1.
	Line int
	// Broken: it is no row of this file. Of its values only those before the mistake are there, if any: enough to
	// guess whom it is about, and for nothing else.
	Broken bool
	// End: the record ends (op D of a delta); only its key counts.
	End bool

	at     map[string]int
	values []string
	json   bool
}

// Get is the text of a column; empty when the row or the file does not have it.
func (r *Row) Get(column string) string {
	if i, ok := r.at[column]; ok && i < len(r.values) {
		return r.values[i]
	}
	return ""
}

// Has reports whether the file has a column; JSON, without a header, when the row says something in it.
func (r *Row) Has(column string) bool {
	_, ok := r.at[column]
	return ok && !r.json || r.Get(column) != ""
}

// Missing is the first column that must not be empty in this kind of file and is; "" when there is none.
func (r *Row) Missing(kind string) string {
	s := schemas[kind]
	for _, c := range s.columns[:s.keys] {
		if r.Get(c) == "" {
			return c
		}
	}
	if r.End {
		return ""
	}
	for _, c := range s.needed {
		if r.Get(c) == "" {
			return c
		}
	}
	return ""
}

// Rows calls f with each row of a file of the manifest. When it returns nil, every row was handed over and
// the bytes were those of the manifest: until then nothing of them may count. An error of f ends it.
func (b *Batch) Rows(file File, f func(*Row) error) error {
	in, err := b.fsys.Open(file.Name)
	if err != nil {
		return &Error{Code: CodeFile, File: file.Name, Err: err}
	}
	defer func() { _ = in.Close() }() // read only
	sum := sha256.New()
	bounded := &io.LimitedReader{R: in, N: b.bounds.File + 1}
	source := io.TeeReader(bounded, sum)
	n := 0
	count := func(r *Row) error {
		if n++; n > b.bounds.Rows {
			return &Error{Code: CodeTooBig, File: file.Name, Line: r.Line}
		}
		return f(r)
	}
	s := schemas[file.Kind()]
	if path.Ext(file.Name) == ".csv" {
		err = readCSV(bufio.NewReaderSize(source, 256<<10), s, !b.Full, b.bounds, count)
	} else {
		err = readJSON(bufio.NewReaderSize(source, 256<<10), s, !b.Full, b.bounds, count)
	}
	if bounded.N <= 0 {
		return &Error{Code: CodeTooBig, File: file.Name}
	}
	if e, ok := errors.AsType[*Error](err); ok && e.File == "" {
		e.File = file.Name
	}
	if err != nil {
		return err
	}
	// A reader of rows may stop before what cannot be a row any more.
	if _, err := io.Copy(io.Discard, source); err != nil {
		return &Error{Code: CodeFile, File: file.Name, Err: err}
	}
	if hex.EncodeToString(sum.Sum(nil)) != file.SHA256 || n != file.Rows {
		return &Error{Code: CodeChanged, File: file.Name}
	}
	return nil
}
