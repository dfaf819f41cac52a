// Package sheet writes a table that people take away: as CSV for programs of tables and as PDF for paper.
//
// [CSV] writes UTF-8 with a byte order mark, semicolons and CRLF, as programs set to Kazakh or Russian open
// it; a cell that such a program would run as a formula is defused with an apostrophe. [PDF] writes A4 with
// every Kazakh letter, the head of the table repeated on each page, and page numbers. The same sheet gives the same
// bytes. PDF files are not tagged, because the library cannot: the CSV says the same to programs that read aloud.
package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Sheet is a table with what stands around it.
type Sheet struct {
	Title string
	// Lines stand under the title: for whom, as of when.
	Lines   []string
	Columns []Column
	Rows    [][]string
	// Empty is said when there are no rows.
	Empty string
	// Page numbers a page of how many, as "1 / 3".
	Page func(n, of string) string
	// Lang is a BCP 47 tag; Made is when the sheet was made.
	Lang string
	Made time.Time
}

// Column is a column: its heading, and its part of the width.
type Column struct {
	Title string
	Width float64
}

// MaxRows bounds a sheet.
const MaxRows = 20_000

// ErrShape says that a sheet is no table: too many rows, or rows of other lengths than its head.
var ErrShape = errors.New("the sheet is no table")

func (s Sheet) check() error {
	if len(s.Columns) == 0 || len(s.Rows) > MaxRows {
		return fmt.Errorf("%w: %d columns, %d rows", ErrShape, len(s.Columns), len(s.Rows))
	}
	for i, row := range s.Rows {
		if len(row) != len(s.Columns) {
			return fmt.Errorf("%w: row %d has %d cells, the head %d", ErrShape, i+1, len(row), len(s.Columns))
		}
	}
	return nil
}

// CSV writes the columns' titles and the rows.
func CSV(w io.Writer, s Sheet) error {
	if err := s.check(); err != nil {
		return err
	}
	head := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		head[i] = c.Title
	}
	if _, err := io.WriteString(w, "\ufeff"+line(head)); err != nil {
		return fmt.Errorf("write a table: %w", err)
	}
	for _, row := range s.Rows {
		if _, err := io.WriteString(w, line(row)); err != nil {
			return fmt.Errorf("write a table: %w", err)
		}
	}
	return nil
}

func line(cells []string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = cell(c)
	}
	return strings.Join(out, ";") + "\r\n"
}

// cell defuses a formula, also one behind spaces, and quotes what needs it.
func cell(v string) string {
	if t := strings.TrimLeft(v, " \u00a0"); t != "" && strings.ContainsRune("=+-@\t\r\n", rune(t[0])) {
		v = "'" + v
	}
	if strings.ContainsAny(v, ";\"\r\n\t,") || v != strings.TrimSpace(v) {
		return `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
	}
	return v
}
