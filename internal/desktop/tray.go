package desktop

import "errors"

// ErrNoSession says that there is no desktop that could show anything.
var ErrNoSession = errors.New("no desktop session")

// Labels are the words of a tray, and what they do.
type Labels struct {
	Tooltip string
	Open    string // the first line of the menu
	Quit    string
	OnOpen  func() // also when the mark itself is pressed
	OnQuit  func()
}
