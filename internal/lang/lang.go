// Package lang is the one catalogue of what Senim says to people, in Kazakh, Russian and English.
//
// Every text has a key, as "portal.register.title", and stands in text/<area>.json with its three
// languages side by side; the area is the first part of the key. [Tag.Text] gives the text of a
// key, with {names} replaced. A key that has different words for one, few and many gives them as
// "one", "few", "many", "other" (the categories of Unicode CLDR), chosen by the value named "n".
// Dates and times are written as people in Kazakhstan write them, in Astana time.
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Tag is one of the three languages of Senim. The zero Tag is not a language: see [Parse].
type Tag string

// The languages, as BCP 47 names them.
const (
	KK Tag = "kk"
	RU Tag = "ru"
	EN Tag = "en"
)

// All lists the languages in the order in which pages offer them.
func All() []Tag { return []Tag{KK, RU, EN} }

// Parse reads a language; anything unknown is refused with ok false.
func Parse(s string) (t Tag, ok bool) {
	switch Tag(s) {
	case KK, RU, EN:
		return Tag(s), true
	}
	return "", false
}

// Of reads the name of a locale, as BCP 47 or POSIX writes it: "kk-KZ", "kk_KZ.UTF-8@x"; ok false when it is of another language.
func Of(locale string) (t Tag, ok bool) {
	if end := strings.IndexAny(locale, ".@"); end >= 0 {
		locale = locale[:end]
	}
	tag, err := language.Parse(locale)
	if err != nil {
		return "", false
	}
	base, _ := tag.Base()
	return Parse(base.String())
}

// Accept chooses a language from an Accept-Language header: the best of ours, else Russian.
func Accept(header string) Tag {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return RU
	}
	for _, t := range tags {
		base, _ := t.Base()
		if known, ok := Parse(base.String()); ok {
			return known
		}
	}
	return RU
}

// Name is the language's own name for itself, for the language switch.
func (t Tag) Name() string {
	switch t {
	case KK:
		return "Қазақша"
	case EN:
		return "English"
	case RU:
	}
	return "Русский"
}

//go:embed text/*.json
var files embed.FS

// entry is one text in one language: a plain string, or forms by plural category.
type entry struct {
	plain string
	forms map[string]string
}

func (e *entry) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		return json.Unmarshal(b, &e.forms)
	}
	return json.Unmarshal(b, &e.plain)
}

var catalogue = sync.OnceValue(func() map[string]map[Tag]entry {
	all, err := read(files)
	if err != nil {
		panic(err) // the files are part of the program; a test reads them too
	}
	return all
})

func read(from fs.FS) (map[string]map[Tag]entry, error) {
	names, err := fs.Glob(from, "text/*.json")
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	all := map[string]map[Tag]entry{}
	for _, name := range names {
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
		area := map[string]map[Tag]entry{}
		if err := json.Unmarshal(b, &area); err != nil {
			return nil, fmt.Errorf("read texts %s: %w", name, err)
		}
		prefix := strings.TrimSuffix(strings.TrimPrefix(name, "text/"), ".json") + "."
		for key, texts := range area {
			if !strings.HasPrefix(key, prefix) {
				return nil, fmt.Errorf("read texts %s: key %q does not begin with %q", name, key, prefix)
			}
			all[key] = texts
		}
	}
	return all, nil
}

// Has reports whether the catalogue has the key.
func Has(key string) bool { _, ok := catalogue()[key]; return ok }

// Keys lists every key that begins with prefix, sorted.
func Keys(prefix string) []string {
	var keys []string
	for k := range catalogue() {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

// Text gives the text of a key with its {names} replaced by values: Text("codes.CERT_EXPIRED",
// "date", d). Values may be strings, ints or anything fmt prints. An unknown key gives the key
// itself in brackets, so that a missing text is seen and never silent. Values are not escaped.
func (t Tag) Text(key string, vars ...any) string {
	e, ok := catalogue()[key][t]
	if !ok {
		return "[" + key + "]"
	}
	text := e.plain
	if e.forms != nil {
		text = e.forms[t.category(vars)]
		if text == "" {
			text = e.forms["other"]
		}
	}
	if len(vars) < 2 || !strings.Contains(text, "{") {
		return text
	}
	pairs := make([]string, 0, len(vars))
	for i := 0; i+1 < len(vars); i += 2 {
		pairs = append(pairs, "{"+fmt.Sprint(vars[i])+"}", fmt.Sprint(vars[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// category is the plural category of the value named "n".
func (t Tag) category(vars []any) string {
	for i := 0; i+1 < len(vars); i += 2 {
		if vars[i] != "n" {
			continue
		}
		n, err := strconv.Atoi(fmt.Sprint(vars[i+1]))
		if err != nil {
			break
		}
		if n < 0 {
			n = -n
		}
		switch plural.Cardinal.MatchPlural(language.Make(string(t)), n, 0, 0, 0, 0) {
		case plural.One:
			return "one"
		case plural.Few:
			return "few"
		case plural.Many:
			return "many"
		case plural.Other, plural.Zero, plural.Two: // our languages have no forms for zero and two
		}
		break
	}
	return "other"
}

// Astana is the time zone of every date shown to people: UTC+5 since 1 March 2024.
var Astana = time.FixedZone("UTC+5", 5*60*60)

// Date writes the day of a moment in Astana, as 24.11.2026.
func (t Tag) Date(at time.Time) string { return at.In(Astana).Format("02.01.2006") }

// DaysLeft counts the days from now to an end as people do: those of Astana's calendar, so that on the last day none is
// left, whatever the hour, and after it fewer than none.
func DaysLeft(now, end time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.In(Astana).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(end).Sub(day(now)) / (24 * time.Hour))
}

// DateTime writes a moment in Astana and says the zone, as "24.11.2026 14:05 (время Астаны)".
func (t Tag) DateTime(at time.Time) string {
	zone := "время Астаны"
	switch t {
	case KK:
		zone = "Астана уақыты"
	case EN:
		zone = "Astana time"
	case RU:
	}
	return at.In(Astana).Format("02.01.2006 15:04") + " (" + zone + ")"
}
