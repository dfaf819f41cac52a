package desktop

import (
	"os"
	"path/filepath"
)

// Media lists the volumes beside the system's own, which stands there as a link.
func Media() []string {
	entries, err := os.ReadDir("/Volumes")
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		if e.IsDir() {
			list = append(list, filepath.Join("/Volumes", e.Name()))
		}
	}
	return list
}
