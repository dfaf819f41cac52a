package agent

import (
	"path/filepath"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// installedHere is where browsers lie here.
func installedHere() installed {
	s := installed{system: "windows", noted: appPaths, there: isFile}
	for _, id := range []*windows.KNOWNFOLDERID{windows.FOLDERID_ProgramFiles, windows.FOLDERID_ProgramFilesX86, windows.FOLDERID_LocalAppData} {
		if folder, err := windows.KnownFolderPath(id, 0); err == nil && filepath.IsAbs(folder) {
			s.folders = append(s.folders, folder)
		}
	}
	return s
}

// appPaths is what App Paths names, where installers note their programs: of the machine, then of the person.
func appPaths(program string) (paths []string) {
	for _, root := range []registry.Key{registry.LOCAL_MACHINE, registry.CURRENT_USER} {
		key, err := registry.OpenKey(root, `SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\`+program, registry.QUERY_VALUE)
		if err != nil {
			continue
		}
		path, kind, err := key.GetStringValue("")
		if err == nil && kind == registry.EXPAND_SZ {
			path, err = registry.ExpandString(path)
		}
		if err == nil {
			paths = append(paths, path)
		}
		_ = key.Close()
	}
	return paths
}

// opener is what shows an address in the default browser, by its whole path.
func opener() (program string, args []string) {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return "", nil
	}
	return filepath.Join(system, "rundll32.exe"), []string{"url.dll,FileProtocolHandler"}
}
