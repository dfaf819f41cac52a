package cabinet

import (
	"strconv"
	"time"

	"senim/internal/lang"
	"senim/internal/ra"
	"senim/internal/web"
)

// month is one grid of the calendar's picture.
type month struct {
	Year  int
	Month time.Month
	Days  []dayCell
	Total int
}

// dayCell is a cell of it: where it stands (column from Monday, row), and how many keys end on it.
type dayCell struct {
	Number, Column, Row, Count int
	Today                      bool
}

// nearMonths are shown even when nothing ends in them.
const nearMonths = 3

// months draws the months in which something ends, and the nearest.
func months(ends []ra.KeysTogether, now time.Time) []month {
	counts := map[string]int{}
	for _, k := range ends {
		counts[k.NotAfter.In(lang.Astana).Format(time.DateOnly)]++
	}
	today := now.In(lang.Astana)
	var all []month
	for n := 0; n <= ahead; n++ {
		first := time.Date(today.Year(), today.Month()+time.Month(n), 1, 0, 0, 0, 0, lang.Astana)
		m := month{Year: first.Year(), Month: first.Month()}
		offset := (int(first.Weekday()) + 6) % 7
		for d := first; d.Month() == first.Month(); d = d.AddDate(0, 0, 1) {
			at := offset + d.Day() - 1
			c := counts[d.Format(time.DateOnly)]
			m.Days = append(m.Days, dayCell{d.Day(), at % 7, at / 7, c, d.Format(time.DateOnly) == today.Format(time.DateOnly)})
			m.Total += c
		}
		if m.Total > 0 || n < nearMonths {
			all = append(all, m)
		}
	}
	return all
}

// name is "Май 2026".
func (m month) name(r *web.Request) string {
	return r.T("calendar.month."+strconv.Itoa(int(m.Month))) + " " + strconv.Itoa(m.Year)
}

// label says the picture in words.
func (m month) label(r *web.Request) string {
	return r.T("calendar.month_label", "month", m.name(r), "n", m.Total)
}

// The cells' measures.
const cell, top = 30, 46

func (d dayCell) x() string     { return strconv.Itoa(d.Column * cell) }
func (d dayCell) y() string     { return strconv.Itoa(top + d.Row*cell) }
func (d dayCell) textX() string { return strconv.Itoa(d.Column*cell + cell/2) }
func (d dayCell) textY() string { return strconv.Itoa(top + d.Row*cell + 19) }

// heat is how strong a cell is painted.
func (d dayCell) heat() string {
	switch {
	case d.Count == 0:
		return "0"
	case d.Count == 1:
		return "0.2"
	case d.Count < 5:
		return "0.35"
	}
	return "0.5"
}

// words are the number of the day, and of the keys when there are several.
func (d dayCell) words() string {
	if d.Count > 1 {
		return strconv.Itoa(d.Number) + "×" + strconv.Itoa(d.Count)
	}
	return strconv.Itoa(d.Number)
}

func (d dayCell) weight() string {
	if d.Count > 0 {
		return "bold"
	}
	return "normal"
}

func (d dayCell) stroke() string {
	if d.Today {
		return "2"
	}
	return "0"
}
