package pades

import (
	"slices"

	"senim/internal/pdf"
)

// formAndCatalog explains what signing changes in the catalog and in the form.
func (c *comparison) formAndCatalog() error {
	before, err := c.old.Dict(c.d.root)
	if err != nil {
		return err
	}
	now := c.d.catalog
	ok, err := c.formGrown(before.Get("AcroForm"), now.Get("AcroForm"))
	if err != nil {
		return err
	}
	if !ok {
		c.change("the form of the document was changed")
	}
	if !c.open[c.d.root.Num] {
		return nil
	}
	// Version may only name a version; Extensions says which extensions of the format are used.
	if ok, err := c.onlyDiffer(before, now, "AcroForm", "DSS", "Metadata", "Version", "Extensions"); err != nil || !ok {
		return err
	}
	if _, name := now.Get("Version").(pdf.Name); now.Get("Version") != nil && !name {
		return nil
	}
	delete(c.open, c.d.root.Num)
	return c.own(now.Get("Extensions"))
}

// formGrown tells whether the form is as it was but for new signature fields and SigFlags.
func (c *comparison) formGrown(a, b pdf.Object) (bool, error) {
	before, err := c.old.Dict(a)
	if err != nil {
		return false, err
	}
	now, err := c.now.Dict(b)
	if err != nil || now == nil {
		return before == nil, err
	}
	permitted := []pdf.Name{"Fields", "SigFlags"}
	fields, err := c.old.Array(before.Get("Fields"))
	if err != nil {
		return false, err
	}
	if len(fields) == 0 { // no field is there whose look they could change
		permitted = append(permitted, "DA", "DR")
	}
	if ok, err := c.onlyDiffer(before, now, permitted...); err != nil || !ok {
		return false, err
	}
	if ok, err := c.grownValues(before.Get("Fields"), now.Get("Fields")); err != nil || !ok {
		return false, err
	}
	was, _ := before.Get("SigFlags").(int64)
	is, _ := now.Get("SigFlags").(int64)
	if is < 0 || is > 3 || was&^is != 0 {
		return false, nil
	}
	if ref, ok := b.(pdf.Ref); ok && (c.fresh[ref.Num] || a == b) {
		delete(c.open, ref.Num)
	}
	return true, c.own(pdf.New(pdf.Name("DA"), now.Get("DA"), pdf.Name("DR"), now.Get("DR")))
}

// validationData explains the DSS, EN 319 142-1 5.4: certificates, lists and answers, which nobody sees.
func (c *comparison) validationData() error {
	before, err := c.old.Dict(c.d.root)
	if err != nil {
		return err
	}
	was, is := before.Get("DSS"), c.d.catalog.Get("DSS")
	open := len(c.open)
	top, err := c.container(is)
	if err != nil {
		return err
	}
	if dict, ok := top.(*pdf.Dict); ok {
		if err := c.dss(dict); err != nil {
			return err
		}
	}
	same, err := pdf.Equal(c.old, was, c.now, is)
	c.later.ValidationData = len(c.open) != open || !same
	return err
}

// container explains a dictionary or array of the DSS and gives it. One that was there before must
// have been pointed to from one place only, so that it serves for nothing else.
func (c *comparison) container(o pdf.Object) (pdf.Object, error) {
	if ref, ok := o.(pdf.Ref); ok && c.open[ref.Num] {
		if !c.fresh[ref.Num] && c.pointed[ref.Num] != 1 {
			return nil, nil
		}
		value, err := c.now.Resolve(o)
		switch value.(type) {
		case *pdf.Dict, pdf.Array:
			delete(c.open, ref.Num)
			return value, err
		}
		return nil, err
	}
	return c.now.Resolve(o)
}

func (c *comparison) dss(dict *pdf.Dict) error {
	for _, k := range dict.Keys() {
		switch k {
		case "Certs", "OCSPs", "CRLs":
			if err := c.streams(dict.Get(k)); err != nil {
				return err
			}
		case "VRI":
			top, err := c.container(dict.Get(k))
			if err != nil {
				return err
			}
			vri, ok := top.(*pdf.Dict)
			if !ok {
				continue
			}
			for _, name := range vri.Keys() {
				if err := c.vri(vri.Get(name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *comparison) vri(o pdf.Object) error {
	value, err := c.container(o)
	entry, ok := value.(*pdf.Dict)
	if err != nil || !ok {
		return err
	}
	for _, k := range []pdf.Name{"Cert", "OCSP", "CRL"} {
		if err := c.streams(entry.Get(k)); err != nil {
			return err
		}
	}
	return c.stream(entry.Get("TS"))
}

func (c *comparison) streams(o pdf.Object) error {
	value, err := c.container(o)
	list, ok := value.(pdf.Array)
	if err != nil || !ok {
		return err
	}
	for _, o := range list {
		if err := c.stream(o); err != nil {
			return err
		}
	}
	return nil
}

// stream explains one new stream.
func (c *comparison) stream(o pdf.Object) error {
	ref, ok := o.(pdf.Ref)
	if !ok || !c.open[ref.Num] || !c.fresh[ref.Num] {
		return nil
	}
	value, err := c.now.Resolve(o)
	if s, ok := value.(*pdf.Stream); ok {
		delete(c.open, ref.Num)
		return c.own(s.Dict)
	}
	return err
}

// description explains the two places that describe the document. Neither shows on a page; that they
// changed is told, unless only programs left their traces.
func (c *comparison) description() error {
	if ref, ok := c.now.Trailer().Get("Info").(pdf.Ref); ok && c.open[ref.Num] && c.pointed[ref.Num] == 0 {
		before, err := c.old.Dict(ref)
		if err != nil {
			return err
		}
		now, err := c.now.Dict(ref)
		if err != nil {
			return err
		}
		keys, err := c.differing(before, now)
		if err != nil {
			return err
		}
		delete(c.open, ref.Num)
		if slices.ContainsFunc(keys, func(k pdf.Name) bool { return k != "ModDate" && k != "Producer" }) {
			c.later.Description = true
		}
		if err := c.own(now); err != nil {
			return err
		}
	}
	old, err := c.old.Dict(c.d.root)
	if err != nil {
		return err
	}
	was, is := old.Get("Metadata"), c.d.catalog.Get("Metadata")
	same, err := pdf.Equal(c.old, was, c.now, is)
	if err != nil {
		return err
	}
	ref, ok := is.(pdf.Ref)
	if !ok || !c.open[ref.Num] || !c.fresh[ref.Num] && (!same || c.pointed[ref.Num] != 1) {
		c.later.Description = c.later.Description || !same
		return nil
	}
	value, err := c.now.Resolve(is)
	if s, ok := value.(*pdf.Stream); ok && s.Dict.Get("Type") == pdf.Name("Metadata") {
		delete(c.open, ref.Num)
		c.later.Description = true
		return c.own(s.Dict)
	}
	return err
}
