package notice

import (
	"strings"
	"testing"
	"time"

	"senim/internal/lang"
)

func vars() map[string]string {
	v := map[string]string{"date": "2026-05-01", "time": "2026-03-02T06:00:00Z", "link": "https://senim.example/x?a=1&b=2", "n": "3", "days": "7",
		"list": "А\nБ", "reason": "причина", "status": "@notice.hello"}
	for _, name := range []string{"name", "org", "role", "category", "number", "advice", "masked", "action", "code", "powers", "from", "to", "serial4", "kind", "replaced", "keys", "bad"} {
		v[name] = "<" + name + ">"
	}
	return v
}

// Every text of the catalogue becomes a whole letter in every language.
func TestEveryTextRenders(t *testing.T) {
	names := map[string]string{"n07closed": "N-07.closed", "n12first": "N-12.first", "n14hold": "N-14.hold", "n25bad": "N-25.bad", "n26ended": "N-26.ended", "n28org": "N-28.org", "n29replaced": "N-29.replaced"}
	count := 0
	for _, key := range lang.Keys("notice.n") {
		area, ok := strings.CutSuffix(key, ".body")
		if !ok {
			continue
		}
		n, ok := names[strings.TrimPrefix(area, "notice.")]
		if !ok {
			n = "N-" + strings.TrimPrefix(area, "notice.n")
		}
		count++
		for _, tag := range append(lang.All(), "") {
			l, err := Render(Message{N: n, To: "b@example.kz", Lang: tag, Key: "k", Vars: vars()}, "Сенім")
			if err != nil {
				t.Errorf("%s %s: %v", n, tag, err)
				continue
			}
			for _, s := range []string{l.Subject, l.Text} {
				if strings.ContainsAny(s, "{}[]") || s == "" {
					t.Errorf("%s %s: %q", n, tag, s)
				}
			}
			if strings.Contains(l.HTML, "<name>") || !strings.Contains(l.HTML, "</html>") {
				t.Errorf("%s %s: HTML %s", n, tag, l.HTML)
			}
		}
	}
	if count < 25 {
		t.Errorf("%d texts", count)
	}
}

func TestNT21UnknownLanguage(t *testing.T) {
	m := Message{N: "N-01", To: "b@example.kz", Key: "0123", Vars: vars()}
	l, err := Render(m, "Senim")
	if err != nil {
		t.Fatal(err)
	}
	kk, ru := strings.Index(l.Text, "Құрметті"), strings.Index(l.Text, "Здравствуйте")
	if kk < 0 || ru < kk || !strings.Contains(l.Subject, "01.05.2026") {
		t.Errorf("NT-21: %q\n%s", l.Subject, l.Text)
	}
	m.Lang = lang.RU
	m.Vars["name"] = "Ив\r\nBcc: a@b.kz " + strings.Repeat("очень длинное ", 12)
	if l, err = Render(m, "Senim"); err != nil || strings.Contains(l.Text, "\nBcc") || !strings.Contains(l.Text, "…") {
		t.Errorf("NT-18: %v\n%s", err, l.Text)
	}
	if !strings.Contains(l.HTML, `<a href="https://senim.example/x?a=1&amp;b=2">https://senim.example/x?a=1&amp;b=2</a>`) {
		t.Errorf("no link in %s", l.HTML)
	}
	m.Vars["date"] = Day(time.Date(2026, 4, 30, 23, 30, 0, 0, time.UTC))
	if l, _ = Render(m, "Senim"); !strings.Contains(l.Subject, "01.05.2026") {
		t.Errorf("day: %s", l.Subject)
	}
	for name, bad := range map[string]func(*Message){
		"no text": func(m *Message) { m.N = "N-99" }, "no value": func(m *Message) { m.Vars = map[string]string{"date": "x"} },
		"no key": func(m *Message) { m.Key = "" }, "address": func(m *Message) { m.To = "a\nb" },
	} {
		m := m
		bad(&m)
		if _, err := Render(m, "Senim"); err == nil {
			t.Errorf("%s: rendered", name)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"короткое", "короткое"}, {"один два три", "один два…"}, {"оооооооооооо", "ооооооооо…"}, {"eeeeeeeee\u0301eee", "eeeeeeee…"},
	} {
		if got := Cut(c.in, 10); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	once := Key("N-01", "a", "b", "c")
	if again := Key("N-01", "a", "b", "c"); again != once || once == Key("N-01", "ab", "", "c") {
		t.Error("keys")
	}
}
