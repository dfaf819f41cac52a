package main

import (
	"strings"
	"testing"

	"senim/internal/lang"
)

// TestSystemLanguage: the environment first, then the system's own list; of languages that are not ours the next one.
func TestSystemLanguage(t *testing.T) {
	for _, c := range []struct {
		env, system string
		want        lang.Tag
	}{
		{"", "", lang.RU},
		{"LANG=kk_KZ.UTF-8", "", lang.KK},
		{"LANG=en_US.UTF-8 LC_ALL=kk_KZ", "", lang.KK},
		{"LANG=en_US.UTF-8 LC_MESSAGES=ru_RU@x", "", lang.RU},
		{"LANG=de_DE.UTF-8 LANGUAGE=de:kk:en", "", lang.KK},
		{"LANG=C LANGUAGE=kk", "", lang.RU},
		{"LANG=C.UTF-8", "en-GB", lang.EN},
		{"LANG=de_DE.UTF-8", "", lang.RU},
		{"LANG=POSIX", "", lang.RU},
		{"LANG=_._", "", lang.RU},
		{"", "kk-KZ ru-RU", lang.KK}, // Windows, macOS
		{"", "en-US", lang.EN},
		{"", "kk-Cyrl-KZ", lang.KK},
		{"", "de-DE en-US ru-RU", lang.EN},
		{"", "de-DE", lang.RU},
		{"LANG=kk_KZ.UTF-8", "en-US", lang.KK}, // a terminal that says so
	} {
		env := map[string]string{}
		for _, pair := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		if got := languageOf(func(name string) string { return env[name] }, func() []string { return strings.Fields(c.system) }); got != c.want {
			t.Errorf("%q, %q: %s, want %s", c.env, c.system, got, c.want)
		}
	}
	t.Setenv("LC_ALL", "kk_KZ.UTF-8")
	t.Setenv("LANGUAGE", "")
	if got := systemLanguage(); got != lang.KK {
		t.Errorf("%s", got)
	}
}
