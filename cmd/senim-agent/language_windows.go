package main

import sys "golang.org/x/sys/windows"

// uiLanguages are those Windows speaks to this person, best first: its programs are not told by the environment.
func uiLanguages() []string {
	names, err := sys.GetUserPreferredUILanguages(sys.MUI_LANGUAGE_NAME)
	if err != nil {
		return nil
	}
	return names
}
