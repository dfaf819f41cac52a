package desktop

import "strings"

// appleLanguages reads the list that macOS keeps of a person's languages, as its defaults tool prints it.
func appleLanguages(out []byte) (list []string) {
	for _, line := range strings.Split(string(out), "\n") {
		if name := strings.Trim(line, " \t\r\",()"); name != "" {
			list = append(list, name)
		}
	}
	return list
}
