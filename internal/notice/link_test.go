package notice

import (
	"strings"
	"testing"

	"senim/internal/lang"
)

// I7: what a person typed never becomes a link in a letter of ours, not even by the reader's own program; our link does.
func TestFreeTextIsNoLink(t *testing.T) {
	const ours = "https://cabinet.example.kz/applications/1"
	for _, typed := range []string{"http://evil.example/pay", "см. HTTPS://evil.example.", "www.evil.example", "evil.example/войти", "ftp://evil.example", "javascript://x.y"} {
		m := Message{N: "N-11", To: "p@example.kz", Lang: lang.RU, Key: Key("N-11", "1", "", "p@example.kz"),
			Vars: map[string]string{"number": "1", "status": "Отклонена", "reason": typed, "advice": "@cabinet.letter.advice", "link": ours}}
		l, err := Render(m, "Сенім")
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(l.HTML, "<a "); n != 1 || !strings.Contains(l.HTML, `<a href="`+ours+`"`) {
			t.Errorf("%s: %d links", typed, n)
		}
		for _, text := range []string{l.HTML, l.Text} {
			if strings.Contains(strings.ToLower(text), "evil.example") || strings.Contains(text, typed) {
				t.Errorf("%s stands in the letter as it is", typed)
			}
		}
	}
	for _, plain := range []string{"Не наш сотрудник. Уволен 01.02.2026", "ст. 12 п.3", "5,5 %"} {
		if got := disarm(plain); got != plain {
			t.Errorf("%q became %q", plain, got)
		}
	}
}
