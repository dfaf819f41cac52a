package notice

import (
	"html/template"
	"regexp"
	"strings"
)

// Run is a stretch of a letter's text: plain, or a link when Link is set.
type Run struct {
	Text string
	Link template.URL
}

var link = regexp.MustCompile(`https?://[^\s<>"]+`)

// Runs splits text at its links; joined, their texts are the text again. Punctuation that ends the
// sentence around a link is not the link's.
func Runs(text string) []Run {
	var all []Run
	at := 0
	for _, m := range link.FindAllStringIndex(text, -1) {
		if m[0] > at {
			all = append(all, Run{Text: text[at:m[0]]})
		}
		s := strings.TrimRight(text[m[0]:m[1]], ".,;:!?)")
		//nolint:gosec // the pattern lets through http and https only: nothing a reader's program would run
		all = append(all, Run{Text: s, Link: template.URL(s)})
		at = m[0] + len(s)
	}
	if at < len(text) {
		all = append(all, Run{Text: text[at:]})
	}
	return all
}
