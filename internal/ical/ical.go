// Package ical writes calendars of whole-day events as RFC 5545 wants them: lines end with CRLF, are folded at
// 75 octets and never inside a character, and texts are escaped.
package ical

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Calendar is a feed.
type Calendar struct {
	// Product names the program that writes it, Name the calendar to its reader.
	Product, Name string
	// Refresh is how often a reader may ask again; whole hours.
	Refresh time.Duration
	Events  []Event
}

// Event is something on a day.
type Event struct {
	UID string
	// Changed is when it became what it is.
	Changed time.Time
	// Day is any moment of its day, in the zone in which the day is meant.
	Day                  time.Time
	Summary, Description string
	// Sequence grows with every change; Cancelled calls it off.
	Sequence  int
	Cancelled bool
	// Alarms are days before it on which its reader is reminded; none when it is cancelled.
	Alarms []int
}

// String writes the calendar.
func (c Calendar) String() string {
	var b strings.Builder
	line(&b, "BEGIN:VCALENDAR")
	line(&b, "VERSION:2.0")
	line(&b, "PRODID:"+text(c.Product))
	line(&b, "CALSCALE:GREGORIAN")
	line(&b, "METHOD:PUBLISH")
	line(&b, "NAME:"+text(c.Name))
	line(&b, "X-WR-CALNAME:"+text(c.Name))
	every := "PT" + strconv.Itoa(int(c.Refresh.Hours())) + "H"
	line(&b, "REFRESH-INTERVAL;VALUE=DURATION:"+every)
	line(&b, "X-PUBLISHED-TTL:"+every)
	for _, e := range c.Events {
		e.write(&b)
	}
	line(&b, "END:VCALENDAR")
	return b.String()
}

func (e Event) write(b *strings.Builder) {
	const day, moment = "20060102", "20060102T150405Z"
	line(b, "BEGIN:VEVENT")
	line(b, "UID:"+text(e.UID))
	line(b, "DTSTAMP:"+e.Changed.UTC().Format(moment))
	line(b, "LAST-MODIFIED:"+e.Changed.UTC().Format(moment))
	line(b, "DTSTART;VALUE=DATE:"+e.Day.Format(day))
	line(b, "DTEND;VALUE=DATE:"+e.Day.AddDate(0, 0, 1).Format(day))
	line(b, "SUMMARY:"+text(e.Summary))
	if e.Description != "" {
		line(b, "DESCRIPTION:"+text(e.Description))
	}
	line(b, "SEQUENCE:"+strconv.Itoa(e.Sequence))
	line(b, "TRANSP:TRANSPARENT")
	if e.Cancelled {
		line(b, "STATUS:CANCELLED")
		line(b, "END:VEVENT")
		return
	}
	line(b, "STATUS:CONFIRMED")
	for _, days := range e.Alarms {
		line(b, "BEGIN:VALARM")
		line(b, "ACTION:DISPLAY")
		line(b, "DESCRIPTION:"+text(e.Summary))
		line(b, "TRIGGER:-P"+strconv.Itoa(days)+"D")
		line(b, "END:VALARM")
	}
	line(b, "END:VEVENT")
}

// text escapes a value of type TEXT; other control characters are left out.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// line writes one content line, folded.
func line(b *strings.Builder, s string) {
	room := 75
	for len(s) > room {
		n := room
		for !utf8.RuneStart(s[n]) {
			n--
		}
		b.WriteString(s[:n] + "\r\n ")
		s, room = s[n:], 74 // the space counts
	}
	b.WriteString(s + "\r\n")
}
