package notice

import (
	"fmt"
	"strings"
	"testing"

	"senim/internal/gsm"
	"senim/internal/lang"
)

// Every short text of the catalogue is one in every language: of two parts at most, without a link.
func TestEveryShortTextRenders(t *testing.T) {
	count := 0
	for _, n := range []string{"N-02", "N-04", "N-12", "N-12.first", "N-14", "N-14.hold", "N-21"} {
		for _, tag := range append(lang.All(), "") {
			text, err := RenderShort(Message{N: n, Channel: SMS, To: "+77011234567", Lang: tag, Key: "k", Vars: vars()}, "Сенім", lang.KK)
			if err != nil {
				t.Errorf("%s %s: %v", n, tag, err)
				continue
			}
			s, err := gsm.Shape(text, gsm.MaxParts)
			if err != nil || len(s.Parts) == 0 || strings.ContainsAny(text, "{}[]") || strings.Contains(text, "http") || !strings.Contains(text, "Сенім") {
				t.Errorf("%s %s: %v %q", n, tag, err, text)
			}
			count++
		}
	}
	keys := 0
	for _, key := range lang.Keys("notice.n") {
		if strings.HasSuffix(key, ".sms") {
			keys++
		}
	}
	if count != 28 || keys != 6 {
		t.Errorf("%d texts of %d keys", count, keys)
	}
}

// NT-16: of a name of 180 characters as much is left as fits, and the date whole.
func TestNT16TheShortTextFits(t *testing.T) {
	org := string([]rune(strings.Repeat("Товарищество «Ромашка» ", 8))[:180])
	for _, tag := range lang.All() {
		v := map[string]string{"org": org, "date": "2026-05-01"}
		text, err := RenderShort(Message{N: "N-04", Channel: SMS, To: "+77011234567", Lang: tag, Key: "k", Vars: v}, "Senim", lang.KK)
		if err != nil {
			t.Fatal(err)
		}
		s, err := gsm.Shape(text, gsm.MaxParts)
		if err != nil || len(s.Parts) != 2 || !strings.Contains(text, "01.05.2026") || !strings.Contains(text, "…") || !strings.Contains(text, "Товарищество «Ромашка»") {
			t.Errorf("%s: %d parts, %v: %s", tag, len(s.Parts), err, text)
		}
		if v["org"] != org {
			t.Error("the message was changed")
		}
	}
}

func TestShortTextsAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Message){
		"no such text":    func(m *Message) { m.N = "N-09" },
		"no value":        func(m *Message) { m.Vars = map[string]string{"brand": "x"} },
		"a link":          func(m *Message) { m.Vars["action"] = "https://thief.example" },
		"too long":        func(m *Message) { m.Vars["action"] = strings.Repeat("ә", 200) },
		"no key":          func(m *Message) { m.Key = "" },
		"another channel": func(m *Message) { m.Channel = "pigeon" },
	} {
		m := Message{N: "N-21", Channel: SMS, To: "+77011234567", Key: "k", Vars: map[string]string{"code": "123456", "action": "вход"}}
		if _, err := RenderShort(m, "Senim", lang.KK); err != nil {
			t.Fatal(err)
		}
		change(&m)
		if text, err := RenderShort(m, "Senim", lang.KK); err == nil || strings.Contains(err.Error(), "thief") {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
}

// NT-15: of 250 keys ten are listed, and how many there are beside.
func TestNT15TenRowsAndHowManyMore(t *testing.T) {
	var list []string
	for i := range 250 {
		list = append(list, fmt.Sprintf("Работник %d, бухгалтер, %02d.05.2026", i+1, 1+i/50))
	}
	m := Message{N: "N-25", To: "head@example.kz", Key: "k", Vars: map[string]string{"n": "250", "org": "АО «ТЕСТ»", "link": "https://senim.example/company", "list": strings.Join(list, "\n")}}
	for tag, more := range map[lang.Tag]string{lang.RU: "и ещё 240", lang.KK: "және тағы 240", lang.EN: "and 240 more"} {
		m.Lang = tag
		l, err := Render(m, "Senim")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(l.Text, "Работник") != 10 || !strings.Contains(l.Text, "Работник 10,") || strings.Contains(l.Text, "Работник 11,") ||
			!strings.Contains(l.Text, "\n"+more+"\n") || !strings.Contains(l.Text, ": https://senim.example/company\n") || !strings.Contains(l.Subject, "АО «ТЕСТ»") ||
			strings.Count(l.HTML, "<br>") != 12 {
			t.Errorf("%s: %s\n%s", tag, l.Text, l.HTML)
		}
	}
	m.Vars["list"] = strings.Join(list[:10], "\n")
	if l, err := Render(m, "Senim"); err != nil || strings.Contains(l.Text, "more") || strings.Count(l.Text, "Работник") != 10 {
		t.Errorf("ten of ten: %v %s", err, l.Text)
	}
}
