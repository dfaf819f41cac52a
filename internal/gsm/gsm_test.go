package gsm

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"senim/internal/lang"
)

// decode is the other way round, written apart from [Shape].
func decode(s Shaped) string {
	var b strings.Builder
	for _, p := range s.Parts {
		if s.Coding == 0 {
			b.Write(p) // right for what the tests send: ASCII stands at its own places, but for a few
			continue
		}
		var u []uint16
		for i := 0; i+1 < len(p); i += 2 {
			u = append(u, uint16(p[i])<<8|uint16(p[i+1]))
		}
		b.WriteString(string(utf16.Decode(u)))
	}
	return b.String()
}

func TestShapeCountsParts(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		coding byte
		parts  int // 0: too long
	}{
		"160 of GSM":             {strings.Repeat("a", 160), 0, 1},
		"161 of GSM":             {strings.Repeat("a", 161), 0, 2},
		"306 of GSM":             {strings.Repeat("a", 306), 0, 2},
		"307 of GSM":             {strings.Repeat("a", 307), 0, 0},
		"euro counts twice":      {strings.Repeat("a", 158) + "€", 0, 1},
		"euro too many":          {strings.Repeat("a", 159) + "€", 0, 2},
		"no euro cut":            {strings.Repeat("a", 152) + "€" + strings.Repeat("b", 152), 0, 0},
		"70 of Kazakh":           {strings.Repeat("Қ", 70), 8, 1},
		"71 of Kazakh":           {strings.Repeat("Қ", 71), 8, 2},
		"134 of Kazakh":          {strings.Repeat("Қ", 134), 8, 2},
		"135 of Kazakh":          {strings.Repeat("Қ", 135), 8, 0},
		"a Cyrillic letter":      {strings.Repeat("a", 70) + "к", 8, 2},
		"beside the plane":       {strings.Repeat("😀", 35), 8, 1},
		"beside the plane, more": {strings.Repeat("😀", 36), 8, 2},
		"no pair cut":            {strings.Repeat("к", 66) + "😀" + strings.Repeat("к", 66), 8, 0},
		"quotes of Russian":      {"«Ромашка»", 8, 1},
	} {
		s, err := Shape(c.text, MaxParts)
		if c.parts == 0 {
			if !errors.Is(err, ErrTooLong) {
				t.Errorf("%s: %d parts, %v", name, len(s.Parts), err)
			}
			continue
		}
		if err != nil || s.Coding != c.coding || len(s.Parts) != c.parts {
			t.Errorf("%s: coding %d, %d parts, %v", name, s.Coding, len(s.Parts), err)
		}
		if s.Coding == 8 && decode(s) != c.text {
			t.Errorf("%s: comes back as %q", name, decode(s))
		}
	}
	for _, text := range []string{"", "a\x00b", "a\rb", "a\x1bb"} {
		if _, err := Shape(text, MaxParts); !errors.Is(err, ErrText) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// NT-16: a name of 180 characters is cut, the date never.
func TestNT16TheNameIsCutAndTheDateWhole(t *testing.T) {
	org := strings.TrimSpace(strings.Repeat("Товарищество «Ромашка» ", 8))
	org = string([]rune(org)[:180])
	for _, tag := range []lang.Tag{lang.KK, lang.RU, lang.EN} {
		write := func(org string) string {
			return map[lang.Tag]string{
				lang.RU: "Senim: ключи ЭЦП " + org + " истекают 01.05.2026. Перевыпустите их в личном кабинете.",
				lang.KK: "Senim: " + org + " ЭЦҚ кілттерінің мерзімі 01.05.2026 бітеді. Жеке кабинетте қайта шығарыңыз.",
				lang.EN: "Senim: keys of " + org + " expire 01.05.2026. Re-issue them in the cabinet.",
			}[tag]
		}
		text, err := Fit(write, org, MaxParts)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Shape(text, MaxParts)
		if err != nil || len(s.Parts) != 2 || !strings.Contains(text, "01.05.2026") || !strings.Contains(text, "…") || !strings.Contains(text, "Товарищество «Ромашка»") {
			t.Errorf("%s: %d parts, %v: %s", tag, len(s.Parts), err, text)
		}
		if n := utf8.RuneCountInString(text); n < 120 {
			t.Errorf("%s: cut more than needed, to %d: %s", tag, n, text)
		}
		before, _, _ := strings.Cut(text, "…")
		if !strings.HasPrefix(write(org), before) {
			t.Errorf("%s: something else was changed: %s", tag, text)
		}
	}
	short, err := Fit(func(org string) string { return "Senim: " + org + " 01.05.2026" }, "ТОО", MaxParts)
	if err != nil || short != "Senim: ТОО 01.05.2026" {
		t.Errorf("a short name: %q %v", short, err)
	}
	if _, err := Fit(func(org string) string { return strings.Repeat("ә", 134) + org }, org, MaxParts); !errors.Is(err, ErrTooLong) {
		t.Errorf("no room for any name: %v", err)
	}
}

func FuzzFit(f *testing.F) {
	f.Add("ТОО «Ромашка»", "истекают 01.05.2026")
	f.Add(strings.Repeat("é", 300), "expire 01.05.2026 €")
	f.Add(strings.Repeat("👩‍👩‍👧", 60), "х")
	f.Fuzz(func(t *testing.T, org, rest string) {
		text, err := Fit(func(org string) string { return "a" + org + rest }, org, MaxParts)
		if err != nil {
			return
		}
		s, err := Shape(text, MaxParts)
		if err != nil || len(s.Parts) > MaxParts || !strings.HasPrefix(text, "a") || !strings.HasSuffix(text, rest) {
			t.Errorf("%q: %d parts, %v", text, len(s.Parts), err)
		}
		for i, p := range s.Parts {
			if limit := map[bool]int{true: 140, false: 160}[s.Coding == 8]; len(p) > limit || len(s.Parts) > 1 && len(p) > limit-6 {
				t.Errorf("part %d of %d units", i, len(p))
			}
		}
		if s.Coding == 8 && utf8.ValidString(text) && decode(s) != text {
			t.Errorf("%q comes back as %q", text, decode(s))
		}
	})
}
