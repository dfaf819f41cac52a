// Package batchfile reads batches of registry records as they come from outside: a folder or a zip with a
// manifest and files of CSV or of JSON lines (spec/registries.md §6).
//
// [Open] reads the manifest of an [fs.FS], which [OpenZip] makes of a zip; [Batch.Rows] walks one file row by
// row in constant memory. A row knows its line and the texts of its columns; what they mean is the reader's
// business.
//
// It refuses, whole and with an [Error]: files, columns and manifest fields it does not know, bytes that are
// not those of the manifest, another number of rows, and whatever is longer than its [Bounds]. A single row
// that cannot be read is handed over as such and refuses nothing else.
package batchfile

import "strconv"

// Codes of an [Error]: why a batch is refused whole.
const (
	CodeManifest = "LOAD_MANIFEST" // the manifest is missing or cannot be read
	CodeFile     = "LOAD_FILE"     // a file is missing, unknown, there twice, or cannot be read
	CodeColumn   = "LOAD_COLUMN"   // a column is unknown, there twice, or missing
	CodeChanged  = "LOAD_HASH"     // the bytes or the number of rows are not those of the manifest
	CodeTooBig   = "LOAD_TOO_BIG"  // longer than the bounds
	CodeArchive  = "LOAD_ARCHIVE"  // the zip cannot be read
)

// Error says why a batch cannot be read, and where. It holds no content of it.
type Error struct {
	Code string
	// File, Column and Line say where; empty and 0 when that means nothing.
	File, Column string
	Line         int
	Err          error
}

func (e *Error) Error() string {
	s := e.Code
	if e.File != "" {
		s += ": " + e.File
	}
	if e.Line > 0 {
		s += ", line " + strconv.Itoa(e.Line)
	}
	if e.Column != "" {
		s += ", column " + strconv.Quote(e.Column)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Bounds limit what a batch may be. The zero value is the usual bounds.
type Bounds struct {
	// Manifest bounds the manifest and its signature, each, in bytes; 1 MiB when zero.
	Manifest int64
	// File bounds one file, unpacked; 16 GiB when zero.
	File int64
	// Row bounds one row; 64 KiB when zero. Rows bounds their number in a file; 100 million when zero.
	Row, Rows int
}

func (b Bounds) orUsual() Bounds {
	if b.Manifest == 0 {
		b.Manifest = 1 << 20
	}
	if b.File == 0 {
		b.File = 16 << 30
	}
	if b.Row == 0 {
		b.Row = 64 << 10
	}
	if b.Rows == 0 {
		b.Rows = 100_000_000
	}
	return b
}
