package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestMenuOnPhone: on a phone the menu is one line, and a key opens it without a script; on a desk it is always open.
func TestMenuOnPhone(t *testing.T) {
	t.Parallel()
	browser(t)
	w := newWorld(t, nil)
	v := w.visitor(t).enter(w.head(iinA, binX), passA).stands("/me")
	p := &pages{t: t, w: v.tab}
	for _, width := range []int64{320, 390} {
		p.size(width, 700)
		v.at("/me")
		if top := read(v.tab, "where the page begins", chromedp.Evaluate[float64](`document.querySelector("h1").getBoundingClientRect().top`)); top > 300 {
			t.Errorf("at %d px the heading begins at %.0f px", width, top)
		}
		v.shot("folded")
		v.tabTo(".senim-menu__fold > summary").act("open the menu", chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(css("header a[href='/org/users']")))
		v.shot("open")
	}
	v.tabTo("header a[href='/org/users']").key(kb.Enter)
	v.stands("/org/users")
	p.size(1280, 900)
	v.act("the menu of a desk", chromedp.WaitNotVisible(css(".senim-menu__fold > summary")), chromedp.WaitVisible(css("header a[href='/me']")))
	v.press(css("header form[action='/logout'] button"))
	v.at("/me").stands("/login")
}
