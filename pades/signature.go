package pades

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"senim/cms"
	"senim/internal/ber"
	"senim/internal/pdf"
)

// SubFilters, ISO 32000-2 table 260.
const (
	subFilterCAdES     = "ETSI.CAdES.detached"
	subFilterPKCS7     = "adbe.pkcs7.detached"
	subFilterTimestamp = "ETSI.RFC3161"
)

// signature reads the signature dictionary of a field, ISO 32000-2 table 255.
func (d *Document) signature(f field) Signature {
	s := Signature{Field: f.name, field: f.ref, holder: f.ref.Num}
	if ref, ok := f.value.(pdf.Ref); ok {
		s.holder = ref.Num
	}
	value, err := d.file.Resolve(f.value)
	dict, ok := value.(*pdf.Dict)
	switch {
	case err != nil && !errors.Is(err, ErrDamaged):
		s.problem = unknowable{err}
		return s
	case err != nil:
		s.problem = err
		return s
	case !ok:
		s.problem = fmt.Errorf("%w: value of a signature field is no dictionary", ErrContents)
		return s
	case dict.Twice:
		s.problem = fmt.Errorf("%w: a key stands twice", ErrContents)
	}
	for key, to := range map[pdf.Name]*string{
		"Name": &s.Name, "Reason": &s.Reason, "Location": &s.Location, "ContactInfo": &s.Contact,
	} {
		if text, ok := d.get(dict, key).(*pdf.String); ok {
			*to = text.Text()
		}
	}
	for key, to := range map[pdf.Name]*string{"Filter": &s.Filter, "SubFilter": &s.SubFilter} {
		if name, ok := d.get(dict, key).(pdf.Name); ok {
			*to = string(name)
		}
	}
	if text, ok := d.get(dict, "M").(*pdf.String); ok {
		s.Time = readDate(text.Text())
	}
	s.DocumentTimestamp = s.SubFilter == subFilterTimestamp
	s.Certification = d.certification(dict)
	s.ByteRange = byteRange(dict.Get("ByteRange"))
	d.contents(&s, dict)
	return s
}

// get resolves a value that only informs: one that cannot be read is absent.
func (d *Document) get(dict *pdf.Dict, key pdf.Name) pdf.Object {
	o, err := d.file.Resolve(dict.Get(key))
	if err != nil {
		return nil
	}
	return o
}

// byteRange takes numbers that stand in the dictionary itself; anything else gives nil.
func byteRange(o pdf.Object) []int64 {
	list, ok := o.(pdf.Array)
	if !ok || len(list) > 8 {
		return nil
	}
	var out []int64
	for _, o := range list {
		n, ok := o.(int64)
		if !ok {
			return nil
		}
		out = append(out, n)
	}
	return out
}

func (d *Document) contents(s *Signature, dict *pdf.Dict) {
	text, ok := dict.Get("Contents").(*pdf.String)
	if !ok {
		s.flaw = fmt.Errorf("%w: no Contents", ErrContents)
		return
	}
	s.Contents, s.place = text.Bytes, pdf.Span{From: text.At, To: text.End}
	if s.Message, s.flaw = message(text.Bytes); s.flaw != nil {
		s.flaw = fmt.Errorf("%w: %w", ErrContents, s.flaw)
	}
}

// message reads the message at the beginning; only zeros may follow.
func message(contents []byte) (*cms.SignedData, error) {
	if len(contents) > cms.MaxSize {
		return nil, errors.New("too large")
	}
	der, rest, err := ber.First(contents)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(rest, "\x00")) != 0 {
		return nil, errors.New("something follows the message")
	}
	return cms.Parse(der)
}

// certification gives P of DocMDP, ISO 32000-2 table 257; 0 when the signature certifies nothing.
func (d *Document) certification(dict *pdf.Dict) int {
	list, _ := d.get(dict, "Reference").(pdf.Array)
	for _, o := range list {
		reference, err := d.file.Dict(o)
		if err != nil || d.get(reference, "TransformMethod") != pdf.Name("DocMDP") {
			continue
		}
		parms, err := d.file.Dict(reference.Get("TransformParams"))
		if err != nil {
			return 1 // not readable: as if nothing was permitted
		}
		p, ok := d.get(parms, "P").(int64)
		if !ok {
			return 2
		}
		return int(min(max(p, 1), 3))
	}
	return 0
}

// claimedEnd is where the signed bytes end, by what the signature says.
func (s *Signature) claimedEnd() int64 {
	if len(s.ByteRange) != 4 {
		return 0
	}
	return s.ByteRange[2] + s.ByteRange[3]
}

const dateLayout = "20060102150405"

// date is a time as PDF writes it, ISO 32000-1 7.9.4.
func date(t time.Time) string { return "D:" + t.UTC().Format(dateLayout) + "Z" }

// readDate reads such a time; zero when it cannot. Missing parts are the smallest, as the format says.
func readDate(text string) time.Time {
	if len(text) < 6 || text[:2] != "D:" {
		return time.Time{}
	}
	digits := 2
	for digits < len(text) && digits < 16 && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	value, zone := text[2:digits], text[digits:]
	if len(value) < 4 || len(value)%2 != 0 {
		return time.Time{}
	}
	t, err := time.Parse(dateLayout, value+"00000101000000"[len(value):])
	if err != nil || zone == "" || zone[0] == 'Z' {
		return t
	}
	// +05'00' or +05'00
	if len(zone) < 6 || zone[3] != '\'' || zone[0] != '+' && zone[0] != '-' {
		return time.Time{}
	}
	hours, err1 := strconv.ParseUint(zone[1:3], 10, 8)
	minutes, err2 := strconv.ParseUint(zone[4:6], 10, 8)
	if err1 != nil || err2 != nil {
		return time.Time{}
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if zone[0] == '+' {
		offset = -offset
	}
	return t.Add(offset)
}
