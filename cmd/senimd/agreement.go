package main

import (
	"time"

	"senim/internal/lang"
	"senim/internal/participant"
)

// agreement is the first version of the terms participants sign. A later version comes by -agreement
// with a number and a date of its own; published ones never change.
func agreement() participant.Agreement {
	a := participant.Agreement{Version: "1.0", From: time.Date(2026, 1, 1, 0, 0, 0, 0, lang.Astana), Text: map[lang.Tag]string{}}
	for _, t := range lang.All() {
		a.Text[t] = t.Text("agreement.v1")
	}
	return a
}
