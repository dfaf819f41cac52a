package mailbox

import (
	"strings"
	"testing"

	"senim/internal/notice"
)

func FuzzRead(f *testing.F) {
	f.Add("Subject: hi\r\n\r\nhello https://a.example/x.\r\n")
	f.Add("Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=D0=9F\r\n--b--\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := read(strings.NewReader(s))
		if err != nil {
			return
		}
		var all strings.Builder
		for _, w := range notice.Runs(l.Text) {
			if w.Link != "" && !strings.HasPrefix(string(w.Link), "http") {
				t.Errorf("link %q", w.Link)
			}
			all.WriteString(w.Text)
		}
		if all.String() != l.Text {
			t.Errorf("words change the text %q", l.Text)
		}
	})
}
