package e2e

import (
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused says whether a selector has the focus, and what has it when that cannot be seen: no outline, no shadow.
const focused = `((sel) => {
	const e = document.activeElement, s = getComputedStyle(e);
	const box = e.matches("input[type=checkbox], input[type=radio]") && e.nextElementSibling ? getComputedStyle(e.nextElementSibling, "::before") : s;
	const seen = e === document.body || [s, box].some((c) => (c.outlineStyle !== "none" && c.outlineWidth !== "0px") || c.boxShadow !== "none");
	if (!seen) return "unseen " + e.tagName + " " + (e.id || e.getAttribute("href") || e.getAttribute("formaction") || e.innerText || "").trim();
	return e.matches(sel) ? "there" : "";
})(%s)`

// maxTabs is more than any page has places to stop at.
const maxTabs = 90

// tabTo presses Tab until the element has the focus; everything on the way must show its focus.
func (w *tab) tabTo(sel string) *tab {
	w.t.Helper()
	for range maxTabs {
		w.act("Tab", chromedp.KeyEvent(kb.Tab))
		at := read(w, "look at the focus", chromedp.Evaluate[string](script(focused, sel)))
		if strings.HasPrefix(at, "unseen") {
			w.t.Errorf("%s: the focus is not seen: %s", read(w, "where", chromedp.Location()), at)
		}
		if at == "there" || strings.HasPrefix(at, "unseen") && w.has(sel) {
			return w
		}
	}
	w.fail("reach "+sel+" by Tab", nil)
	return w
}

// has reports that the element has the focus.
func (w *tab) has(sel string) bool {
	w.t.Helper()
	return read(w, "is it there", chromedp.Evaluate[bool](script("document.activeElement.matches(%s)", sel)))
}

// choose takes one of a group of radio buttons, from the group's place in the order.
func (w *tab) choose(sel string) *tab {
	w.t.Helper()
	for range maxTabs {
		if w.has(sel) {
			w.act("choose", chromedp.KeyEvent(" "))
			return w
		}
		w.act("the next choice", chromedp.KeyEvent(kb.ArrowDown))
	}
	w.fail("choose "+sel, nil)
	return w
}

// write types over what a field has: a browser marks that when one comes by Tab.
func (w *tab) write(value string) *tab {
	w.t.Helper()
	if value == "" {
		value = kb.Delete
	}
	w.act("type", chromedp.KeyEvent(value))
	return w
}

// key presses a key on what has the focus and waits for the page that follows.
func (w *tab) key(k string) *tab {
	w.t.Helper()
	w.mark()
	w.act("press a key", chromedp.KeyEvent(k))
	w.arrive()
	return w
}
