package notice

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"senim/internal/lang"
)

// Letter is a message as a person gets it.
type Letter struct {
	// ID is the same for the same key, for the Message-ID: a letter sent twice is one letter to the
	// reader's program. Hex digits.
	ID      string
	To      string
	Subject string
	Text    string // plain, lines end with \n
	HTML    string // the same, a whole page without images or scripts
	Class   Class
}

// Class orders messages and says what a reader may switch off.
type Class string

// The classes of notifications.md §3.
const (
	Transaction Class = "T" // codes and links
	Security    Class = "S"
	Business    Class = "B"
	Reminder    Class = "R"
)

// ClassOf gives the class of a number; unknown numbers are Business.
func ClassOf(n string) Class {
	number, _, _ := strings.Cut(n, ".")
	switch number {
	case "N-15", "N-16", "N-18", "N-21", "N-24":
		return Transaction
	case "N-06", "N-08", "N-12", "N-14", "N-17", "N-19", "N-20", "N-26", "N-28", "N-31", "N-32":
		return Security
	case "N-01", "N-02", "N-03", "N-04", "N-22", "N-25", "N-29":
		return Reminder
	}
	return Business
}

// area is where the texts of a number stand in the catalogue.
func area(n string) string {
	return "notice." + strings.ToLower(strings.NewReplacer("-", "", ".", "").Replace(n))
}

// Moment writes a moment as a value of [Message.Vars] that every reader sees in the own language
// and in Astana time, to the minute.
func Moment(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// Day writes the day of a moment in Astana as a value of [Message.Vars].
func Day(at time.Time) string { return at.In(lang.Astana).Format(time.DateOnly) }

// Render makes the letter of a message: text and a plain HTML twin. When the language is unknown it
// is Kazakh, then Russian. Brand is the name of the installation.
//
// Values of Vars: those of [Moment] and [Day] are written in the reader's language, and so is
// "@key", the text of a key of the catalogue. Other values stand as they are, control characters
// out, names longer than 80 characters cut at a word, and of the lines of "list" the first ten, with
// how many more there are (rule I9). It fails when the number has no text, or a
// {placeholder} has no value: a letter with holes is not sent.
func Render(m Message, brand string) (Letter, error) {
	if err := m.Check(); err != nil {
		return Letter{}, err
	}
	area := area(m.N)
	if !lang.Has(area + ".body") {
		return Letter{}, fmt.Errorf("render %s: no such text", m.N)
	}
	tags := []lang.Tag{m.Lang}
	if _, ok := lang.Parse(string(m.Lang)); !ok {
		tags = []lang.Tag{lang.KK, lang.RU}
	}
	l := Letter{ID: m.Key[:min(len(m.Key), 40)], To: m.To, Class: ClassOf(m.N)}
	if name := missing(lang.RU.Text(area+".subject")+lang.RU.Text(area+".body"), m.Vars); name != "" {
		return Letter{}, fmt.Errorf("render %s: no value for %s", m.N, name)
	}
	var parts []part
	var subjects []string
	for _, tag := range tags {
		vars := values(m.Vars, tag, brand)
		subject, body := tag.Text(area+".subject", vars...), tag.Text(area+".body", vars...)
		subjects = append(subjects, subject)
		parts = append(parts, part{Lang: string(tag), Hello: tag.Text("notice.hello"), Body: pieces(body),
			Footer: tag.Text("notice.footer", "brand", brand), plain: body})
	}
	l.Subject = strings.Join(subjects, " / ")
	l.Text = plain(parts)
	var page bytes.Buffer
	if err := html.Execute(&page, map[string]any{"Subject": l.Subject, "Lang": parts[0].Lang, "Parts": parts}); err != nil {
		return Letter{}, fmt.Errorf("render %s: %w", m.N, err)
	}
	l.HTML = page.String()
	return l, nil
}

var placeholder = regexp.MustCompile(`\{[a-z_0-9]+\}`)

func missing(text string, vars map[string]string) string {
	for _, name := range placeholder.FindAllString(text, -1) {
		if _, ok := vars[name[1:len(name)-1]]; !ok && name != "{brand}" {
			return name
		}
	}
	return ""
}

func values(vars map[string]string, tag lang.Tag, brand string) []any {
	all := []any{"brand", brand}
	for name, v := range vars {
		all = append(all, name, written(name, v, tag))
	}
	return all
}

func written(name, v string, tag lang.Tag) string {
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return tag.DateTime(t)
	}
	if t, err := time.ParseInLocation(time.DateOnly, v, lang.Astana); err == nil {
		return tag.Date(t)
	}
	if key, ok := strings.CutPrefix(v, "@"); ok && lang.Has(key) {
		return tag.Text(key)
	}
	v = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && (r != '\n' || name != "list") {
			return ' '
		}
		return r
	}, v)
	if name != "link" && name != "keys" { // only what the office itself put there leads anywhere
		v = disarm(v)
	}
	switch name {
	case "name", "org":
		return Cut(v, 80)
	case "list":
		return rows(v, tag)
	}
	return v
}

// maxRows is how many lines of a list a letter shows.
const maxRows = 10

// rows keeps the first lines of a list, and says how many there are beside.
func rows(list string, tag lang.Tag) string {
	all := strings.Split(strings.Trim(list, "\n"), "\n")
	if len(all) <= maxRows {
		return strings.Join(all, "\n")
	}
	return strings.Join(all[:maxRows], "\n") + "\n" + tag.Text("notice.more", "n", len(all)-maxRows)
}

// Cut shortens text to at most n characters, at a word where there is one, and says so with "…".
func Cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	end := n - 1
	for unicode.Is(unicode.M, r[end]) && end > 1 { // no accent without its letter
		end--
	}
	for i := end; i > n/2; i-- {
		if unicode.IsSpace(r[i]) {
			end = i
			break
		}
	}
	return strings.TrimRightFunc(string(r[:end]), unicode.IsSpace) + "…"
}
