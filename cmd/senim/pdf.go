package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"senim/cades"
	"senim/internal/trust"
	"senim/pades"
	"senim/pfx"
)

// The check of what happened to a document after a signature, and its code.
const (
	checkDocument = "document"
	codeChanged   = "DOCUMENT_CHANGED"
)

const hintChanged = "ask for the document as it was signed; senim inspect tells how long that was"

// recognisePDF opens a signed or unsigned document.
func recognisePDF(data []byte) ([]thing, error) {
	d, err := pades.Parse(bytes.NewReader(data), int64(len(data)))
	if errors.Is(err, pades.ErrDamaged) {
		return nil, &hinted{err, "damaged documents are not repaired: programs repair differently and so see different documents"}
	}
	if errors.Is(err, pades.ErrEncrypted) {
		return nil, &hinted{err, "save it without a password"}
	}
	if err != nil {
		return nil, err
	}
	return []thing{{kind: kindPDF, pdf: d}}, nil
}

// fitsPDF refuses options that do not go with the format.
func (c *sign) fitsPDF() error {
	if c.Format != "pades" && c.Reason+c.Location != "" {
		return &hinted{errors.New("--reason and --location stand in PDF signatures only"), "leave them out, or choose --format pades"}
	}
	return nil
}

// signPDF writes the document with a signature put after it; the document itself is only copied.
func (c *sign) signPDF(p *program, key *pfx.File) error {
	in, size, err := p.document(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	d, err := pades.Parse(in, size)
	if err != nil {
		return &hinted{fmt.Errorf("read %s: %w", c.File, err), "--format pades signs PDF documents; --format cms signs any file"}
	}
	update, err := d.Sign(rand.Reader, pades.Options{
		Key: key.Key, Certificate: key.Certificate, Time: p.Now(),
		Name: owner(key.Certificate.Holder()), Reason: c.Reason, Location: c.Location,
	})
	if errors.Is(err, pades.ErrLocked) {
		return &hinted{fmt.Errorf("sign %s: %w", c.File, err), "--format cms --detached makes a signature beside the document"}
	}
	if err != nil {
		return fmt.Errorf("sign %s: %w", c.File, err)
	}
	return p.copyTo(c.Out, io.MultiReader(io.NewSectionReader(in, 0, size), bytes.NewReader(update)))
}

// document opens a file without reading it; standard input is read.
func (p *program) document(name string) (interface {
	io.ReaderAt
	io.Closer
}, int64, error) {
	if name == "-" {
		data, err := p.readUpTo(name, pades.MaxSize)
		return memory{bytes.NewReader(data)}, int64(len(data)), err
	}
	f, err := os.Open(p.path(name))
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", name, plain(err))
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // the first error is reported
		return nil, 0, fmt.Errorf("read %s: %w", name, plain(err))
	}
	return f, info.Size(), nil
}

// memory is a file that was read.
type memory struct{ io.ReaderAt }

// Close has nothing to do.
func (memory) Close() error { return nil }

// copyTo is write from a reader.
func (p *program) copyTo(name string, from io.Reader) error {
	f, err := os.OpenFile(p.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a signed document is made to be given to others
	if errors.Is(err, fs.ErrExist) {
		return exists(name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, plain(err))
	}
	_, err = io.Copy(f, from)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(p.path(name)) // half a document is worse than none; the first error is reported
		return fmt.Errorf("write %s: %w", name, plain(err))
	}
	return nil
}

// checkPDF verifies every signature in a document and looks what was done to it since.
func (c *verify) checkPDF(ctx context.Context, p *program, t *trusted, d *pades.Document) ([]subject, error) {
	verified, err := d.Verify()
	if errors.Is(err, pades.ErrUnsigned) {
		return nil, &hinted{fmt.Errorf("verify %s: %w", c.File, err), "senim sign --format pades signs it"}
	}
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", c.File, err)
	}
	by, err := c.by(p, t)
	if err != nil {
		return nil, err
	}
	var out []subject
	for _, v := range verified {
		s, err := t.signedPDF(ctx, d, &v, by)
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", c.File, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// signedPDF judges one signature of a document. The message in it is judged as every CMS message is, at the time its
// time-stamps prove; a time-stamp over the document is judged as of now.
func (t *trusted) signedPDF(ctx context.Context, d *pades.Document, v *pades.Verified, by cades.Trust) (subject, error) {
	checks := pdfSignature(*v)
	switch {
	case v.Certificate == nil:
		return subject{Checks: append(checks, unmade()...)}, nil
	case v.DocumentTimestamp || checks[0].Verdict != trust.Good:
		purpose := trust.Signing
		if v.DocumentTimestamp {
			purpose = trust.Any // that it is for time-stamping alone was looked at with the signature
		}
		more, err := t.certificate(ctx, v.Certificate, purpose)
		return subject{Signer: newCard(v.Certificate), Checks: append(checks, more...)}, err
	}
	r, err := cades.Validate(v.Message, cades.Document{Reader: d.Covered(v)}, by)
	if err != nil {
		return subject{}, err
	}
	s, err := t.signatory(ctx, checks[0], &r.Signers[0], brought(v.Message, by))
	s.Checks = slices.Insert(s.Checks, 1, checks[1:]...)
	s.Level = strings.NewReplacer("CAdES-BES", "PAdES-B", "CAdES", "PAdES").Replace(s.Level)
	return s, err
}

// pdfSignature are the checks of one signature of a document: the signature, and what came after it.
func pdfSignature(v pades.Verified) trust.Report {
	check := trust.Check{Name: "signature", Verdict: trust.Good, Evidence: map[string]string{"field": v.Field}}
	if v.Certificate != nil {
		check.Evidence["key"] = v.Certificate.Key.String()
	}
	if v.Message != nil && !v.DocumentTimestamp {
		check.Evidence["hash"] = v.Message.Signers()[0].Hash.String()
	}
	if !v.SigningTime.IsZero() {
		check.Evidence["signingTime"] = stamp(v.SigningTime)
	}
	if v.Signed > 0 {
		check.Evidence["covers"] = "the whole document as it was, " + count(int(v.Signed), "byte")
	}
	for _, w := range v.Warnings {
		check.Evidence["warnings"] = joined("; ", check.Evidence["warnings"], string(w))
	}
	changed := errors.Is(v.Err, pades.ErrChanged)
	switch {
	case v.Outcome == pades.Valid || changed:
		return trust.Report{check, pdfLater(v, changed)}
	case v.Outcome == pades.Invalid:
		check.Verdict, check.Code = trust.Bad, codeSignature
	default:
		check.Verdict, check.Code = trust.Unknown, trust.CodeUnavailable
	}
	check.Evidence["error"] = v.Err.Error()
	return trust.Report{check}
}

// pdfLater is the check that nothing but signatures came after a signature.
func pdfLater(v pades.Verified, changed bool) trust.Check {
	check := trust.Check{Name: checkDocument, Verdict: trust.Good, Evidence: map[string]string{"found": "unchanged since, nothing follows"}}
	l := v.Later
	if l.Bytes > 0 {
		check.Evidence["follows"] = count(int(l.Bytes), "byte")
		check.Evidence["found"] = joined(": ", "unchanged since; what follows adds only", joined(", ", later(l)...))
		if len(later(l)) == 0 {
			check.Evidence["found"] = "unchanged since; only white space follows"
		}
	}
	if changed {
		check.Verdict, check.Code = trust.Bad, codeChanged
		what := v.Err.Error()
		if len(l.Changed) > 0 {
			what = pades.ErrChanged.Error() + ": " + strings.Join(l.Changed, "; ")
		}
		check.Evidence["error"] = what
		delete(check.Evidence, "found")
	}
	return check
}

// changed tells whether a document was changed after one of its signatures.
func (r *report) changed() bool {
	for _, s := range r.Subjects {
		for _, c := range s.Checks {
			if c.Code == codeChanged {
				return true
			}
		}
	}
	return false
}

// later lists what came after a signature without changing anything.
func later(l pades.Later) (out []string) {
	if len(l.Signatures) > 0 {
		out = append(out, count(len(l.Signatures), "signature"))
	}
	if len(l.Timestamps) > 0 {
		out = append(out, count(len(l.Timestamps), "time stamp"))
	}
	if l.ValidationData {
		out = append(out, "data to check signatures with")
	}
	if l.Description {
		out = append(out, "a description of the document")
	}
	if l.Unused > 0 {
		out = append(out, count(l.Unused, "unused object"))
	}
	return out
}

// pdfFacts is what stands in a document, unproved.
type pdfFacts struct {
	Size       int64          `json:"size"`
	Signatures []pdfSignFacts `json:"signatures,omitempty"`
}

// pdfSignFacts is what a signature of a document says of itself.
type pdfSignFacts struct {
	Field             string       `json:"field"`
	SubFilter         string       `json:"subFilter,omitempty"`
	Name              string       `json:"name,omitempty"`
	Reason            string       `json:"reason,omitempty"`
	Location          string       `json:"location,omitempty"`
	Time              string       `json:"time,omitempty"`
	Covers            int64        `json:"covers,omitempty"` // the first bytes, as many as this
	DocumentTimestamp bool         `json:"documentTimestamp,omitempty"`
	Certification     int          `json:"certification,omitempty"`
	Message           *description `json:"message,omitempty"`
}

func describePDF(d *pades.Document) *pdfFacts {
	facts := &pdfFacts{Size: d.Size()}
	for _, s := range d.Signatures() {
		f := pdfSignFacts{
			Field: s.Field, SubFilter: s.SubFilter, Name: s.Name, Reason: s.Reason, Location: s.Location,
			DocumentTimestamp: s.DocumentTimestamp, Certification: s.Certification,
		}
		if !s.Time.IsZero() {
			f.Time = stamp(s.Time)
		}
		if r := s.ByteRange; len(r) == 4 {
			f.Covers = r[2] + r[3]
		}
		if s.Message != nil {
			f.Message = &description{Kind: kindCMS}
			describeCMS(f.Message, thing{kind: kindCMS, cms: s.Message})
			f.Message.SignersCount = len(f.Message.Signers)
		}
		facts.Signatures = append(facts.Signatures, f)
	}
	return facts
}

func (d *pdfFacts) print(p *program, file string, now time.Time) {
	p.line("%s is a PDF document of %s, %s.", file, count(int(d.Size), "byte"), count(len(d.Signatures), "signature"))
	for _, s := range d.Signatures {
		p.line("")
		if s.Message != nil {
			for _, signer := range s.Message.Signers {
				if signer.Certificate != nil {
					signer.Certificate.print(p, now)
				}
			}
		}
		p.row("Field", s.Field)
		p.row("Kind", s.SubFilter)
		p.row("Name", s.Name)
		p.row("Reason", s.Reason)
		p.row("Location", s.Location)
		p.row("Says signed at", s.Time)
		switch {
		case s.Covers == d.Size:
			p.row("Says it covers", "the whole document")
		case s.Covers > 0:
			p.row("Says it covers", "the first "+count(int(s.Covers), "byte")+"; more was added since")
		}
		if s.Certification > 0 {
			p.row("Certifies", map[int]string{1: "no change is permitted", 2: "forms may be filled in", 3: "forms and annotations may be filled in"}[s.Certification])
		}
	}
	if len(d.Signatures) > 0 {
		p.line("")
		p.line("Nothing of this is checked yet: senim verify does that.")
	}
}
