package e2e

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// clickable is what paper does not need and still shows.
const clickable = `[...document.querySelectorAll("header, footer, .govuk-button, .govuk-back-link, .senim-test")].filter((e) => getComputedStyle(e).display !== "none").map((e) => e.tagName + " " + e.className)`

// TestAnswersPrint: the answer of the check page on paper keeps what it says and leaves out what is
// there to be pressed.
func TestAnswersPrint(t *testing.T) {
	t.Parallel()
	b, sys := browser(t), shared(t)
	w := newTab(t, b, sys, "ru")
	w.open(sys.Cabinet+"/check").fill("serial", serial(t, keyOf(sys.Person("person"), "personal"))).submit("/check")
	if _, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	w.sees("Действителен", "СЕРИКОВА", "Что было проверено").shot("paper")
	if left := read(w, "look at the paper", chromedp.Evaluate[[]string](clickable)); len(left) > 0 {
		t.Errorf("on paper there is still %q", left)
	}
}
