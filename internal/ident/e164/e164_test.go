package e164

import (
	"errors"
	"strings"
	"testing"

	"senim/internal/ident"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]ident.Phone{"8 (701) 123-45-67": "+77011234567", "+7 701 123 45 67": "+77011234567", "+998 90 123 45 67": "+998901234567"} {
		if got, err := Parse(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "123", "abc", strings.Repeat("7", 50)} {
		if got, err := Parse(bad); !errors.Is(err, ident.ErrPhone) || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %q %v", bad, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"+77011234567", "8 701", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := Parse(s); err == nil {
			if again, err := Parse(string(p)); err != nil || again != p {
				t.Errorf("%q reads otherwise again", p)
			}
		}
	})
}
