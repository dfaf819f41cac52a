package desktop

import "golang.org/x/sys/windows"

// Media lists the drives that can be taken out.
func Media() []string {
	drives, err := windows.GetLogicalDrives()
	if err != nil {
		return nil
	}
	var list []string
	for i := range 26 {
		if drives&(1<<i) == 0 {
			continue
		}
		root := string(rune('A'+i)) + `:\`
		name, err := windows.UTF16PtrFromString(root)
		if err == nil && i > 1 && windows.GetDriveType(name) == windows.DRIVE_REMOVABLE { // A and B are floppies
			list = append(list, root)
		}
	}
	return list
}
