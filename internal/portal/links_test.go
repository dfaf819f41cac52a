package portal

import (
	"testing"
	"time"
)

// NT-24: the link to a new password opens for an hour; a minute later the page says that it is stale, and
// a new one may be asked for.
func TestNT24AStaleLinkSaysSo(t *testing.T) {
	w := newWorld(t)
	w.browser().askReset(iinA, "a@example.kz")
	link := w.path("N-18")
	w.pass(59 * time.Minute)
	w.browser().get(link).says("Новый пароль")
	w.pass(2 * time.Minute)
	b := w.browser()
	b.get(link).refused("LINK_STALE").says("Ссылка устарела").says("Запросите новую ссылку.")
	w.browser().askReset(iinA, "a@example.kz")
	if again := w.path("N-18"); again == link {
		t.Error("no new link came")
	} else {
		w.browser().get(again).says("Новый пароль")
	}
}

// A letter with a link says until when it makes sense to send it.
func TestLettersWithLinksExpire(t *testing.T) {
	w := newWorld(t)
	w.browser().askReset(iinA, "a@example.kz")
	if m := w.letter("N-18"); !m.Expires.Equal(w.time().Add(time.Hour)) {
		t.Errorf("N-18 until %s", m.Expires)
	}
}
