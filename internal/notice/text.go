package notice

import (
	"fmt"
	"strings"

	"senim/internal/gsm"
	"senim/internal/lang"
)

// RenderShort writes the text of a short message: in the reader's language, or in unknown when that
// is not known (rule I8), in at most two parts, with the organisation's name shortened when it does
// not fit and nothing else (rule I9). Values are those of [Render].
//
// It fails when the number has no such text, a {placeholder} has no value, the text does not fit, or
// has a link: nobody can tell ours from a thief's on a phone.
func RenderShort(m Message, brand string, unknown lang.Tag) (string, error) {
	if err := m.Check(); err != nil {
		return "", err
	}
	key := area(m.N) + ".sms"
	if number, _, special := strings.Cut(m.N, "."); special && !lang.Has(key) {
		key = area(number) + ".sms" // what is said shortly is the same
	}
	if !lang.Has(key) {
		return "", fmt.Errorf("render %s: no such short text", m.N)
	}
	tag := m.Lang
	if _, ok := lang.Parse(string(tag)); !ok {
		tag = unknown
	}
	if name := missing(tag.Text(key), m.Vars); name != "" {
		return "", fmt.Errorf("render %s: no value for %s", m.N, name)
	}
	vars := map[string]string{}
	for name, v := range m.Vars {
		vars[name] = v
	}
	text, err := gsm.Fit(func(org string) string {
		if _, named := vars["org"]; named {
			vars["org"] = org
		}
		return tag.Text(key, values(vars, tag, brand)...)
	}, Cut(m.Vars["org"], 80), gsm.MaxParts)
	if err != nil {
		return "", fmt.Errorf("render %s: %w", m.N, err)
	}
	if strings.Contains(text, "://") {
		return "", fmt.Errorf("render %s: a link in a short message", m.N)
	}
	return text, nil
}
