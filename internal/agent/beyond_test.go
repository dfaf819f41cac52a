package agent

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

// TestManyBeyondBoundsInBrowser: more keys than may wait are made only when the person ticks just that. Without the tick the button makes
// nothing, says why and leads to the tick; with it all are made.
func TestManyBeyondBoundsInBrowser(t *testing.T) {
	b := bring(t)
	s := b.look()
	socket := b.dial(page)
	n := 0
	ask := func(count int, tag lang.Tag) {
		orders := make([]string, count)
		for i := range orders {
			n++
			orders[i] = orderArgs(fmt.Sprintf("B-%d", n), "123456789011", "123456789021")
		}
		socket.send(keysCall("generateMany", `{"storage":"PKCS12","orders":[`+strings.Join(orders, ",")+`],"locale":"`+string(tag)+`"}`))
	}
	waiting := func(want int, when string) {
		t.Helper()
		if got := len(b.agent.keeper.Waiting(page)); got != want {
			t.Errorf("%s: %d keys wait, not %d", when, got, want)
		}
	}
	label := func() string {
		return eval[string](s, `document.getElementById('confirm').closest('label').innerText.trim()`)
	}

	// One batch that is beyond by itself: the page says so, and can be closed.
	ask(keystore.MaxPendingOrigin+1, lang.EN)
	s.open()
	if got, want := label(), lang.EN.Text("agent.ui.confirm-many", "n", keystore.MaxPendingOrigin+1, "wait", 0); got != want {
		t.Errorf("the tick says %q, not %q", got, want)
	}
	s.click("#cancel")
	s.see("body[data-state=done]")
	if got := socket.read(); got != `{"body":{},"status":true}` {
		t.Errorf("cancelled: %s", got)
	}
	waiting(0, "cancelled")

	ask(keystore.MaxPendingOrigin, lang.EN) // these have room
	b.window().decideAll(Decision{Folder: b.folder})
	socket.read()
	made := keystore.MaxPendingOrigin
	for _, tag := range lang.All() {
		name := func(what string) string { return "beyond-" + what + "-" + string(tag) }
		ask(2, tag)
		s.open()
		if got, want := label(), tag.Text("agent.ui.confirm-many", "n", 2, "wait", made); got != want {
			t.Errorf("%s: the tick says %q, not %q", tag, got, want)
		}
		s.looks(name("asked"))
		for _, press := range []chromedp.Action[chromedp.Void]{chromedp.Click(chromedp.CSS("#sign")), chromedp.SendKeys(chromedp.CSS("#folder"), kb.Enter)} {
			eval[string](s, `document.getElementById('error').dataset.code = ''`)
			s.do("go on without the tick", press, chromedp.WaitVisible(chromedp.CSS("#error[data-code=confirm]")), s.ready())
			if got := eval[string](s, `document.getElementById('error').innerText.trim()`); got != tag.Text("agent.problem.confirm") {
				t.Errorf("%s: without the tick the page says %q", tag, got)
			}
			if !eval[bool](s, `document.activeElement.id === 'confirm' && document.activeElement.getAttribute('aria-invalid') === 'true'`) {
				t.Errorf("%s: the page does not lead to the tick", tag)
			}
			waiting(made, string(tag)+", without the tick")
		}
		s.looks(name("unticked"))
		// What was wrong is no longer called so once something else is.
		folder := eval[string](s, `(() => { const f = document.getElementById('folder'), was = f.value; f.value = '/no/such'; return was; })()`)
		s.click("#confirm")
		s.do("go on with the tick and no folder", chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("#error[data-code=no_folder]")), s.ready())
		if eval[bool](s, `document.getElementById('confirm').hasAttribute('aria-invalid')`) || !eval[bool](s, `document.getElementById('confirm').checked`) {
			t.Errorf("%s: the tick is called wrong, or is gone", tag)
		}
		s.do("name the folder", chromedp.SetValue(chromedp.CSS("#folder"), folder), chromedp.Click(chromedp.CSS("#sign")), chromedp.WaitVisible(chromedp.CSS("body[data-state=done]")))
		done := result[ncalayer.GeneratedMany](t, socket.read())
		for _, o := range done.Orders {
			if o.Error != nil || len(o.Keys) != 1 || o.Keys[0].CSR == "" {
				t.Errorf("%s: %+v", tag, o)
			}
		}
		made += 2
		waiting(made, string(tag)+", with the tick")
	}
}
