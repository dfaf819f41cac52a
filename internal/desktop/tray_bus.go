//go:build linux || windows

package desktop

import (
	"image/color"
	"runtime"
	"sync"

	"fyne.io/systray"
)

// Tray is a mark in the tray. A program has one.
type Tray struct {
	ready chan struct{}
	done  chan struct{}
	stop  sync.Once
	plain string // the tooltip when there is nothing to say
}

// ShowTray puts the mark into the tray; nil when there is no session. It does not wait.
func ShowTray(l Labels) *Tray {
	if !session() {
		return nil
	}
	t := &Tray{ready: make(chan struct{}), done: make(chan struct{}), plain: l.Tooltip}
	go func() {
		defer close(t.done)
		runtime.LockOSThread() // Windows gives a window's messages to the thread that made it
		defer runtime.UnlockOSThread()
		systray.Run(func() { t.begin(l) }, nil)
	}()
	return t
}

func (t *Tray) begin(l Labels) {
	systray.SetIcon(mark(calm))
	systray.SetTitle("Senim")
	systray.SetTooltip(l.Tooltip)
	systray.SetOnTapped(l.OnOpen)
	open := systray.AddMenuItem(l.Open, "")
	systray.AddSeparator()
	quit := systray.AddMenuItem(l.Quit, "")
	close(t.ready)
	go func() {
		for {
			select {
			case <-open.ClickedCh:
				l.OnOpen()
			case <-quit.ClickedCh:
				l.OnQuit()
			case <-t.done:
				return
			}
		}
	}()
}

// Warn changes the mark's colour and says why when it is pointed at. A nil tray says nothing.
func (t *Tray) Warn(text string) { t.turn(soon, text) }

// Calm takes back what [Tray.Warn] said. A nil tray says nothing.
func (t *Tray) Calm() {
	if t != nil {
		t.turn(calm, t.plain)
	}
}

func (t *Tray) turn(ink color.NRGBA, text string) {
	if t == nil {
		return
	}
	select {
	case <-t.ready:
	case <-t.done:
		return
	}
	systray.SetIcon(mark(ink))
	systray.SetTooltip(text)
}

// Stop takes the mark away.
func (t *Tray) Stop() {
	if t == nil {
		return
	}
	t.stop.Do(systray.Quit)
	<-t.done
}
