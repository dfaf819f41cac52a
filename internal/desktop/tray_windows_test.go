package desktop

import (
	"testing"
	"time"
)

// TestNoTaskbar: in a session without the bar that shows marks, as before it is there at sign-in, nobody waits for the mark: neither
// a reminder nor the end of the agent.
func TestNoTaskbar(t *testing.T) {
	if taskbarIsThere() {
		t.Skip("this session has a taskbar")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tray := ShowTray(Labels{Tooltip: "Senim"})
		tray.Warn("Заканчиваются ключи")
		tray.Calm()
		tray.Stop()
		tray.Stop()
		tray.Warn("after the end")
	}()
	select {
	case <-done:
	case <-time.After(2 * farewell):
		t.Fatal("it waits for a mark that nobody shows")
	}
}
