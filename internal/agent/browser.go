package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"senim/internal/keystore"
)

// profileFolder holds, in the data folder, the profiles of the browsers that show the windows.
const profileFolder = "window-profile"

// snapProfile names the profile, of an agent with this data folder, of a browser from a snap, in the folder such a one may write.
func snapProfile(data string) string {
	return fmt.Sprintf("senim-agent-window-%08x", crc32.ChecksumIEEE([]byte(data)))
}

// Way is one program that may show a window.
type Way struct {
	Program string // its path, or the command that was named

	profile string // folder of a browser of the Chromium kind, "" for another program
	args    []string
}

// Ways lists how a window can be shown now, the best first: by browsers of the Chromium kind, each with a private profile
// (no extensions, no saved passwords) and a window without an address bar, then by what the system opens addresses with.
// A command that is named is the only way; it is run with the address as its last argument.
func Ways(command, data string) (ways []Way) {
	if filepath.IsAbs(command) && isFile(command) { // a path may have blanks in it
		return []Way{{Program: command}}
	}
	if fields := strings.Fields(command); len(fields) > 0 {
		return []Way{{Program: fields[0], args: fields[1:]}}
	}
	for _, path := range chromiums() {
		ways = append(ways, Way{Program: path, profile: profileOf(path, data)})
	}
	if program, args := opener(); program != "" {
		ways = append(ways, Way{Program: program, args: args})
	}
	return ways
}

// Show starts the program with an address and leaves it alone: a second window may live in the same process, and the
// page closes itself. ended tells how it ended; a browser that runs already is only told of the address, and ends well.
func (w Way) Show(url string) (ended <-chan error, err error) {
	args := append(w.args[:len(w.args):len(w.args)], url)
	if w.profile != "" {
		if err := quietProfile(w.profile); err != nil {
			return nil, fmt.Errorf("show a window: %w", err)
		}
		args = append(w.flags(w.profile), "--app="+url, "--window-size=760,860")
	}
	c := exec.Command(w.Program, args...) //nolint:gosec,noctx // the browser the person has or named; it outlives the window
	if w.profile != "" {
		c.Env = inProfile(w.profile)
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("show a window: %w", err)
	}
	end := make(chan error, 1)
	go func() { end <- c.Wait() }()
	return end, nil
}

// flags are those of a browser that is only to show our page.
func (Way) flags(profile string) []string {
	return []string{
		"--user-data-dir=" + profile, "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync",
		"--disable-features=Translate,AutofillServerCommunication",
	}
}

// inProfile has a browser leave what it notes of its crashes in our profile too, and not in that of the person.
func inProfile(profile string) []string {
	return append(os.Environ(), "BREAKPAD_DUMP_LOCATION="+profile)
}

// badEnd is how long a browser is waited for that ends badly, as Chromium does for root.
const badEnd = 2 * time.Second

// ShowFile shows a page that tells nobody whether it was fetched: by the next way when one cannot be started or ends badly within two
// seconds. One that runs then, or has ended well, has shown it as far as anybody can tell.
func ShowFile(ctx context.Context, ways []Way, url string) error {
	err := errors.New("show a page: no browser is here")
	for _, way := range ways {
		var ended <-chan error
		if ended, err = way.Show(url); err != nil {
			continue
		}
		timer := time.NewTimer(badEnd)
		select {
		case err = <-ended:
		case <-timer.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
		if timer.Stop(); err == nil || ctx.Err() != nil {
			return err
		}
		err = fmt.Errorf("show a page: %w", err)
	}
	return err
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

// chromiums are the paths of the browsers of that kind, the best first, each once.
func chromiums() (paths []string) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return installedHere().browsers()
	}
	seen := map[string]bool{}
	for _, name := range []string{
		"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "microsoft-edge-stable",
		"brave-browser", "brave", "yandex-browser", "vivaldi", "vivaldi-stable", "opera",
	} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		at := path
		if real, err := filepath.EvalSymlinks(path); err == nil && filepath.Base(real) != "snap" { // one program serves all snaps
			at = real
		}
		if !seen[at] {
			seen[at] = true
			paths = append(paths, path)
		}
	}
	return paths
}

// profileOf is the folder of a browser's profile: each has its own, as one brand does not open what another has written.
// A browser from a snap may not write hidden folders of the home, where the data folder is.
func profileOf(path, data string) string {
	if name := snapOf(path); name != "" {
		if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
			return filepath.Join(snapCommon(home, name), snapProfile(data))
		}
	}
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	return filepath.Join(data, profileFolder, fmt.Sprintf("%s-%08x", name, crc32.ChecksumIEEE([]byte(path))))
}

func snapCommon(home, name string) string { return filepath.Join(home, "snap", name, "common") }

// profilesIn are the folders with the browsers' profiles of an agent with this data folder.
func profilesIn(data string) []string {
	list := []string{filepath.Join(data, profileFolder)}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		found, err := filepath.Glob(filepath.Join(snapCommon(home, "*"), snapProfile(data)+"*"))
		if err == nil {
			list = append(list, found...)
		}
	}
	return list
}

// inSnap is how a script of a distribution names the program of a snap: Ubuntu's chromium-browser is one.
var inSnap = regexp.MustCompile(`/snap/bin/([a-z0-9][a-z0-9-]*)`)

// snapOf is the snap a program belongs to, "" for none.
func snapOf(path string) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	if match := inSnap.FindStringSubmatch(path); match != nil {
		return match[1]
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	if filepath.Base(real) == "snap" {
		return filepath.Base(path)
	}
	f, err := os.Open(real)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 4<<10)
	n, _ := f.Read(head)
	if head = head[:n]; !bytes.HasPrefix(head, []byte("#!")) {
		return ""
	}
	if match := inSnap.FindSubmatch(head); match != nil {
		return string(match[1])
	}
	return ""
}
