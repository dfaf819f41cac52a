package agent

import (
	"os"
	"regexp"
	"slices"
	"strings"

	"senim/internal/keystore"
)

// installed is where a system that keeps programs out of the path has its browsers. Only whole paths are taken: what lies
// in the current folder, or in one that others may write into, is never looked for.
type installed struct {
	system  string
	folders []string                      // where programs lie, the machine's before the person's
	noted   func(program string) []string // where the system has noted a program, the machine's notes before the person's; nil: it has no notes
	there   func(path string) bool        // a file is there
}

// onWindows are the browsers by the name of their program, and where in a folder of programs it lies. Edge is on every
// Windows of today.
var onWindows = []struct {
	program string
	at      []string
}{
	{"chrome.exe", []string{`Google\Chrome\Application`, `Chromium\Application`}},
	{"msedge.exe", []string{`Microsoft\Edge\Application`}},
	{"brave.exe", []string{`BraveSoftware\Brave-Browser\Application`}},
	{"browser.exe", []string{`Yandex\YandexBrowser\Application`}},
	{"vivaldi.exe", []string{`Vivaldi\Application`}},
	{"opera.exe", []string{`Opera`, `Programs\Opera`}},
}

// onMacOS are the browsers by the name of their application folder, which is that of the program in it.
var onMacOS = []string{"Google Chrome", "Microsoft Edge", "Brave Browser", "Yandex", "Chromium", "Vivaldi", "Opera"}

// onDisk is a whole path on a disk of this machine, as Windows notes one.
var onDisk = regexp.MustCompile(`^[A-Za-z]:\\[^:*?"<>|]+$`)

// browsers are those that are there, each once.
func (s installed) browsers() (paths []string) {
	for _, path := range s.candidates() {
		if s.there(path) && !slices.ContainsFunc(paths, func(p string) bool { return strings.EqualFold(p, path) }) {
			paths = append(paths, path)
		}
	}
	return paths
}

func (s installed) candidates() (paths []string) {
	switch s.system {
	case "darwin":
		for _, name := range onMacOS {
			for _, folder := range s.folders {
				paths = append(paths, folder+"/"+name+".app/Contents/MacOS/"+name)
			}
		}
	case "windows":
		for _, b := range onWindows {
			for _, path := range s.noted(b.program) {
				path = strings.Trim(path, `"`)
				name := path[strings.LastIndex(path, `\`)+1:]
				up := slices.Contains(strings.Split(path, `\`), "..")
				if onDisk.MatchString(path) && !up && strings.EqualFold(name, b.program) {
					paths = append(paths, path)
				}
			}
			for _, folder := range s.folders {
				for _, at := range b.at {
					paths = append(paths, folder+`\`+at+`\`+b.program)
				}
			}
		}
	}
	return paths
}

// isFile tells whether a plain file is there.
func isFile(path string) bool {
	if keystore.Foreign(path) {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
