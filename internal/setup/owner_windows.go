package setup

import "os"

// trusted is true on Windows: a home is closed to others, and the machine's own is in the registry.
func trusted(os.FileInfo) bool { return true }
