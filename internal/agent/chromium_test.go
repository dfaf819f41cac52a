package agent

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestInstalledBrowsers: on Windows and macOS a browser of the Chromium kind is found where its installer put it and
// noted it, and nothing is taken that is not a whole path on a disk of this machine.
func TestInstalledBrowsers(t *testing.T) {
	const (
		files, files86, local = `C:\Program Files`, `C:\Program Files (x86)`, `C:\Users\Айгүл Тест\AppData\Local`
		edge                  = files86 + `\Microsoft\Edge\Application\msedge.exe`
	)
	for name, c := range map[string]struct {
		system string
		noted  map[string][]string
		there  []string
		want   string
	}{
		"nothing":                     {"windows", nil, nil, ""},
		"Edge of every Windows":       {"windows", nil, []string{edge}, edge},
		"Chrome before Edge":          {"windows", nil, []string{edge, files + `\Google\Chrome\Application\chrome.exe`}, files + `\Google\Chrome\Application\chrome.exe`},
		"a person's own Chrome":       {"windows", nil, []string{edge, local + `\Google\Chrome\Application\chrome.exe`}, local + `\Google\Chrome\Application\chrome.exe`},
		"Yandex":                      {"windows", nil, []string{local + `\Yandex\YandexBrowser\Application\browser.exe`}, local + `\Yandex\YandexBrowser\Application\browser.exe`},
		"Opera":                       {"windows", nil, []string{local + `\Programs\Opera\opera.exe`}, local + `\Programs\Opera\opera.exe`},
		"noted elsewhere":             {"windows", map[string][]string{"brave.exe": {`D:\Браузеры\Brave\Brave.exe`}}, []string{`D:\Браузеры\Brave\Brave.exe`}, `D:\Браузеры\Brave\Brave.exe`},
		"noted in quotes":             {"windows", map[string][]string{"msedge.exe": {`"` + edge + `"`}}, []string{edge}, edge},
		"the machine's note first":    {"windows", map[string][]string{"chrome.exe": {`C:\m\chrome.exe`, `C:\p\chrome.exe`}}, []string{`C:\p\chrome.exe`, `C:\m\chrome.exe`}, `C:\m\chrome.exe`},
		"a note of what is gone":      {"windows", map[string][]string{"chrome.exe": {`C:\gone\chrome.exe`}}, []string{edge}, edge},
		"the current folder":          {"windows", map[string][]string{"chrome.exe": {`chrome.exe`, `.\chrome.exe`, `\chrome.exe`, `C:chrome.exe`}}, []string{`chrome.exe`, `.\chrome.exe`, `\chrome.exe`, `C:chrome.exe`}, ""},
		"another computer":            {"windows", map[string][]string{"chrome.exe": {`\\evil\share\chrome.exe`, `//evil/chrome.exe`, `\\?\C:\chrome.exe`}}, []string{`\\evil\share\chrome.exe`, `//evil/chrome.exe`, `\\?\C:\chrome.exe`}, ""},
		"another program":             {"windows", map[string][]string{"chrome.exe": {`C:\Windows\System32\cmd.exe`, `C:\x\chrome.exe --load-extension=x`, `C:\x\..\chrome.exe`, `C:\a.txt:chrome.exe`}}, []string{`C:\Windows\System32\cmd.exe`, `C:\x\chrome.exe --load-extension=x`, `C:\x\..\chrome.exe`, `C:\a.txt:chrome.exe`}, ""},
		"an application folder":       {"darwin", nil, []string{"/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"}, "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"},
		"a person's own":              {"darwin", nil, []string{"/Users/a/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}, "/Users/a/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"},
		"the machine's of two":        {"darwin", nil, []string{"/Users/a/Applications/Yandex.app/Contents/MacOS/Yandex", "/Applications/Yandex.app/Contents/MacOS/Yandex"}, "/Applications/Yandex.app/Contents/MacOS/Yandex"},
		"Safari is of another kind":   {"darwin", nil, []string{"/Applications/Safari.app/Contents/MacOS/Safari"}, ""},
		"elsewhere the path has them": {"", nil, []string{edge}, ""},
	} {
		s := installed{system: c.system, folders: []string{files, files86, local}, there: func(path string) bool { return slices.Contains(c.there, path) },
			noted: func(program string) []string { return c.noted[program] }}
		if c.system == "darwin" {
			s.folders = []string{"/Applications", "/Users/a/Applications"}
		}
		got := s.browsers()
		if best := append(got, "")[0]; best != c.want || len(got) > len(c.there) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestIsFile: a folder and a pipe of a browser's name are none.
func TestIsFile(t *testing.T) {
	dir := t.TempDir()
	if isFile(dir) || isFile(filepath.Join(dir, "none")) || isFile(`\\evil.example\share\chrome.exe`) {
		t.Error("what is no file of this machine is taken")
	}
	path := filepath.Join(dir, "a browser")
	if err := os.WriteFile(path, nil, 0o700); err != nil || !isFile(path) {
		t.Errorf("a file is not taken: %v", err)
	}
}
