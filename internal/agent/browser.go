package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"senim/internal/keystore"
)

// profileFolder is, in the data folder, the profile of the browser that shows the windows.
const profileFolder = "window-profile"

// Browser gives the way windows are shown. command is "" for the best there is: a browser of the
// Chromium kind with a private profile in the data folder (no extensions, no saved passwords) and a
// window without an address bar, else what the system opens addresses with. Another command is run
// with the address as its last argument. It never waits for the browser; unseen is called, perhaps
// later, with the address of a window that no browser would show.
func Browser(command, data string, unseen func(url string)) func(url string) (stop func(), err error) {
	return func(url string) (func(), error) {
		start := func(name string, args ...string) (func(), error) {
			return nil, launch(func() { unseen(url) }, name, args...)
		}
		if filepath.IsAbs(command) && isFile(command) { // a path may have blanks in it
			return start(command, url)
		}
		if fields := strings.Fields(command); len(fields) > 0 {
			return start(fields[0], append(fields[1:], url)...)
		}
		if path := chromium(); path != "" {
			if err := quietProfile(filepath.Join(data, profileFolder)); err != nil {
				return nil, fmt.Errorf("show a window: %w", err)
			}
			return start(path, "--app="+url, "--user-data-dir="+filepath.Join(data, profileFolder),
				"--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync",
				"--disable-features=Translate,AutofillServerCommunication", "--window-size=760,860")
		}
		if program, args := opener(); program != "" {
			return start(program, append(args, url)...)
		}
		unseen(url)
		return nil, nil
	}
}

// quietProfile makes the browser's profile when it is not there, with what offers to keep passwords turned off.
func quietProfile(dir string) error {
	dir = filepath.Join(dir, "Default")
	if err := keystore.MakeFolder(dir); err != nil {
		return err
	}
	const preferences = `{"credentials_enable_service":false,"credentials_enable_autosignin":false,"profile":{"password_manager_enabled":false},"autofill":{"profile_enabled":false,"credit_card_enabled":false}}`
	err := keystore.Create(filepath.Join(dir, "Preferences"), []byte(preferences), 0o600)
	if errors.Is(err, fs.ErrExist) { // the browser's own by now
		return nil
	}
	return err
}

// chromium is the path of a browser of that kind, "" when there is none.
func chromium() string {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return installedHere().browser()
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// launch runs a browser and leaves it alone: a second window may live in the same process, and the
// page closes itself. failed is called when the browser ends badly, as Chromium does for root.
func launch(failed func(), name string, args ...string) error {
	c := exec.Command(name, args...) //nolint:gosec,noctx // the browser the person has or named; it outlives the window
	if err := c.Start(); err != nil {
		return fmt.Errorf("show a window: %w", err)
	}
	go func() {
		if c.Wait() != nil {
			failed()
		}
	}()
	return nil
}
