package ident

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Vectors of registries.md §5; month 99, so that nobody has them.
func TestR01CheckDigit(t *testing.T) {
	for _, good := range []string{"009900000008", "009940000006", "009941000001", "009900000909", "009900000910", "009941000205",
		"000740000728", "180140005198", "123456789013", "123456789025"} {
		if err := CheckDigit(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"123456789011", "123456789012", "123456789021"} {
		if CheckDigit(bad) == nil {
			t.Errorf("%s passes", bad)
		}
	}
	for _, never := range []string{"00990000096", "00990000177", "00994100028"} {
		for d := range 10 {
			if s := fmt.Sprint(never, d); CheckDigit(s) == nil {
				t.Errorf("%s is never assigned, and passes", s)
			}
		}
	}
}

// Any eleven digits have at most one twelfth.
func TestOneCheckDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		head := rapid.StringMatching(`[0-9]{11}`).Draw(t, "head")
		n := 0
		for d := range 10 {
			if CheckDigit(fmt.Sprint(head, d)) == nil {
				n++
			}
		}
		if n > 1 {
			t.Fatalf("%d check digits", n)
		}
	})
}

func TestR04Numbers(t *testing.T) {
	if got, err := ParseIIN(" 123456789011\n"); err != nil || got != "123456789011" {
		t.Errorf("%q %v", got, err)
	}
	for _, bad := range []string{"", "12345678901", "1234567890111", "١٢٣٤٥٦٧٨٩٠١١", "12345678901О", "12345678901O", "123 456789011", "-12345678901", "12345678901\x00"} {
		if _, err := ParseIIN(bad); err == nil {
			t.Errorf("%q is read", bad)
		} else if len(bad) > 8 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q is repeated in %v", bad, err)
		}
		if _, err := ParseBIN(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestRules(t *testing.T) {
	var none Rules
	if _, err := none.AdmitIIN("123456789011"); err == nil {
		t.Error("R-02: a test number is admitted without a list")
	}
	some := Rules{TestIdentities: []string{"123456789011"}}
	if got, err := some.AdmitBIN(" 123456789011 "); err != nil || !some.Test(string(got)) {
		t.Errorf("R-02: %v", err)
	}
	if _, err := some.AdmitIIN("123456789012"); err == nil {
		t.Error("another test number is admitted")
	}
}

func TestBorn(t *testing.T) {
	if day, ok := IIN("990228300000").Born(); !ok || day.Format("2006-01-02") != "1999-02-28" {
		t.Errorf("%v %v", day, ok)
	}
	for _, s := range []IIN{"990230300000", "990228000000", "123456789011", ""} {
		if _, ok := s.Born(); ok {
			t.Errorf("%s was born", s)
		}
	}
}

func TestContacts(t *testing.T) {
	for in, want := range map[string]Email{"B@Example.KZ": "B@example.kz", " a.b+c@x-y.example.kz ": "a.b+c@x-y.example.kz"} {
		if got, err := ParseEmail(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "a", "@b.kz", "a@", "a@b", "a@b.", "a@.b", "a..b@c.kz", ".a@b.kz", "a@b.kz\r\nBcc: x@y.kz", "A <a@b.kz>", "a@b.kz,c@d.kz",
		"a b@c.kz", "a@b@c.kz", "а@почта.kz", "a@-b.kz", strings.Repeat("a", 65) + "@b.kz", "a@" + strings.Repeat("b.", 130) + "kz"} {
		if got, err := ParseEmail(bad); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

func TestMasks(t *testing.T) {
	for got, want := range map[string]string{
		MaskEmail("bolat@example.kz"): "b***@example.kz", MaskEmail("x"): "***", MaskPhone("+77011234567"): "+7 701 ••• •• 67", MaskPhone("+998901234567"): "+99 ••• •• 67",
		MaskNumber("123456789011"): "********9011", MaskNumber("1"): "********", FormatIIN("123456789011"): "123 456 789 011", FormatIIN("1"): "1",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"123456789011", "b@example.kz", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseIIN(s); err == nil {
			if again, err := ParseIIN(string(n)); err != nil || again != n {
				t.Errorf("%q reads otherwise again", n)
			}
		}
		if e, err := ParseEmail(s); err == nil {
			if again, err := ParseEmail(string(e)); err != nil || again != e {
				t.Errorf("%q reads otherwise again", e)
			}
			MaskEmail(e)
		}
	})
}
