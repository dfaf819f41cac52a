package pades

import (
	"slices"

	"senim/internal/pdf"
)

// Keys a new signature field or its widget may have, ISO 32000-1 tables 164, 188, 220 and 232: no
// actions, no layers.
var fieldKeys = []pdf.Name{
	"Type", "Subtype", "FT", "T", "TU", "V", "P", "Rect", "F", "AP", "AS", "MK", "BS", "Border", "H", "Ff", "DA", "DR",
	"Lock", "SV", "NM", "M", "Parent", "Kids",
}

// Keys that signing an empty field changes in it and in its widgets.
var signingKeys = []pdf.Name{"V", "AP", "F", "M", "NM", "MK"}

// signatures explains signature fields that are new or were empty, with all that is new under them.
func (c *comparison) signatures() error {
	for _, f := range c.d.fields {
		if !c.open[f.ref.Num] || !f.signature || f.value == nil {
			continue
		}
		explain := c.filledField
		if c.fresh[f.ref.Num] {
			explain = c.newField
		}
		ok, err := explain(f)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		for _, s := range c.d.signatures {
			switch {
			case s.field != f.ref:
			case s.DocumentTimestamp:
				c.later.Timestamps = append(c.later.Timestamps, f.name)
			default:
				c.later.Signatures = append(c.later.Signatures, f.name)
			}
		}
	}
	return nil
}

// newValue tells whether the value of a field is a signature dictionary that was not signed yet.
func (c *comparison) newValue(v pdf.Object) (bool, error) {
	ref, indirect := v.(pdf.Ref)
	if indirect && !c.fresh[ref.Num] {
		return false, nil
	}
	o, err := c.now.Resolve(v)
	dict, ok := o.(*pdf.Dict)
	if err != nil || !ok || dict.Twice {
		return false, err
	}
	kind := dict.Get("Type")
	return kind == nil || kind == pdf.Name("Sig") || kind == pdf.Name("DocTimeStamp"), nil
}

func (c *comparison) newField(f field) (bool, error) {
	if ok, err := c.newValue(f.value); err != nil || !ok {
		return false, err
	}
	widgets := []pdf.Ref{f.ref}
	kids, err := c.now.Array(f.dict.Get("Kids"))
	if err != nil {
		return false, err
	}
	for _, kid := range kids {
		ref, ok := kid.(pdf.Ref)
		if !ok || !c.fresh[ref.Num] {
			return false, nil
		}
		widgets = append(widgets, ref)
	}
	for _, ref := range widgets {
		dict, err := c.now.Dict(ref)
		if err != nil || dict == nil || dict.Twice {
			return false, err
		}
		for _, k := range dict.Keys() {
			if !slices.Contains(fieldKeys, k) {
				return false, nil
			}
		}
		parent, ok := dict.Get("Parent").(pdf.Ref)
		if dict.Get("Parent") != nil && (!ok || parent != f.ref) {
			return false, nil
		}
	}
	for _, ref := range widgets {
		if err := c.explainWidget(ref); err != nil {
			return false, err
		}
	}
	return true, nil
}

// explainWidget explains a new widget, or an empty one that was filled in, with what is new under it.
func (c *comparison) explainWidget(ref pdf.Ref) error {
	dict, err := c.now.Dict(ref)
	if err != nil {
		return err
	}
	c.added[ref.Num] = c.fresh[ref.Num]
	delete(c.open, ref.Num)
	c.later.Visible = c.later.Visible || visible(dict)
	return c.own(dict)
}

// visible tells whether a widget has an area.
func visible(dict *pdf.Dict) bool {
	rect, ok := dict.Get("Rect").(pdf.Array)
	if !ok || len(rect) != 4 {
		return dict.Get("Rect") != nil
	}
	return !same(rect[0], rect[2]) && !same(rect[1], rect[3])
}

func same(a, b pdf.Object) bool {
	switch a.(type) {
	case int64, pdf.Real:
		return a == b
	}
	return false
}

// filledField explains a field that was signed empty: its value, and the look of its widgets.
func (c *comparison) filledField(f field) (bool, error) {
	if ok, err := c.newValue(f.value); err != nil || !ok {
		return false, err
	}
	kids, err := c.now.Array(f.dict.Get("Kids"))
	if err != nil {
		return false, err
	}
	changed := []pdf.Ref{f.ref}
	for _, kid := range kids {
		if ref, ok := kid.(pdf.Ref); ok && c.open[ref.Num] {
			changed = append(changed, ref)
		}
	}
	for _, ref := range changed {
		a, err := c.old.Dict(ref)
		if err != nil || a == nil || a.Get("V") != nil {
			return false, err
		}
		b, err := c.now.Dict(ref)
		if err != nil || b == nil {
			return false, err
		}
		if ok, err := c.onlyDiffer(a, b, signingKeys...); err != nil || !ok {
			return false, err
		}
	}
	for _, ref := range changed {
		if err := c.explainWidget(ref); err != nil {
			return false, err
		}
	}
	return true, nil
}

// onlyDiffer tells whether two dictionaries are the same but for some keys.
func (c *comparison) onlyDiffer(a, b *pdf.Dict, permitted ...pdf.Name) (bool, error) {
	if a != nil && a.Twice || b.Twice {
		return false, nil
	}
	keys, err := c.differing(a, b)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(keys, func(k pdf.Name) bool { return !slices.Contains(permitted, k) }), nil
}

// grown tells whether a list is as it was but for new signature fields and widgets in it.
func (c *comparison) grown(a, b pdf.Array) (bool, error) {
	for _, o := range b {
		if len(a) > 0 {
			same, err := pdf.Equal(c.old, a[0], c.now, o)
			if err != nil {
				return false, err
			}
			if same {
				a = a[1:]
				continue
			}
		}
		if ref, ok := o.(pdf.Ref); !ok || !c.added[ref.Num] {
			return false, nil
		}
	}
	return len(a) == 0, nil
}

// grownValues is grown of what two values resolve to, and explains the new list itself.
func (c *comparison) grownValues(a, b pdf.Object) (bool, error) {
	before, err := c.old.Array(a)
	if err != nil {
		return false, err
	}
	now, err := c.now.Array(b)
	if err != nil {
		return false, err
	}
	ok, err := c.grown(before, now)
	if ref, indirect := b.(pdf.Ref); ok && indirect && c.fresh[ref.Num] {
		delete(c.open, ref.Num)
	}
	return ok, err
}

// versions are an object as it was and as it is now.
func (c *comparison) versions(num int) (before, now pdf.Object, err error) {
	if before, err = c.old.Load(num); err == nil {
		now, err = c.now.Load(num)
	}
	return before, now, err
}

// page explains pages that gained signature widgets.
func (c *comparison) page() error {
	for num := range c.open {
		if c.fresh[num] {
			continue
		}
		a, b, err := c.versions(num)
		if err != nil {
			return err
		}
		before, ok1 := a.(*pdf.Dict)
		now, ok2 := b.(*pdf.Dict)
		if !ok1 || !ok2 || before.Get("Type") != pdf.Name("Page") {
			continue
		}
		ok, err := c.onlyDiffer(before, now, "Annots")
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if ok, err = c.grownValues(before.Get("Annots"), now.Get("Annots")); err != nil {
			return err
		}
		if ok {
			delete(c.open, num)
		}
	}
	return nil
}

// lists explains arrays with a number of their own, of fields or annotations, that gained only new
// signature fields and widgets. Whatever else such an array may serve for, nothing in it shows but
// a signature.
func (c *comparison) lists() error {
	for num := range c.open {
		if c.fresh[num] {
			continue
		}
		a, b, err := c.versions(num)
		if err != nil {
			return err
		}
		before, ok1 := a.(pdf.Array)
		now, ok2 := b.(pdf.Array)
		if !ok1 || !ok2 {
			continue
		}
		ok, err := c.grown(before, now)
		if err != nil {
			return err
		}
		if ok {
			delete(c.open, num)
		}
	}
	return nil
}
