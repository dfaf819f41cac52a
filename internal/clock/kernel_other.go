//go:build !linux

package clock

import (
	"context"
	"errors"
	"time"
)

// Kernel asks the kernel how well a time daemon keeps the machine's clock: on Linux only.
type Kernel struct{}

// Offset is an error: this system does not say.
func (Kernel) Offset(context.Context) (time.Duration, error) {
	return 0, errors.New("this system does not say how right its clock is: name servers with ntp:")
}
