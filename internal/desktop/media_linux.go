package desktop

import (
	"bufio"
	"os"
	"strings"
)

// Media lists where plugged media are mounted: below the folders in which desktops mount them.
func Media() []string {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	var list []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 {
			if path := unescape(fields[1]); plugged(path) {
				list = append(list, path)
			}
		}
	}
	return list
}

func plugged(path string) bool {
	return strings.HasPrefix(path, "/media/") || strings.HasPrefix(path, "/run/media/")
}

// unescape reads the four characters that proc(5) writes in octal.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
