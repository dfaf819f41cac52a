package pades

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"senim/internal/pdf"
)

const (
	maxFields     = 1 << 16
	maxFieldDepth = 32
)

func parse(r io.ReaderAt, size int64) (*Document, error) {
	d := &Document{r: r}
	var err error
	if d.file, err = pdf.Open(r, size); err != nil {
		return nil, fmt.Errorf("parse PDF: %w", err)
	}
	if err := d.read(); err != nil {
		return nil, fmt.Errorf("parse PDF: %w", err)
	}
	return d, nil
}

// read finds the catalog, the form and its signatures.
func (d *Document) read() error {
	var ok bool
	var err error
	if d.root, ok = d.file.Trailer().Get("Root").(pdf.Ref); !ok {
		return fmt.Errorf("%w: no catalog", ErrDamaged)
	}
	if d.catalog, err = d.once(d.root, "catalog"); err != nil {
		return err
	}
	if d.catalog == nil {
		return fmt.Errorf("%w: no catalog", ErrDamaged)
	}
	if d.form, err = d.once(d.catalog.Get("AcroForm"), "form"); err != nil || d.form == nil {
		return err
	}
	w := walker{d: d, seen: map[pdf.Ref]bool{}}
	if err := w.list(d.form.Get("Fields"), field{}, 0); err != nil {
		return err
	}
	d.fields = w.found
	for _, f := range d.fields {
		if !f.signature || f.value == nil {
			continue
		}
		if len(d.signatures) == MaxSignatures {
			return fmt.Errorf("%w: more than %d signatures", ErrTooMuch, MaxSignatures)
		}
		d.signatures = append(d.signatures, d.signature(f))
	}
	slices.SortStableFunc(d.signatures, func(a, b Signature) int { return cmp.Compare(a.claimedEnd(), b.claimedEnd()) })
	return nil
}

// once resolves to a dictionary none of whose keys stands there twice; nil when there is none.
func (d *Document) once(o pdf.Object, what string) (*pdf.Dict, error) {
	dict, err := d.file.Dict(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if dict != nil && dict.Twice {
		return nil, fmt.Errorf("%w: %s has a key twice", ErrDamaged, what)
	}
	return dict, nil
}

// field is a form field, or a widget of one, ISO 32000-1 12.7.3.
type field struct {
	ref       pdf.Ref
	name      string
	kind      pdf.Name // FT, inherited
	signature bool     // kind is Sig
	value     pdf.Object
	dict      *pdf.Dict
}

// walker goes through the tree of fields.
type walker struct {
	d     *Document
	seen  map[pdf.Ref]bool
	found []field
}

func (w *walker) list(o pdf.Object, above field, depth int) error {
	refs, err := w.d.file.Array(o)
	if err != nil {
		return fmt.Errorf("fields of the form: %w", err)
	}
	for _, o := range refs {
		ref, ok := o.(pdf.Ref)
		if !ok {
			return fmt.Errorf("%w: a field of the form is no reference", ErrDamaged)
		}
		if w.seen[ref] {
			continue
		}
		if w.seen[ref] = true; len(w.seen) > maxFields || depth > maxFieldDepth {
			return fmt.Errorf("%w: fields of the form", ErrTooMuch)
		}
		if err := w.field(ref, above, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) field(ref pdf.Ref, above field, depth int) error {
	dict, err := w.d.once(ref, "field of the form")
	if err != nil || dict == nil {
		return err
	}
	f := field{ref: ref, name: above.name, kind: above.kind, dict: dict}
	t, err := w.d.file.Resolve(dict.Get("T"))
	if err != nil {
		return err
	}
	if s, ok := t.(*pdf.String); ok {
		if f.name != "" {
			f.name += "."
		}
		f.name += s.Text()
	}
	kind, err := w.d.file.Resolve(dict.Get("FT"))
	if err != nil {
		return err
	}
	if n, ok := kind.(pdf.Name); ok {
		f.kind = n
	}
	f.signature = f.kind == "Sig"
	if f.value = dict.Get("V"); f.value != nil && f.signature {
		if v, err := w.d.file.Resolve(f.value); err != nil || v == nil {
			f.value = nil // a value that is not there; one that cannot be read is a signature of its own kind
			if err != nil {
				f.value = dict.Get("V")
			}
		}
	}
	w.found = append(w.found, f)
	return w.list(dict.Get("Kids"), f, depth+1)
}

// taken tells whether a field of the top level has this name.
func (d *Document) taken(name string) bool {
	return slices.ContainsFunc(d.fields, func(f field) bool { return f.name == name })
}
