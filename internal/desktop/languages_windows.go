package desktop

import "golang.org/x/sys/windows"

// Languages are those the person reads the system in, the first before the others; none where that cannot be told.
func Languages() []string {
	list, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return nil
	}
	return list
}
