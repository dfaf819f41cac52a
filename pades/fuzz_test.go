package pades

import (
	"bytes"
	"errors"
	"slices"
	"testing"
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
