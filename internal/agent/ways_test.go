//go:build unix

package agent

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stand puts programs of these names into the only folder of the path: each writes its arguments down, then does what is said.
func stand(t *testing.T, programs map[string]string) (ran func(name string) []string) {
	t.Helper()
	dir := t.TempDir()
	for name, does := range programs {
		script := "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'" + filepath.Join(dir, name+".ran") + "'\n" + does + "\n"
		syscall.ForkLock.RLock() // a program that is started meanwhile elsewhere would hold the file open, and it could not be run
		err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700)
		syscall.ForkLock.RUnlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return func(name string) []string {
		b, err := os.ReadFile(filepath.Join(dir, name+".ran"))
		if err != nil {
			return nil
		}
		lines := strings.Split(string(b), "\n")
		return lines[:len(lines)-1] // the last is not whole, it is just written
	}
}

// browsers has an agent show its windows by the programs of the path.
func browsers(b *bench, most time.Duration) {
	b.agent.config.Browser, b.agent.showTime = nil, most
	b.agent.config.Ways = func() []Way { return Ways("", b.agent.config.Data) }
	b.agent.config.Unseen = func(url string) { b.windows <- url }
}

// shownAt waits for the line that a program wrote, and gives the address in it.
func shownAt(t *testing.T, ran func(string) []string, name string, n int) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) { //nolint:forbidigo // there is no signal, it is looked at again
		if lines := ran(name); len(lines) >= n {
			for word := range strings.FieldsSeq(lines[n-1]) {
				if at := strings.Index(word, "http://"); at >= 0 {
					return word[at:]
				}
			}
			t.Fatalf("%s was given no address: %s", name, lines[n-1])
		}
	}
	t.Fatalf("%s was not started %d times", name, n)
	return ""
}

const anyAsk = `{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"cms","data":"MQ==","signingParams":{"decode":true},"signerParams":{"extKeyUsageOids":[]}}}`

// pathOnly skips where browsers are not looked for in the path.
func pathOnly(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("here browsers are not in the path")
	}
}

// TestNextBrowser: where the preferred browser fails, as Chromium does for root, the next one shows the window, with a token
// of its own; the one after it begins with what worked.
func TestNextBrowser(t *testing.T) {
	pathOnly(t)
	ran := stand(t, map[string]string{"chromium": "exit 21", "google-chrome": "exit 0", "xdg-open": "exit 0"})
	b := bring(t)
	browsers(b, 20*time.Second)
	s := b.dial(page)
	for n := 1; n <= 2; n++ {
		s.send(anyAsk)
		b.windows <- shownAt(t, ran, "google-chrome", n)
		b.window().cancel()
		if got := s.read(); got != `{"body":{},"status":true}` {
			t.Errorf("%s", got)
		}
	}
	first, second := shownAt(t, ran, "chromium", 1), shownAt(t, ran, "google-chrome", 1)
	if _, token, _ := strings.Cut(first, "#"); strings.HasSuffix(second, token) {
		t.Error("two browsers were given one token")
	}
	if n, opened := len(ran("chromium")), len(ran("xdg-open")); n != 1 || opened != 0 {
		t.Errorf("chromium was started %d times, xdg-open %d", n, opened)
	}
	b.noWindow()
}

// TestSilentBrowser: one that does not open the page in time is passed over, and what it shows in the end is no second window.
func TestSilentBrowser(t *testing.T) {
	pathOnly(t)
	ran := stand(t, map[string]string{"chromium": "exec /bin/sleep 3", "xdg-open": "exit 0"})
	b := bring(t)
	browsers(b, 500*time.Millisecond)
	s := b.dial(page)
	s.send(anyAsk)
	late := shownAt(t, ran, "chromium", 1)
	inTime := shownAt(t, ran, "xdg-open", 1)
	origin, token, _ := strings.Cut(late, "#")
	stale := &hand{b: b, url: origin}
	if p := stale.problem("/open", map[string]any{"token": token}); p.Code != "bad_token" {
		t.Errorf("a page that came late: %q", p.Code)
	}
	b.windows <- inTime
	b.window().cancel()
	if got := s.read(); got != `{"body":{},"status":true}` {
		t.Errorf("%s", got)
	}
}

// TestNoBrowserShows: when every program fails, the address is said, and it is good.
func TestNoBrowserShows(t *testing.T) {
	pathOnly(t)
	ran := stand(t, map[string]string{"chromium": "exit 1", "brave-browser": "exit 1", "xdg-open": "exit 3"})
	b := bring(t)
	browsers(b, 20*time.Second)
	s := b.dial(page)
	s.send(anyAsk)
	b.window().cancel() // at the address that was said
	if got := s.read(); got != `{"body":{},"status":true}` {
		t.Errorf("%s", got)
	}
	for _, name := range []string{"chromium", "brave-browser", "xdg-open"} {
		if n := len(ran(name)); n != 1 {
			t.Errorf("%s was started %d times", name, n)
		}
	}
}

// TestWithdrawnWhileTried: a page that went away gets no more browsers started for it.
func TestWithdrawnWhileTried(t *testing.T) {
	pathOnly(t)
	ran := stand(t, map[string]string{"chromium": "exec /bin/sleep 20", "xdg-open": "exit 0"})
	b := bring(t)
	browsers(b, 20*time.Second)
	s := b.dial(page)
	s.send(anyAsk)
	shownAt(t, ran, "chromium", 1)
	_ = s.c.CloseNow()
	becomes(t, func() bool { // the window is over, and with it the trying
		b.agent.mu.Lock()
		defer b.agent.mu.Unlock()
		return len(b.agent.seats) == 0
	})
	if ran("xdg-open") != nil || strings.Contains(b.log.String(), "has not shown a window") {
		t.Errorf("a window that was withdrawn was shown: %s", b.log)
	}
}

// TestSnap: Chromium of Ubuntu, a snap, may not write hidden folders of the home: its profile is where it may, whether it is
// started by itself or by the script of the distribution. The profile goes with the agent's data.
func TestSnap(t *testing.T) {
	pathOnly(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, script := range []string{"", "#!/bin/sh\nexec /snap/bin/chromium \"$@\"\n"} {
		dir, name := filepath.Join(t.TempDir(), "snap", "bin"), "chromium"
		if script != "" {
			dir, name = t.TempDir(), "chromium-browser"
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir)
		b := bring(t)
		ways := Ways("", b.agent.config.Data)
		if len(ways) != 1 || filepath.Dir(ways[0].profile) != filepath.Join(home, "snap", "chromium", "common") {
			t.Fatalf("%+v", ways)
		}
		if err := quietProfile(ways[0].profile); err != nil {
			t.Fatal(err)
		}
		another := filepath.Join(home, "snap", "chromium", "common", "chromium")
		if err := os.MkdirAll(another, 0o700); err != nil {
			t.Fatal(err)
		}
		stop, _ := served.LoadAndDelete(b.agent.config.Data)
		stop.(func())()
		if err := Erase(t.Context(), b.agent.config.Data, Erasing{}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(ways[0].profile); err == nil {
			t.Error("the profile of the snap stays")
		}
		if _, err := os.Stat(another); err != nil {
			t.Error("the person's own profile went")
		}
	}
}

// TestEachItsProfile: brands do not open what another has written, and one program under two names is one.
func TestEachItsProfile(t *testing.T) {
	pathOnly(t)
	stand(t, map[string]string{"chromium": "", "google-chrome-stable": "", "xdg-open": ""})
	dir := os.Getenv("PATH")
	if err := os.Symlink(filepath.Join(dir, "google-chrome-stable"), filepath.Join(dir, "google-chrome")); err != nil {
		t.Fatal(err)
	}
	var got []string
	profiles := map[string]bool{}
	for _, w := range Ways("", t.TempDir()) {
		got = append(got, filepath.Base(w.Program))
		profiles[w.profile] = true
	}
	if want := []string{"chromium", "google-chrome", "xdg-open"}; !slices.Equal(got, want) || len(profiles) != 3 || !profiles[""] {
		t.Error(fmt.Sprint(got, profiles))
	}
}

// TestTryBrowsers: the doctor tries the browsers unseen, until one fetches a page and runs what is on it; nothing stays.
func TestTryBrowsers(t *testing.T) {
	pathOnly(t)
	real, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no Chromium here")
	}
	path := os.Getenv("PATH")
	ran := stand(t, map[string]string{"chromium": "exit 21", "xdg-open": "exit 0",
		"google-chrome": "PATH='" + path + "' exec '" + real + "' --no-sandbox \"$@\"", "brave-browser": "exit 0"})
	data := t.TempDir()
	trials, opener := TryBrowsers(t.Context(), data)
	if len(trials) != 2 || trials[0].Shows || !trials[1].Shows || !opener {
		t.Errorf("%+v %v", trials, opener)
	}
	if ran("xdg-open") != nil || ran("brave-browser") != nil {
		t.Error("more was started than had to be")
	}
	for _, line := range append(ran("chromium"), ran("google-chrome")...) {
		if !strings.Contains(line, "--headless") {
			t.Errorf("a window was shown: %s", line)
		}
	}
	if left, err := filepath.Glob(filepath.Join(data, profileFolder, "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := os.WriteFile(filepath.Join(os.Getenv("PATH"), "chromium"), []byte{0}, 0o700); err != nil {
		t.Fatal(err)
	}
	if trials, _ := TryBrowsers(t.Context(), data); len(trials) != 1 || trials[0].Shows {
		t.Errorf("one that cannot be started: %+v", trials)
	}
	if left, err := filepath.Glob(filepath.Join(data, profileFolder, "*")); err != nil || len(left) > 0 {
		t.Errorf("left by one that cannot be started: %v %v", left, err)
	}
	silent := stand(t, map[string]string{"chromium": "exit 0"})
	if trials, opener := TryBrowsers(t.Context(), data); len(trials) != 1 || trials[0].Shows || opener || silent("chromium") == nil {
		t.Errorf("one that ends well and fetches nothing: %+v %v", trials, opener)
	}
}

// TestTriedBrowserGoes: what a browser started for itself ends with it, whether it ended or had to be ended, and writes its profile no more.
func TestTriedBrowserGoes(t *testing.T) {
	pathOnly(t)
	for name, does := range map[string]string{"ends": "exit 0", "is ended": "wait"} {
		t.Run(name, func(t *testing.T) {
			ran := stand(t, map[string]string{"chromium": `for a in "$@"; do case "$a" in --user-data-dir=*) p="${a#*=}";; esac; done
(for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do /bin/mkdir -p "$p/Default"; echo x >"$p/Default/late"; /bin/sleep 0.1; done; done) &
printf '%s\n' $! >>"$0.ran"
` + does})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			data := t.TempDir()
			if trials, _ := TryBrowsers(ctx, data); len(trials) != 1 || trials[0].Shows {
				t.Errorf("%+v", trials)
			}
			lines := ran("chromium")
			pid, err := strconv.Atoi(lines[len(lines)-1])
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
			for begun := time.Now(); running(pid); time.Sleep(10 * time.Millisecond) { //nolint:forbidigo // there is no signal, it is looked at again
				if time.Since(begun) > 2*time.Second {
					t.Fatal("what it started goes on")
				}
			}
			if left, err := filepath.Glob(filepath.Join(data, profileFolder, "*")); err != nil || len(left) > 0 {
				t.Errorf("left: %v %v", left, err)
			}
		})
	}
}

// running tells whether a process runs; one that waits to be looked at by its parent does not.
func running(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(after, "Z")
}
