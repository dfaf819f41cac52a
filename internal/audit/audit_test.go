package audit

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func chain(t *testing.T, n int) []Record {
	t.Helper()
	var last Record
	var all []Record
	for i := range n {
		var err error
		last, err = Next(last, "n1", time.Unix(int64(i), 0), Event{Action: "test.act", Actor: "h:00", Object: "a", Result: "ok", Detail: map[string]string{"x": "1", "y": "2"}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, last)
	}
	return all
}

func TestVerifyNamesTheFirstBadRecord(t *testing.T) {
	good := chain(t, 8)
	if last, err := Verify(Record{}, good); err != nil || last.Seq != 8 {
		t.Fatalf("%d %v", last.Seq, err)
	}
	if last, err := Verify(good[2], good[3:]); err != nil || last.Seq != 8 {
		t.Fatalf("in pieces: %d %v", last.Seq, err)
	}
	for name, c := range map[string]struct {
		spoil func([]Record) []Record
		seq   int64
	}{
		"a flipped bit":     {func(r []Record) []Record { r[3].Hash[0] ^= 1; return r }, 4},
		"another actor":     {func(r []Record) []Record { r[3].Actor = "h:01"; return r }, 4},
		"another detail":    {func(r []Record) []Record { r[3].Detail = map[string]string{"x": "1y", "": "2"}; return r }, 4},
		"another time":      {func(r []Record) []Record { r[3].At = r[3].At.Add(time.Millisecond); return r }, 4},
		"one dropped":       {func(r []Record) []Record { return slices.Delete(r, 3, 4) }, 4},
		"two swapped":       {func(r []Record) []Record { r[3], r[4] = r[4], r[3]; return r }, 4},
		"one twice":         {func(r []Record) []Record { return slices.Insert(r, 3, r[2]) }, 4},
		"another node's":    {func(r []Record) []Record { r[3].Node = "n2"; return r }, 4},
		"the beginning cut": {func(r []Record) []Record { return r[1:] }, 1},
		"one made anew": {func(r []Record) []Record { // its maker can count, but cannot change the next
			r[3].Actor = "h:01"
			r[3].Hash = r[3].sum()
			return r
		}, 5},
	} {
		_, err := Verify(Record{}, c.spoil(chain(t, 8)))
		var broken *BrokenError
		if !errors.As(err, &broken) || broken.Seq != c.seq {
			t.Errorf("%s: %v, want record %d", name, err, c.seq)
		}
	}
}

func TestEventsHoldNoPersonalData(t *testing.T) {
	for name, e := range map[string]Event{
		"no action": {}, "iin": {Action: "a", Actor: "123456789011"}, "iin among words": {Action: "a", Object: "iin:123456789011;"},
		"e-mail": {Action: "a", Detail: map[string]string{"to": "b@example.kz"}}, "long": {Action: "a", Result: strings.Repeat("x", 600)},
	} {
		if _, err := Next(Record{}, "n", time.Time{}, e); err == nil {
			t.Errorf("%s: recorded", name)
		} else if strings.Contains(err.Error(), "123456789011") {
			t.Errorf("%s: repeated in the error", name)
		}
	}
	for _, good := range []string{"h:0123456789ab", "1234567890123", "00aa123456789011bb", "2026-03-02", "A-17"} {
		if err := (Event{Action: "a", Object: good}).Check(); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
