package registry

import (
	"bytes"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
)

func TestCalendar(t *testing.T) {
	var c Calendar
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, lang.Astana) } // 2 March is Monday
	for _, x := range []struct{ now, next, last time.Time }{
		{at(2, 5), at(2, 6), at(2, 6).AddDate(0, 0, -3)}, {at(2, 6), at(4, 6), at(2, 6)}, {at(3, 12), at(4, 6), at(2, 6)},
		{at(6, 7), at(9, 6), at(6, 6)}, {at(8, 23), at(9, 6), at(6, 6)},
	} {
		if got := c.Next(x.now.UTC()); !got.Equal(x.next) {
			t.Errorf("next of %s: %s", x.now, got)
		}
		if got := c.Last(x.now.UTC()); !got.Equal(x.last) {
			t.Errorf("last of %s: %s", x.now, got)
		}
	}
	if !c.Delayed(at(2, 6), at(4, 12)) || c.Delayed(at(4, 6), at(4, 12)) || c.Delayed(at(2, 6), at(4, 5)) {
		t.Error("R-14")
	}
}

func kept(source string, day, until Date, iin ident.IIN, disputed bool) KeptLeader {
	return KeptLeader{Kept[Leader]{1, source, 1, Leader{IIN: iin, AppointedOn: day, DismissedOn: until}}, disputed}
}

func TestTestify(t *testing.T) {
	all := []KeptLeader{kept("a", "2020-01-01", "", "A", false), kept("b", "2021-01-01", "", "X", false), kept("a", "2026-02-27", "2026-03-05", "B", false), kept("a", "2026-04-01", "", "C", false)}
	for _, c := range []struct {
		on     Date
		head   ident.IIN
		active bool
		next   ident.IIN
	}{
		{"2019-01-01", "", false, "A"}, {"2026-02-26", "A", true, "B"}, {"2026-02-27", "B", true, "C"}, {"2026-03-04", "B", true, "C"},
		{"2026-03-05", "B", false, "C"}, {"2026-04-01", "C", true, ""},
	} {
		w, ok := testify(all, "a", c.on)
		if !ok || w.head.IIN != c.head || w.active != c.active || w.next.IIN != c.next {
			t.Errorf("%s: %+v", c.on, w)
		}
	}
	if _, ok := testify(all, "z", "2026-01-01"); ok {
		t.Error("a source that says nothing")
	}
}

func TestJudge(t *testing.T) {
	monday, wednesday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	w := func(source string, asOf time.Time, iin ident.IIN, day Date, active bool) testimony {
		return testimony{source: source, load: Load{AsOf: asOf}, head: Leader{IIN: iin, AppointedOn: day}, active: active}
	}
	for name, c := range map[string]struct {
		words   []testimony
		verdict Verdict
		code    string
		head    ident.IIN
	}{
		"nobody says anything":        {nil, Bad, NoHead, ""},
		"one source":                  {[]testimony{w("a", monday, "A", "2020-01-01", true)}, Good, "", "A"},
		"both agree":                  {[]testimony{w("a", monday, "A", "2020-01-01", true), w("b", wednesday, "A", "2020-01-02", true)}, Good, "", "A"},
		"R-23 same moment":            {[]testimony{w("a", monday, "A", "2020-01-01", true), w("b", monday, "B", "2026-03-01", true)}, Unknown, SourcesDisagree, ""},
		"the newer knows more":        {[]testimony{w("a", monday, "A", "2020-01-01", true), w("b", wednesday, "B", "2026-03-03", true)}, Good, "", "B"},
		"the newer names an earlier":  {[]testimony{w("a", wednesday, "A", "2020-01-01", true), w("b", monday, "B", "2026-03-01", true)}, Unknown, SourcesDisagree, ""},
		"the newer says: dismissed":   {[]testimony{w("a", wednesday, "A", "2020-01-01", false), w("b", monday, "A", "2020-01-01", true)}, Bad, NoHead, "A"},
		"the only one says dismissed": {[]testimony{w("a", monday, "A", "2020-01-01", false)}, Bad, NoHead, "A"},
		"R-12 two heads":              {[]testimony{{source: "a", disputed: true, active: true, head: Leader{IIN: "A"}}}, Unknown, TwoHeads, ""},
		"R-19 tomorrow":               {[]testimony{{source: "a", next: Leader{IIN: "B", AppointedOn: "2026-03-05"}}}, Bad, HeadFuture, ""},
	} {
		a := judge(Answer[Head]{}, c.words)
		if a.Verdict != c.verdict || a.Code != c.code || a.Value.Leader.IIN != c.head {
			t.Errorf("%s: %s %s %q", name, a.Verdict, a.Code, a.Value.Leader.IIN)
		}
	}
}

func TestBatchRows(t *testing.T) {
	good := LegalEntity{BIN: "180140005198", Kind: LE, NameRU: "Т", Status: Active, Registered: "2018-01-01"}
	with := func(f func(*LegalEntity)) LegalEntity { e := good; f(&e); return e }
	b := Batch{Entities: []LegalEntity{
		good, with(func(e *LegalEntity) { e.BIN = "123456789021" }), with(func(e *LegalEntity) { e.BIN = "000740000728"; e.Kind = "?" }),
		with(func(e *LegalEntity) { e.BIN = "009940000006"; e.Registered = "2018-02-30" }),
		with(func(e *LegalEntity) { e.BIN = "009941000001"; e.NameRU = "a\tb" }),
		with(func(e *LegalEntity) { e.BIN = "009941000205" }), with(func(e *LegalEntity) { e.BIN = "009941000205" }),
	}, Leaders: []Leader{{BIN: "180140005198", IIN: "009900000008", Surname: "А", AppointedOn: "2026-01-02", DismissedOn: "2026-01-01"}}}
	c := b.check(ident.Rules{})
	if len(c.Entities) != 1 || len(c.Leaders) != 0 {
		t.Errorf("kept %d and %d", len(c.Entities), len(c.Leaders))
	}
	want := []string{RowBadNumber, RowBadKind, RowBadDate, RowBadText, RowDuplicate, RowDuplicate, RowBadDate}
	for i, q := range c.quarantined {
		if i >= len(want) || q.Code != want[i] {
			t.Errorf("%d: %+v", i, q)
		}
	}
}

// What a clerk signs holds every field, and no field can look like another.
func TestChangeXML(t *testing.T) {
	c := Change{ID: "0f", Leader: Leader{BIN: "180140005198", IIN: "009900000008", Surname: `А</surname><name>Б"`, AppointedOn: "2026-03-02"}, Document: "№ 7 & 8"}
	one := c.XML("record")
	if bytes.Count(one, []byte("<name>")) != 1 || !bytes.Contains(one, []byte("№ 7 &amp; 8")) || bytes.Equal(one, c.XML("confirm")) {
		t.Errorf("%s", one)
	}
	d := c
	d.Position = "x"
	if bytes.Equal(one, d.XML("record")) {
		t.Error("a field is not signed")
	}
}
