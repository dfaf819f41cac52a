package desktop

import (
	"strings"
	"unicode"
)

// plain is a text that means nothing but itself wherever it comes. Names in it are other people's, and systems
// read notices as markup, as XML or as a part of a script: what begins something there is written by a character
// that looks alike, and what cannot be seen is left out.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r): // also marks of direction
			return -1
		}
		if like, ok := alike[r]; ok {
			return like
		}
		return r
	}, text)
}

var alike = map[rune]rune{'<': '‹', '>': '›', '&': '＆', '$': '＄', '`': 'ˋ', '"': '″', '\\': '＼'}
