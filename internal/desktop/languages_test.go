package desktop

import (
	"slices"
	"testing"
)

func TestAppleLanguages(t *testing.T) {
	for out, want := range map[string][]string{
		"(\n    \"kk-KZ\",\n    \"ru-KZ\",\n    en\n)\n": {"kk-KZ", "ru-KZ", "en"},
		"(\n    \"zh-Hans-KZ\"\n)\n":                     {"zh-Hans-KZ"},
		"(\n)\n":                                         nil,
		"":                                               nil,
	} {
		if got := appleLanguages([]byte(out)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", out, got, want)
		}
	}
}
