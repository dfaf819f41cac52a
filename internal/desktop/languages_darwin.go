package desktop

import (
	"context"
	"os/exec"
	"time"
)

// Languages are those the person reads the system in, the first before the others; none where that cannot be told.
func Languages() []string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/bin/defaults", "read", "-g", "AppleLanguages").Output()
	if err != nil {
		return nil
	}
	return appleLanguages(out)
}
