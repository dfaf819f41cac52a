package pades

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"senim/internal/pdf"
)

// FuzzParse: whatever parses can be judged, and whatever can be signed carries a good signature then
// and leaves those before as they were.
func FuzzParse(f *testing.F) {
	a := authority(f)
	l := rsaLeaf(a)
	small := func(o *Options) { o.Room = 1 }
	forms := body()
	forms[1] = form(forms[1], "7 0 R")
	forms[6] = "<< /FT /Tx /T (x) /V (100) >>"
	forms[7] = "<< /Fields 8 0 R >>"
	forms[8] = "[6 0 R]"
	for _, file := range [][]byte{classic(body(), ""), modern(body()), classic(forms, "/Info 5 0 R"), modern(forms)} {
		f.Add(file)
		one := signed(f, file, l, small)
		f.Add(one)
		f.Add(signed(f, one, l, small))
		f.Add(grow(one, map[int]string{4: content("x")}))
		f.Add(grow(one, map[int]string{1: form(body()[1], "9 0 R") + "/DSS << >>"}))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := Parse(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		before, err := d.Verify()
		if err != nil && !errors.Is(err, ErrUnsigned) {
			t.Fatal(err)
		}
		for _, v := range before {
			if (v.Err == nil) != (v.Outcome == Valid) || v.Outcome == Valid && (v.Certificate == nil || v.Signed == 0) {
				t.Fatalf("%+v", v)
			}
		}
		update, err := d.Sign(random, Options{Key: l.Key, Certificate: l.Certificate, Time: moment, Room: 1})
		if err != nil {
			return
		}
		after := verdicts(t, slices.Concat(file, update))
		if len(after) != len(before)+1 {
			t.Fatalf("%d signatures, then %d", len(before), len(after))
		}
		if v := after[len(after)-1]; v.Outcome != Valid {
			t.Fatalf("signed: %v", v.Err)
		}
		for i, v := range before {
			if v.Outcome == Valid && after[i].Outcome != Valid {
				t.Fatalf("signature %d was valid: %v", i+1, after[i].Err)
			}
		}
	})
}

// FuzzUpdate: whatever an update of a signed document says, the signature stays valid only if every
// object that shows is what it was.
func FuzzUpdate(f *testing.F) {
	file := signed(f, classic(body(), "/Info 6 0 R"), rsaLeaf(authority(f)), func(o *Options) { o.Room = 1 })
	num, fields := formOf(file)
	for n, text := range body() {
		f.Add(n, text, n+1, "null")
	}
	f.Add(1, form(body()[1], "9 0 R"), num, "<< /Fields ["+fields+" 20 0 R] /SigFlags 3 >>")
	f.Add(1, form(body()[1], "9 0 R")[:40]+"/DSS << /Certs [20 0 R] >> >>", 20, content("x"))
	f.Add(20, "<< /FT /Sig /T (x) /V << /Type /Sig >> >>", num, "<< /Fields ["+fields+" 20 0 R] /SigFlags 3 >>")
	f.Add(3, annots(body()[3], "["+fields+" 20 0 R]"), 20, "<< /FT /Sig /V 21 0 R /Kids [] >>")
	f.Add(6, "<< /Title (x) >>", 4, content("y"))
	f.Fuzz(func(t *testing.T, a int, one string, b int, two string) {
		if a < 1 || b < 1 || a > 99 || b > 99 || len(one)+len(two) > 1<<16 {
			return
		}
		made := growWith(file, map[int]string{a: one, b: two}, "/Root 1 0 R /Info 6 0 R")
		d, err := Parse(bytes.NewReader(made), int64(len(made)))
		if err != nil {
			return
		}
		list, err := d.Verify()
		if err != nil {
			return
		}
		old, err := d.file.Revision(int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			if v.Outcome != Valid {
				continue
			}
			for n := range 6 {
				x, err1 := old.Load(n)
				y, err2 := d.file.Load(n)
				same, err := pdf.Equal(old, x, d.file, y)
				if err := errors.Join(err1, err2, err); err != nil {
					t.Fatal(err)
				}
				before, _ := x.(*pdf.Dict)
				after, _ := y.(*pdf.Dict)
				shown := map[int][]pdf.Name{1: {"Pages", "OpenAction", "AA", "Names"}, 3: {"Contents", "Resources", "MediaBox", "AA"}}[n]
				same = same || len(shown) > 0 && !slices.ContainsFunc(shown, func(k pdf.Name) bool {
					equal, err := pdf.Equal(old, before.Get(k), d.file, after.Get(k))
					return err != nil || !equal
				})
				if !same {
					t.Fatalf("object %d is not what it was, and the signature is valid", n)
				}
			}
		}
	})
}
