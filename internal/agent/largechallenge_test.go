package agent

import (
	"strings"
	"testing"

	"senim/internal/lang"
)

// TestLargeChallenge: a sign-in challenge of another site is not signed through the door for large documents either, the
// person reads why, and the operation is over; the site's own is signed, as everywhere.
func TestLargeChallenge(t *testing.T) {
	b := bring(t, largeOn)
	b.key("GOST512_a.p12", b.authority.Individual())
	d := b.largePage()
	const two = `{"numberOfDocuments":2,"base64":false,"encapsulateContent":false}`
	for name, body := range map[string]string{
		"of another site": challenge("https://victim.kz"),
		"without end":     challenge(page) + strings.Repeat("x", 128<<10),
		"of two sites":    challenge(page) + "origin: https://victim.kz\n",
	} {
		id, ended, _ := d.begin(two, "")
		if status, out, _ := d.do("POST", id, strings.NewReader(body)); status != 500 || strings.Contains(string(out), "victim") {
			t.Errorf("%s: %d %s", name, status, out)
		}
		end := <-ended
		if !end.Failed || strings.Contains(end.Text, "victim") || !strings.Contains(end.Text, lang.RU.Text("agent.refused.challenge")) {
			t.Errorf("%s: the person reads %q", name, end.Text)
		}
		if status, _, _ := d.do("POST", id, strings.NewReader("another document")); status != 401 {
			t.Errorf("%s: the next document is answered %d", name, status)
		}
	}
	id, ended, _ := d.begin(two, "")
	for _, body := range []string{challenge(page), "document"} {
		status, out, _ := d.do("POST", id, strings.NewReader(body))
		if status != 200 {
			t.Fatalf("%d", status)
		}
		good(t, out, []byte(body))
	}
	if end := <-ended; !end.Done || end.Failed {
		t.Errorf("%+v", end)
	}
}
