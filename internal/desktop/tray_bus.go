//go:build linux || windows

package desktop

import (
	"image/color"
	"runtime"
	"sync"
	"time"

	"fyne.io/systray"
)

// Tray is a mark in the tray. A program has one.
type Tray struct {
	done  chan struct{}
	gone  chan struct{} // closed by Stop
	stop  sync.Once
	plain string // the tooltip when there is nothing to say

	mu    sync.Mutex
	shown bool        // under mu: the mark is there
	ink   color.NRGBA // under mu: how it is, or will be when it is there
	text  string      // under mu
}

// ShowTray puts the mark into the tray; nil when there is no session. It does not wait.
func ShowTray(l Labels) *Tray {
	if !session() {
		return nil
	}
	t := &Tray{done: make(chan struct{}), gone: make(chan struct{}), plain: l.Tooltip, ink: calm, text: l.Tooltip}
	go func() {
		defer close(t.done)
		if !taskbar(t.gone) {
			return
		}
		runtime.LockOSThread() // Windows gives a window's messages to the thread that made it
		defer runtime.UnlockOSThread()
		systray.Run(func() { t.begin(l) }, nil)
	}()
	return t
}

func (t *Tray) begin(l Labels) {
	t.mu.Lock()
	systray.SetIcon(mark(t.ink))
	systray.SetTitle("Senim")
	systray.SetTooltip(t.text)
	t.shown = true
	t.mu.Unlock()
	select {
	case <-t.gone: // before it was there
		systray.Quit()
		return
	default:
	}
	systray.SetOnTapped(l.OnOpen)
	open := systray.AddMenuItem(l.Open, "")
	systray.AddSeparator()
	quit := systray.AddMenuItem(l.Quit, "")
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

// turn waits for nobody: where the mark is not there yet, or never will be, only what it would say is kept.
func (t *Tray) turn(ink color.NRGBA, text string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ink, t.text = ink, text
	if t.shown {
		systray.SetIcon(mark(ink))
		systray.SetTooltip(text)
	}
}

// farewell is how long the mark may take to go. A system that could not show it does not tell when it is over.
const farewell = 3 * time.Second

// Stop takes the mark away.
func (t *Tray) Stop() {
	if t == nil {
		return
	}
	t.stop.Do(func() {
		close(t.gone)
		t.mu.Lock()
		shown := t.shown
		t.mu.Unlock()
		if shown {
			systray.Quit()
		}
	})
	select {
	case <-t.done:
	case <-time.After(farewell):
	}
}
