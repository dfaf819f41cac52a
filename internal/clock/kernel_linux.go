package clock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Kernel asks the kernel how well a time daemon keeps the machine's clock.
type Kernel struct{}

// Offset is the kernel's bound on the error of its clock; an error when nothing keeps it right.
func (Kernel) Offset(context.Context) (time.Duration, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return 0, fmt.Errorf("ask the kernel for its clock: %w", err)
	}
	return kernelOffset(state, int(t.Status), t.Maxerror)
}

func kernelOffset(state, status int, maxError int64) (time.Duration, error) {
	if state == unix.TIME_ERROR || status&unix.STA_UNSYNC != 0 {
		return 0, errors.New("nothing keeps the machine's clock right: run a time daemon, or name NTP servers")
	}
	return time.Duration(maxError) * time.Microsecond, nil
}
