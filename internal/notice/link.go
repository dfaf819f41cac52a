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

// address is what readers' programs make links of by themselves: with a scheme, with www, or a host with a path.
var address = regexp.MustCompile(`(?i)(?:[a-z][a-z0-9+.-]*://|www\.|[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}[/?#:])\S*`)

// disarm writes the addresses in a text that a person typed so that nobody's program makes a link of them: a letter
// we sign leads nowhere but to our own pages.
func disarm(text string) string {
	return address.ReplaceAllStringFunc(text, func(s string) string {
		return strings.NewReplacer("://", "[://]", ".", "[.]").Replace(s)
	})
}
