package agent

import (
	"context"
	"fmt"
	"testing"
	"time"

	"senim/internal/lang"
)

const wished = `{"module":"kz.gov.pki.ncalayerservices.accessory","method":"showSettings"}`

// TestQuiet: how often sites open the agent's page when the person does nothing: less and less, also when
// they are many.
func TestQuiet(t *testing.T) {
	day := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	opened := func(q *quiet, origin func(i int) string, from time.Time, span time.Duration) (n int) {
		for i := range int(span / time.Second) {
			if q.opens(origin(i), from.Add(time.Duration(i)*time.Second)) {
				n++
			}
		}
		return n
	}
	same := func(int) string { return "https://a.kz" }
	other := func(i int) string { return fmt.Sprintf("https://%d.kz", i) }
	if n := opened(&quiet{}, same, day, 8*time.Hour); n > 14 {
		t.Errorf("one site opens the page %d times in a day", n)
	}
	if n := opened(&quiet{}, other, day, 8*time.Hour); n > 18 {
		t.Errorf("many sites open the page %d times in a day", n)
	}
	q := &quiet{}
	opened(q, other, day, 8*time.Hour)
	if len(q.sites) > maxResting {
		t.Errorf("%d sites are remembered", len(q.sites))
	}
	q = &quiet{}
	if !q.opens("https://a.kz", day) || q.opens("https://a.kz", day.Add(50*time.Second)) || !q.opens("https://b.kz", day.Add(50*time.Second)) {
		t.Error("a site waits for another's rest, or not for its own")
	}
	q.acted("https://a.kz")
	if !q.opens("https://a.kz", day.Add(51*time.Second)) {
		t.Error("the person's act does not open the way")
	}
	if q.opens("https://b.kz", day.Add(70*time.Second)) {
		t.Error("an act with one site opens the way for another")
	}
}

// TestHostileSettings: a site that wishes the settings again and again opens the page once for each act of the
// person; coming back on another connection changes nothing.
func TestHostileSettings(t *testing.T) {
	b := bring(t)
	b.key("GOST512_a.p12", b.authority.Individual())
	s := b.dial(page)
	// asks wishes until the former page is gone and a new one comes.
	asks := func() (h *homeHand) {
		t.Helper()
		becomes(t, func() bool { s.ask(wished); return len(b.windows) > 0 })
		return b.homeShown()
	}
	leave := func(h *homeHand) {
		t.Helper()
		h.post("/close", map[string]any{}, nil)
		becomes(t, func() bool { return !reachable(h.url) })
	}
	leave(asks())
	for range 4 {
		b.wait(11 * time.Second)
		again := b.dial(page)
		again.ask(wished)
		_ = again.c.CloseNow()
	}
	b.agent.ShowHome(lang.RU) // comes after them all
	h := b.homeShown()
	b.noWindow()
	leave(h)
	s.send(commonCall("getKeyInfo", `"PKCS12"`))
	w := b.window()
	if e := w.decide(Decision{Key: w.unlock("")}); e.Failed {
		t.Fatalf("%+v", e)
	}
	s.read()
	h = asks() // the person answered: once more
	h.act("/set", map[string]any{"reminders": true})
	leave(h)
	leave(asks()) // and used the page
}

// TestNoticeAfterNotice: the end of a notice that made way does not take the next one away.
func TestNoticeAfterNotice(t *testing.T) {
	var n notices
	first, withdrawn := context.WithCancel(t.Context())
	end := n.begin(n.once(page, "a"), withdrawn)
	if n.begin(n.once(page, "b"), func() {}) != nil {
		t.Error("two at once")
	}
	n.withdraw() // for a window
	if first.Err() == nil {
		t.Error("it was not withdrawn")
	}
	next, cancel := context.WithCancel(t.Context())
	defer cancel()
	if n.begin(n.once(page, "b"), cancel) == nil {
		t.Fatal("the next one is not said")
	}
	end()
	if next.Err() != nil {
		t.Error("the first took the second away")
	}
	if n.begin(n.once(page, "c"), func() {}) != nil {
		t.Error("the second is shown, and a third too")
	}
	n.withdraw()
	if n.begin(n.once(page, "a"), func() {}) != nil {
		t.Error("said twice")
	}
	if n.begin(n.once("https://other.kz", "a"), func() {}) == nil {
		t.Error("another site's is not said")
	}
}
