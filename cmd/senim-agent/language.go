package main

import (
	"cmp"
	"os"
	"strings"

	"senim/internal/desktop"
	"senim/internal/lang"
)

// systemLanguage is what the person reads the system in, of ours.
func systemLanguage() lang.Tag { return languageOf(os.Getenv, desktop.Languages) }

// languageOr is the language of that name, else the system's.
func languageOr(name string) lang.Tag {
	if t, ok := lang.Parse(name); ok {
		return t
	}
	return systemLanguage()
}

// languageOf goes by what the environment names, as POSIX and gettext have it, then by the list that Windows and macOS
// keep: there programs are started with no such names.
func languageOf(env func(string) string, system func() []string) lang.Tag {
	locale := cmp.Or(env("LC_ALL"), env("LC_MESSAGES"), env("LANG"))
	if locale != "" && locale != "C" && locale != "POSIX" && !strings.HasPrefix(locale, "C.") {
		for _, name := range append(strings.Split(env("LANGUAGE"), ":"), locale) {
			if t, ok := lang.Of(name); ok {
				return t
			}
		}
	}
	for _, name := range system() {
		if t, ok := lang.Of(name); ok {
			return t
		}
	}
	return lang.RU
}
