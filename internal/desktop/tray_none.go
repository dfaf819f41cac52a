//go:build !linux && !windows

package desktop

// Tray is a mark in the tray; here there is none.
type Tray struct{}

// ShowTray gives nil: the tray of this system is not reached without cgo.
func ShowTray(Labels) *Tray { return nil }

// Warn does nothing.
func (*Tray) Warn(string) {}

// Calm does nothing.
func (*Tray) Calm() {}

// Stop does nothing.
func (*Tray) Stop() {}
