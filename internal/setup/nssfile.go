package setup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// nssObject is an object in a database of Mozilla's library: a certificate, or a note of what one is trusted for. Notes
// name their certificate by issuer and serial number, and stay when a tool that does not know their kind deletes it.
type nssObject struct {
	class          string // CKA_CLASS
	label          string // CKA_LABEL: the nickname of a certificate
	value          []byte // CKA_VALUE: its DER
	issuer, serial string // DER
	servers        bool   // the note says that servers are vouched for
}

// Classes of PKCS #11, and what the notes of trust say. Mozilla's library had a kind of its own before PKCS #11 3.2 had
// one; tools of before do not know the newer.
const (
	nssCertificate, nssTrust, nssOldTrust = "\x00\x00\x00\x01", "\x00\x00\x00\x0b", "\xce\x53\x43\x53"
	nssAnchor, nssOldDelegator            = "\x00\x00\x00\x02", "\xce\x53\x43\x52"
)

// The columns of the table are called by the numbers of the attributes.
const (
	nssClass, nssLabel, nssValue, nssIssuer, nssSerial = "a0", "a3", "a11", "a81", "a82"
	nssServers, nssOldServers                          = "a62c", "ace536358"
)

// nssObjects reads cert9.db as it stands. The tool of Mozilla does not show everything, may not be there, and is a start
// of a program for each question; the file is a table of SQLite.
func nssObjects(dir string) ([]nssObject, error) {
	for _, open := range []string{"cert9.db-journal", "cert9.db-wal"} {
		if info, err := os.Stat(filepath.Join(dir, open)); err == nil && info.Size() > 0 {
			return nil, errors.New("the database is being changed")
		}
	}
	b, err := readLimited(filepath.Join(dir, "cert9.db"), 256<<20)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, nil // a browser has just made it
	}
	list, err := parseNSS(b)
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	return list, nil
}

func parseNSS(b []byte) (list []nssObject, err error) {
	f, err := openSQLite(b)
	if err != nil {
		return nil, err
	}
	root, columns := 0, map[string]int{}
	err = f.rows(1, func(v [][]byte) {
		if len(v) < 5 || string(v[0]) != "table" || string(v[1]) != "nssPublic" {
			return
		}
		for _, c := range v[3] {
			root = root<<8 | int(c)
		}
		_, definition, _ := strings.Cut(string(v[4]), "(")
		for i, column := range strings.Split(definition, ",") {
			if name := strings.Fields(strings.Trim(column, " )")); len(name) > 0 {
				columns[name[0]] = i
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{nssClass, nssLabel, nssValue, nssIssuer, nssSerial} {
		if _, ok := columns[name]; !ok {
			return nil, errors.New("no table of certificates is in it")
		}
	}
	err = f.rows(root, func(v [][]byte) {
		get := func(name string) string {
			if i, ok := columns[name]; ok && i < len(v) {
				return string(v[i])
			}
			return ""
		}
		list = append(list, nssObject{
			class: get(nssClass), label: get(nssLabel), value: []byte(get(nssValue)), issuer: get(nssIssuer), serial: get(nssSerial),
			servers: get(nssServers) == nssAnchor || get(nssOldServers) == nssOldDelegator,
		})
	})
	return list, err
}

// sqliteFile reads tables of a file of SQLite (https://www.sqlite.org/fileformat2.html), and no indexes.
type sqliteFile struct {
	b            []byte
	page, usable int
	seen         map[int]bool // pages: one that leads back to itself would be read for ever
	read         int          // bytes of records: together they are no more than the file
}

var errSQLite = errors.New("not a database of SQLite, or a damaged one")

func openSQLite(b []byte) (*sqliteFile, error) {
	if len(b) < 512 || !bytes.HasPrefix(b, []byte("SQLite format 3\x00")) {
		return nil, errSQLite
	}
	page := int(binary.BigEndian.Uint16(b[16:]))
	if page == 1 {
		page = 65536
	}
	f := &sqliteFile{b: b, page: page, usable: page - int(b[20]), seen: map[int]bool{}}
	if page < 512 || page&(page-1) != 0 || f.usable < 480 || len(b)%page != 0 || binary.BigEndian.Uint32(b[56:]) != 1 { // UTF-8
		return nil, errSQLite
	}
	return f, nil
}

// at gives a page, once.
func (f *sqliteFile) at(n int) ([]byte, error) {
	if n < 1 || n > len(f.b)/f.page || f.seen[n] {
		return nil, errSQLite
	}
	f.seen[n] = true
	return f.b[(n-1)*f.page:][:f.usable], nil
}

// rows calls for each row of the table with this root, with the bytes of its values.
func (f *sqliteFile) rows(root int, row func(values [][]byte)) error {
	p, err := f.at(root)
	if err != nil {
		return err
	}
	head, at := p, 8
	if root == 1 {
		head = p[100:]
	}
	leaf := head[0] == 0x0d
	if !leaf {
		at = 12
		if head[0] != 0x05 {
			return errSQLite
		}
	}
	cells := int(binary.BigEndian.Uint16(head[3:]))
	if at+2*cells > len(head) {
		return errSQLite
	}
	for ; cells > 0; cells, at = cells-1, at+2 {
		cell := int(binary.BigEndian.Uint16(head[at:]))
		if cell+4 > len(p) {
			return errSQLite
		}
		if !leaf {
			if err := f.rows(int(binary.BigEndian.Uint32(p[cell:])), row); err != nil {
				return err
			}
			continue
		}
		payload, err := f.payload(p[cell:])
		if err != nil {
			return err
		}
		values, err := record(payload)
		if err != nil {
			return err
		}
		row(values)
	}
	if leaf {
		return nil
	}
	return f.rows(int(binary.BigEndian.Uint32(head[8:])), row)
}

// payload gives the record of a cell, with what stands on pages of its own.
func (f *sqliteFile) payload(cell []byte) ([]byte, error) {
	size, cell, ok := varint(cell)
	_, cell, also := varint(cell) // the number of the row
	if f.read += size; !ok || !also || f.read > len(f.b) {
		return nil, errSQLite
	}
	here := size
	if most := f.usable - 35; size > most {
		least := (f.usable-12)*32/255 - 23
		if here = least + (size-least)%(f.usable-4); here > most {
			here = least
		}
	}
	if here > len(cell) || here < size && here+4 > len(cell) {
		return nil, errSQLite
	}
	all := slices.Clone(cell[:here])
	for next := cell[here:]; len(all) < size; {
		p, err := f.at(int(binary.BigEndian.Uint32(next)))
		if err != nil {
			return nil, err
		}
		all, next = append(all, p[4:min(len(p), 4+size-len(all))]...), p
	}
	return all, nil
}

// record splits a record into the bytes of its values.
func record(b []byte) (values [][]byte, err error) {
	size, kinds, ok := varint(b)
	if !ok || size > len(b) || size < len(b)-len(kinds) {
		return nil, errSQLite
	}
	kinds, b = b[len(b)-len(kinds):size], b[size:]
	for len(kinds) > 0 {
		var kind int
		if kind, kinds, ok = varint(kinds); !ok {
			return nil, errSQLite
		}
		n := 0
		switch {
		case kind >= 12:
			n = (kind - 12) / 2
		case kind < 8:
			n = [...]int{0, 1, 2, 3, 4, 6, 8, 8}[kind]
		}
		if n > len(b) {
			return nil, errSQLite
		}
		values, b = append(values, b[:n]), b[n:]
	}
	return values, nil
}

// varint reads a number of SQLite's kind; no size here needs more than four of its bytes.
func varint(b []byte) (n int, rest []byte, ok bool) {
	for i := 0; i < len(b) && i < 9; i++ {
		if i == 8 {
			return n, b[9:], n < 1<<31
		}
		n = n<<7 | int(b[i]&0x7f)
		if b[i] < 0x80 {
			return n, b[i+1:], true
		}
	}
	return 0, nil, false
}
