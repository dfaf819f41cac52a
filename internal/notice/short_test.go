package notice

import (
	"testing"
	"time"

	"senim/internal/lang"
)

// NT-29: what falls into the night waits until nine.
func TestNT29NoPhoneRingsAtNight(t *testing.T) {
	day := func(d, hour, minute int) time.Time { return time.Date(2026, 3, d, hour, minute, 0, 0, lang.Astana) }
	for _, c := range []struct {
		now, next time.Time
		class     Class
	}{
		{day(2, 3, 0), day(2, 9, 0), Reminder},
		{day(2, 8, 59), day(2, 9, 0), Security},
		{day(2, 9, 0), day(2, 9, 0), Reminder},
		{day(2, 19, 59), day(2, 19, 59), Reminder},
		{day(2, 20, 0), day(3, 9, 0), Business},
		{day(31, 23, 0), day(32, 9, 0), Reminder},
		{day(2, 3, 0), day(2, 3, 0), Transaction},
	} {
		if got := Daytime.Next(c.now.UTC(), c.class); !got.Equal(c.next) {
			t.Errorf("%s %s: %s", c.class, c.now, got.In(lang.Astana))
		}
	}
}

func TestReceiptsOnlyGoForward(t *testing.T) {
	for _, c := range []struct {
		now, receipt, next State
		changed            bool
	}{
		{Sent, Delivered, Delivered, true},
		{Sent, Failed, Failed, true},
		{Sent, Sent, Sent, false},
		{Uncertain, Delivered, Delivered, true},
		{Uncertain, Sent, Sent, true},
		{Delivered, Failed, Delivered, false},
		{Delivered, Delivered, Delivered, false},
		{Failed, Delivered, Failed, false},
		{Failed, Sent, Failed, false},
	} {
		if next, changed := Advance(c.now, c.receipt); next != c.next || changed != c.changed {
			t.Errorf("%s after %s: %s %v", c.receipt, c.now, next, changed)
		}
	}
	for want, parts := range map[State][]State{
		Delivered: {Delivered, Delivered}, Sent: {Delivered, Sent}, Failed: {Uncertain, Delivered, Failed}, Uncertain: {Delivered, Uncertain},
	} {
		if got := Whole(parts); got != want {
			t.Errorf("%v: %s", parts, got)
		}
	}
}
