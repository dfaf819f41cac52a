package ical

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func calendar(summary string) Calendar {
	return Calendar{Product: "-//Senim//EN", Name: "Сроки", Refresh: 12 * time.Hour, Events: []Event{
		{UID: "1@senim", Changed: time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC), Day: time.Date(2026, 5, 1, 4, 30, 0, 0, time.UTC), Summary: summary, Alarms: []int{28, 7}},
		{UID: "2@senim", Sequence: 1, Cancelled: true, Summary: "x", Alarms: []int{28}},
	}}
}

func TestCalendar(t *testing.T) {
	got := calendar("Истекает ключ ЭЦП; ТОО «А, Б» \\ \r\nX-EVIL:1").String()
	for _, want := range []string{"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "DTSTART;VALUE=DATE:20260501\r\nDTEND;VALUE=DATE:20260502\r\n", "DTSTAMP:20260301T050000Z\r\n",
		"TRIGGER:-P28D\r\n", "TRIGGER:-P7D\r\n", "STATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "REFRESH-INTERVAL;VALUE=DURATION:PT12H\r\n", `\; ТОО «А\, Б» `} {
		if !strings.Contains(strings.ReplaceAll(got, "\r\n ", ""), strings.ReplaceAll(want, "\r\n ", "")) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\nX-EVIL") {
		t.Error("a value made a line of its own")
	}
	if n := strings.Count(got, "BEGIN:VALARM"); n != 2 {
		t.Errorf("%d alarms", n)
	}
}

// Whatever the text, every line is short, whole characters, and unfolding and unescaping give it back.
func FuzzFold(f *testing.F) {
	f.Add("Истекает ключ ЭЦП организации «Очень длинное название, которое не помещается в одну строку»; роль")
	f.Add(strings.Repeat("ә", 200))
	f.Add("a\\n,;\n\r\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		all := calendar(s).String()
		if !strings.HasSuffix(all, "\r\n") || strings.Count(all, "\n") != strings.Count(all, "\r\n") || strings.Count(all, "\r") != strings.Count(all, "\r\n") {
			t.Fatal("lines do not all end with CRLF")
		}
		var found string
		seen := false
		for _, l := range strings.Split(strings.TrimSuffix(all, "\r\n"), "\r\n") {
			if len(l) > 75 || !utf8.ValidString(l) {
				t.Fatalf("line of %d octets: %q", len(l), l)
			}
		}
		for _, l := range strings.Split(strings.ReplaceAll(all, "\r\n ", ""), "\r\n") {
			if v, ok := strings.CutPrefix(l, "SUMMARY:"); ok && !seen {
				found, seen = v, true
			}
		}
		back := strings.NewReplacer(`\\`, `\`, `\;`, ";", `\,`, ",", `\n`, "\n").Replace(found)
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, "\uFFFD"))
		if back != want {
			t.Fatalf("%q came back as %q", want, back)
		}
	})
}
