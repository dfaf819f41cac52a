//go:build unix && !darwin

package desktop

import (
	"os"
	"path/filepath"
)

// session tells whether a desktop's bus is there. Without one the libraries would start a bus of their own.
func session() bool {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "bus"))
	return err == nil
}
