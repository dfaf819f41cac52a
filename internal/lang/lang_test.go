package lang

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// Every text exists in every language and asks for the same values.
func TestCatalogueIsWhole(t *testing.T) {
	all, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\{[a-z_0-9]+\}`)
	for key, texts := range all {
		if len(texts) != len(All()) {
			t.Errorf("%s: %d languages, want %d", key, len(texts), len(All()))
		}
		var want []string
		for i, tag := range All() {
			e := texts[tag]
			text := e.plain
			if e.forms != nil {
				text = e.forms["other"]
			}
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: no %s text", key, tag)
			}
			got := names.FindAllString(text, -1)
			slices.Sort(got)
			got = slices.Compact(got)
			if i == 0 {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s: %s asks for %v, %s for %v", key, tag, got, All()[0], want)
			}
		}
	}
}

// A key that stands twice in a file would lose its first text without a word.
func TestNoKeyStandsTwice(t *testing.T) {
	names, err := fs.Glob(files, "text/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^\s*"([^"]+\.[^"]+)":`).FindAllSubmatch(b, -1) {
			if key := string(m[1]); seen[key] {
				t.Errorf("%s: %s stands twice", name, key)
			} else {
				seen[key] = true
			}
		}
		if len(seen) == 0 {
			t.Errorf("%s: no keys", name)
		}
	}
}

func TestReadRefusesAForeignKey(t *testing.T) {
	_, err := read(fstest.MapFS{"text/web.json": {Data: []byte(`{"portal.x":{"ru":"а"}}`)}})
	if err == nil {
		t.Fatal("a key of another area was taken")
	}
}

func TestTextReplacesNamesAndShowsWhatIsMissing(t *testing.T) {
	if got := RU.Text("web.days_left", "n", 3); got != "осталось 3 дня" {
		t.Errorf("few: %q", got)
	}
	if got := RU.Text("web.days_left", "n", 21); got != "остался 21 день" {
		t.Errorf("one: %q", got)
	}
	if got := EN.Text("web.days_left", "n", 1); got != "1 day left" {
		t.Errorf("en: %q", got)
	}
	if got := KK.Text("no.such"); got != "[no.such]" {
		t.Errorf("missing: %q", got)
	}
}

func TestDatesAreOfAstana(t *testing.T) {
	at := time.Date(2026, 4, 30, 23, 30, 0, 0, time.UTC)
	if got := KK.Date(at); got != "01.05.2026" {
		t.Errorf("date: %q", got)
	}
	if got := RU.DateTime(at); got != "01.05.2026 04:30 (время Астаны)" {
		t.Errorf("time: %q", got)
	}
}

func TestDaysLeft(t *testing.T) {
	now := time.Date(2026, 11, 28, 18, 30, 0, 0, time.UTC) // 23:30 in Astana
	for days, end := range map[int]time.Time{
		0: now.Add(29 * time.Minute), 1: now.Add(31 * time.Minute), 2: now.Add(24*time.Hour + 31*time.Minute),
		-1: now.Add(-24 * time.Hour), -2: now.AddDate(0, 0, -1).Add(-24 * time.Hour), 365: now.AddDate(1, 0, 0),
	} {
		if got := DaysLeft(now, end); got != days {
			t.Errorf("to %s: %d, want %d", end, got, days)
		}
	}
}

func TestAccept(t *testing.T) {
	for header, want := range map[string]Tag{"kk-KZ,ru;q=0.8": KK, "de,en;q=0.5": EN, "": RU, "fr": RU, ";;;": RU} {
		if got := Accept(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
