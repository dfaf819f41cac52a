// Package desktop is what a person's desktop offers to a program without a window: notices, a mark in
// the tray, and the media that are plugged in.
//
// [Notify] and [Media] stand alone; a [Tray] is shown until it is stopped. Where the desktop has none
// of it – no session, a system without a tray, macOS without cgo – nothing is shown and the program
// works on: whoever needs to be sure that something was read asks in a window.
package desktop

import (
	"fmt"

	"github.com/gen2brain/beeep"
)

// Notify says something for a moment in the system's own way. The text stays on this machine.
func Notify(title, text string) error {
	if !session() {
		return ErrNoSession
	}
	if err := beeep.Notify(plain(title), plain(text), ""); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}
