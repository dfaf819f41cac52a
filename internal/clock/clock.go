// Package clock says how far this machine's clock is from the right time.
//
// [NTP] asks servers, [Kernel] asks what keeps the machine's clock right, and [Trusted] believes
// the machine, for demonstrations. Each has the one method that the time-stamping authority calls.
// [Parse] reads the setting.
//
// A server that cannot be asked is no evidence: NTP wants answers from most of its servers, and of
// those the middle one, so that one false server decides nothing.
package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/beevik/ntp"
)

// Clock is one way to know.
type Clock interface {
	// Offset is how far this machine's clock is from the right time, either way.
	Offset(ctx context.Context) (time.Duration, error)
}

// Parse reads a setting: "kernel", "trust", or "ntp:SERVER,SERVER,…" with optional ports.
func Parse(s string) (Clock, error) {
	switch s {
	case "kernel":
		return Kernel{}, nil
	case "trust":
		return Trusted{}, nil
	}
	list, ok := strings.CutPrefix(s, "ntp:")
	if !ok || list == "" {
		return nil, fmt.Errorf("clock %q: kernel, trust or ntp:SERVER,SERVER is wanted", s)
	}
	servers := strings.Split(list, ",")
	for _, one := range servers {
		if strings.TrimSpace(one) == "" {
			return nil, fmt.Errorf("clock %q: an empty server", s)
		}
	}
	return NTP{Servers: servers}, nil
}

// Trusted believes the machine's clock. For demonstrations.
type Trusted struct{}

// Offset is zero.
func (Trusted) Offset(context.Context) (time.Duration, error) { return 0, nil }

// NTP asks servers (RFC 5905).
type NTP struct {
	// Servers are names or addresses, with :port when it is not 123.
	Servers []string
	// Timeout is for each; zero is 5 s.
	Timeout time.Duration
}

// Offset asks all servers at once and returns the middle answer, when more than half answered.
func (n NTP) Offset(ctx context.Context) (time.Duration, error) {
	if n.Timeout == 0 {
		n.Timeout = 5 * time.Second
	}
	if end, ok := ctx.Deadline(); ok {
		n.Timeout = min(n.Timeout, time.Until(end))
	}
	if err := ctx.Err(); err != nil || n.Timeout <= 0 {
		return 0, errors.Join(err, errors.New("ask for the time: no time left"))
	}
	offsets := make([]time.Duration, len(n.Servers))
	failed := make([]error, len(n.Servers))
	var wait sync.WaitGroup
	for i, server := range n.Servers {
		wait.Go(func() { offsets[i], failed[i] = n.ask(server) })
	}
	wait.Wait()
	var good []time.Duration
	for i, err := range failed {
		if err == nil {
			good = append(good, offsets[i])
		}
	}
	if 2*len(good) <= len(n.Servers) {
		return 0, fmt.Errorf("ask for the time: %d of %d servers answered: %w", len(good), len(n.Servers), errors.Join(failed...))
	}
	slices.Sort(good)
	return good[len(good)/2], nil
}

func (n NTP) ask(server string) (time.Duration, error) {
	r, err := ntp.QueryWithOptions(server, ntp.QueryOptions{Timeout: n.Timeout})
	if err == nil {
		err = r.Validate() // among others: a server that says itself that it is not synchronised
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", server, err)
	}
	return r.ClockOffset, nil
}
