// Package headless finds a browser for tests of pages.
package headless

import (
	"errors"
	"os/exec"
)

// names are programs that speak Chromium's protocol without a screen, the one that takes least first: the shell is the
// engine alone, and opens a page in a third of the browser's processor time. Debian's command for it is a script that
// stays in between, so that who ends it would not end the browser: the program comes before it.
var names = []string{"/usr/lib/chromium/chromium-headless-shell", "chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome"}

// ErrNone is that there is none on this machine.
var ErrNone = errors.New("no chromium on this machine")

// Path is where the browser is, or [ErrNone]. What belongs to the browser around the engine, its profile, its policies
// and its windows, is not tested with it.
func Path() (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNone
}
