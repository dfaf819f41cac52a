package desktop

import (
	"strings"
	"testing"
)

// TestPlain: what a name in a certificate could mean to the system that shows it is gone, and people read the same.
func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"ТОО «Алма»: до 05.12.2026":         "ТОО «Алма»: до 05.12.2026",
		"Қазақ ӘҒҚҢӨҰҮҺІ (өзге) 'x' #1, 5%": "Қазақ ӘҒҚҢӨҰҮҺІ (өзге) 'x' #1, 5%",
		"]]></text><actions>":               "]]›‹/text›‹actions›",
		"$(calc) `n $env:x":                 "＄(calc) ˋn ＄env:x",
		"a\n\"@\nStart-Process x":           "a ″@ Start-Process x",
		`<a href="http://x">&amp;`:          `‹a href=″http://x″›＆amp;`,
		"\x1b[2Jab\u202eexe\x00\u200b":      "[2Jabexe",
		`\" & do shell script`:              `＼″ ＆ do shell script`,
		"\xff":                              "\ufffd",
	} {
		if got := plain(text); got != want {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
	if strings.ContainsAny(plain("`$<>&\"\\\r\n\t\x00"), "`$<>&\"\\\r\n\t\x00") {
		t.Error("something is left")
	}
}
