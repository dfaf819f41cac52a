package desktop

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var findWindow = windows.NewLazySystemDLL("user32.dll").NewProc("FindWindowW")

// taskbar waits for the bar that marks are shown in: programs of the start at sign-in may be there before it, and some
// sessions never have one. False when the mark is not wanted any more.
func taskbar(gone <-chan struct{}) bool {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if taskbarIsThere() {
			return true
		}
		select {
		case <-gone:
			return false
		case <-tick.C:
		}
	}
}

func taskbarIsThere() bool {
	class, err := windows.UTF16PtrFromString("Shell_TrayWnd")
	if err != nil {
		return false
	}
	window, _, _ := findWindow.Call(uintptr(unsafe.Pointer(class)), 0) //nolint:gosec // a call of the system takes addresses
	return window != 0
}
