package ra

import (
	"testing"
	"time"
)

// R1: with renew.window_days a key is renewed in its last days alone; without, any time while it is valid.
func TestRenewWindow(t *testing.T) {
	w := newTown(t)
	p := w.add(w.ca.Individual())
	end := p.Certificate.NotAfter
	gate := func() error {
		_, _, err := w.o.Gate(t.Context(), w.ask(p))
		return err
	}
	want(t, "no window", gate(), "")
	w.o.c.RenewWindow = 30 * 24 * time.Hour
	w.now = end.Add(-w.o.c.RenewWindow - time.Second)
	want(t, "a second before", gate(), "RENEW_TOO_EARLY")
	w.now = w.now.Add(time.Second)
	want(t, "in it", gate(), "")
}
