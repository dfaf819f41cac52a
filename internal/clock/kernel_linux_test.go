package clock

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestKernel(t *testing.T) {
	for name, c := range map[string]struct {
		state, status int
		bound         int64
		want          time.Duration
		fails         bool
	}{
		"kept":           {unix.TIME_OK, 0, 12_345, 12_345 * time.Microsecond, false},
		"leap second":    {unix.TIME_INS, unix.STA_INS, 10, 10 * time.Microsecond, false},
		"nobody keeps":   {unix.TIME_ERROR, unix.STA_UNSYNC, 16_000_000, 0, true},
		"in error":       {unix.TIME_ERROR, 0, 0, 0, true},
		"says it is not": {unix.TIME_OK, unix.STA_UNSYNC, 0, 0, true},
	} {
		got, err := kernelOffset(c.state, c.status, c.bound)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}
