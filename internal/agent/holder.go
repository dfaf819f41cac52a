package agent

import (
	"errors"
	"path/filepath"
	"strings"
)

// Holder is the program that listens on a port.
type Holder struct {
	PID       int    // 0 when it cannot be told
	Path      string // of the program, "" when it cannot be told
	Name      string // as people know it: NCALayer, or the file's name; "" when it cannot be told
	OtherUser bool   // it runs as another user of the machine
}

// ErrFree says that nobody listens on the port.
var ErrFree = errors.New("nobody listens on the port")

// PortHolder names the program that listens on a loopback port. It looks, and never touches.
func PortHolder(port int) (Holder, error) { return holder(port) }

// commonName is the name people know a program by: some are Java, and only the command line says what
// they are. Nothing of the command line is given away but this.
func commonName(path, command string) string {
	lower := strings.ToLower(path + "\x00" + command)
	for _, known := range []struct{ mark, name string }{
		{"senim-agent", "senim-agent"}, {"ncalayer-rs", "ncalayer-rs"}, {"ncalayer", "NCALayer"}, {"kaztoken", "KAZTOKEN"},
		{"doodocs", "Doodocs Sign"}, {"kazeds", "kazeds"}, {"fcalayer", "FCALayer"}, {"tumarcsp", "TumarCSP"},
	} {
		if strings.Contains(lower, known.mark) {
			return known.name
		}
	}
	name := filepath.Base(strings.ReplaceAll(path, `\`, "/"))
	if name == "." {
		return ""
	}
	return strings.TrimSuffix(name, " (deleted)")
}
