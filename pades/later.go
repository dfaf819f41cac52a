package pades

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"senim/internal/pdf"
)

const maxChanges = 20

// comparison explains the objects that differ between a signed revision and the document as it is.
// Whatever is left without an explanation is a change.
type comparison struct {
	d        *Document
	old, now *pdf.File
	open     map[int]bool // numbers that differ and are not explained
	fresh    map[int]bool // those of them that the signed revision did not have
	pointed  map[int]int  // how often objects of the signed revision refer to those that differ
	added    map[int]bool // new signature fields and widgets
	later    Later
}

// later compares the document with an earlier revision of it.
func (d *Document) later(old *pdf.File) (Later, error) {
	c := &comparison{d: d, old: old, now: d.file, open: map[int]bool{}, fresh: map[int]bool{}, pointed: map[int]int{}, added: map[int]bool{}}
	c.later.Bytes = d.Size() - old.Size()
	if blank, err := d.file.Blank(old.Size()); err != nil || blank {
		return c.later, err
	}
	for _, step := range []func() error{
		c.stray, c.trailers, c.differences, c.pointers, c.carriers, c.signatures,
		c.page, c.lists, c.formAndCatalog, c.validationData, c.description,
	} {
		if err := step(); err != nil {
			return c.later, err
		}
	}
	return c.later, c.rest()
}

// rest: what is not explained by now is a change, but for new objects that nothing refers to, which
// some programs leave behind.
func (c *comparison) rest() error {
	var todo []pdf.Object
	reached := map[int]bool{}
	for num := range c.fresh { // all that differ
		if !c.open[num] || !c.fresh[num] {
			reached[num] = true
			todo = append(todo, pdf.Ref{Num: num, Gen: c.now.Entry(num).Gen})
		}
	}
	todo = append(todo, c.now.Trailer())
	for len(todo) > 0 {
		o := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if ref, ok := o.(pdf.Ref); ok {
			value, err := c.now.Resolve(ref)
			if err != nil {
				return err
			}
			o = value
		}
		references(o, func(ref pdf.Ref) {
			if _, differs := c.fresh[ref.Num]; differs && !reached[ref.Num] {
				reached[ref.Num] = true
				todo = append(todo, pdf.Ref{Num: ref.Num, Gen: c.now.Entry(ref.Num).Gen})
			}
		})
	}
	for _, num := range slices.Sorted(maps.Keys(c.open)) {
		if reached[num] {
			c.change("%s", c.describe(num))
		} else {
			c.later.Unused++
		}
	}
	return nil
}

// references calls visit with every reference in an object.
func references(o pdf.Object, visit func(pdf.Ref)) {
	switch o := o.(type) {
	case pdf.Ref:
		visit(o)
	case pdf.Array:
		for _, e := range o {
			references(e, visit)
		}
	case *pdf.Dict:
		for _, k := range o.Keys() {
			references(o.Get(k), visit)
		}
	case *pdf.Stream:
		for _, k := range o.Dict.Keys() {
			// A cross-reference stream is a trailer too.
			if o.Dict.Get("Type") != pdf.Name("XRef") || k != "Info" && k != "Root" {
				references(o.Dict.Get(k), visit)
			}
		}
	}
}

func (c *comparison) change(format string, args ...any) {
	if len(c.later.Changed) < maxChanges {
		c.later.Changed = append(c.later.Changed, fmt.Sprintf(format, args...))
	}
}

// stray looks for bytes that no update accounts for.
func (c *comparison) stray() error {
	span, err := c.now.Stray(c.old)
	if err == nil && span.To > span.From {
		c.change("bytes %d to %d belong to no object of the document", span.From, span.To)
	}
	return err
}

// trailers: the catalog stays where it is; that the description does not is told.
func (c *comparison) trailers() error {
	a, b := c.old.Trailer(), c.now.Trailer()
	if a.Get("Root") != b.Get("Root") {
		c.change("the catalog of the document was exchanged")
	}
	if info := a.Get("Info"); info != nil {
		same, err := pdf.Equal(c.old, info, c.now, b.Get("Info"))
		c.later.Description = !same
		return err
	}
	return nil
}

// differences collects the numbers whose objects are not the same any more.
func (c *comparison) differences() error {
	for _, num := range c.now.Updated(c.old) {
		if c.now.SamePlace(c.old, num) {
			continue
		}
		a, err1 := c.old.Load(num)
		b, err2 := c.now.Load(num)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if a == nil && b == nil {
			continue
		}
		same, err := pdf.Equal(c.old, a, c.now, b)
		if err != nil {
			return err
		}
		if same && c.old.Entry(num).Gen == c.now.Entry(num).Gen {
			continue
		}
		c.open[num] = true
		c.fresh[num] = a == nil
	}
	return nil
}

// pointers looks in every object that was signed for references to those that differ. One to an
// object that was not there yet is a trap: what it shows came later.
func (c *comparison) pointers() error {
	err := c.old.Numbers(func(num int) error {
		o, err := c.old.Load(num)
		if err != nil {
			return unknowable{fmt.Errorf("object %d of the signed part: %w", num, err)}
		}
		references(o, func(ref pdf.Ref) {
			if c.open[ref.Num] { // whatever the generation: not all programs look at it
				c.pointed[ref.Num]++
			}
		})
		return nil
	})
	if err != nil {
		return err
	}
	for _, num := range slices.Sorted(maps.Keys(c.fresh)) {
		if c.fresh[num] && c.pointed[num] > 0 {
			c.change("object %d, to which the signed part pointed, came later", num)
		}
	}
	return nil
}

// carriers are new cross-reference and object streams: what they carry is looked at by itself.
func (c *comparison) carriers() error {
	for num := range c.open {
		if !c.fresh[num] {
			continue
		}
		o, err := c.now.Load(num)
		if err != nil {
			return err
		}
		if s, ok := o.(*pdf.Stream); ok && (s.Dict.Get("Type") == pdf.Name("XRef") || s.Dict.Get("Type") == pdf.Name("ObjStm")) {
			delete(c.open, num)
		}
	}
	return nil
}

// own explains what is new under an object that was itself explained. It stops at whatever was
// there before.
func (c *comparison) own(root pdf.Object) error {
	for todo := []pdf.Object{root}; len(todo) > 0; {
		o := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch v := o.(type) {
		case pdf.Ref:
			if !c.open[v.Num] || !c.fresh[v.Num] {
				continue
			}
			delete(c.open, v.Num)
			value, err := c.now.Resolve(v)
			if err != nil {
				return err
			}
			todo = append(todo, value)
		case pdf.Array:
			todo = append(todo, v...)
		case *pdf.Dict:
			for _, k := range v.Keys() {
				todo = append(todo, v.Get(k))
			}
		case *pdf.Stream:
			todo = append(todo, v.Dict)
		}
	}
	return nil
}

// differing are the keys whose values are not the same in both; a key that stands twice is one.
func (c *comparison) differing(a, b *pdf.Dict) ([]pdf.Name, error) {
	var out []pdf.Name
	for _, k := range append(slices.Clone(a.Keys()), b.Keys()...) {
		if slices.Contains(out, k) {
			continue
		}
		same, err := pdf.Equal(c.old, a.Get(k), c.now, b.Get(k))
		if err != nil {
			return nil, err
		}
		if !same {
			if out = append(out, k); len(out) > 64 {
				return out, nil // more than any rule permits
			}
		}
	}
	return out, nil
}

// describe says in words what an object is.
func (c *comparison) describe(num int) string {
	o, err := c.now.Load(num)
	if err != nil || o == nil {
		if o, err = c.old.Load(num); err != nil {
			o = nil
		}
	}
	what := "something"
	var dict *pdf.Dict
	switch o := o.(type) {
	case *pdf.Stream:
		what, dict = "contents", o.Dict
	case *pdf.Dict:
		dict = o
	}
	switch dict.Get("Type") {
	case pdf.Name("Catalog"):
		what = "the catalog of the document"
	case pdf.Name("Page"), pdf.Name("Pages"):
		what = "a page"
	case pdf.Name("Annot"):
		what = "an annotation"
	case pdf.Name("Font"):
		what = "a font"
	case pdf.Name("XObject"):
		what = "a picture"
	case pdf.Name("Metadata"):
		what = "a description"
	}
	if dict.Get("FT") != nil {
		what = "a form field"
	}
	done := "changed"
	switch now := c.now.Entry(num); {
	case c.fresh[num]:
		done = "added"
	case now.Kind == pdf.Free:
		done = "taken away"
	}
	return fmt.Sprintf("%s was %s (object %d)", what, done, num)
}
